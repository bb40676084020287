"""To whom a clinician could hand their patient over."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.openapi import problems
from clinics.refusals import NotFound
from scheduling.shapes import Named
from virtualcare import queue
from virtualcare.access import NoLongerYours
from virtualcare.api.care import CareEndpoint

COLLEAGUE = {"id": "0193601a-7c1e-7000-8000-000000000009", "name": "Bo Stone, MD"}


class ColleaguesView(CareEndpoint):
    shown_as = None

    class Colleagues(serializers.Serializer[Any]):
        results = Named(many=True)

    @extend_schema(
        operation_id="list_colleagues",
        summary="To whom you could hand a patient over now (clinicians)",
        examples=[OpenApiExample("one", response_only=True, status_codes=["200"], value={"results": [COLLEAGUE]})],
        responses={200: Colleagues, **problems(NotFound, NoLongerYours)},
    )
    def get(self, _request: Request, consult_id: uuid.UUID) -> Response:
        """Those on duty with room, and a licence where the patient is: at most 50, none once the conversation is over.

        Whoever is named at POST consults/{id}/transfer is looked at again.
        """
        now = timezone.now()
        found = queue.who_could_take(self.in_care(consult_id, now=now), now=now)
        return Response({"results": [{"id": str(one.pk), "name": one.name} for one in found]})
