"""The call of a consult: how to join it, and turning a conversation into one."""

import uuid
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import InstantField, Shape, parse
from virtualcare import access, presence, video
from virtualcare.access import NoLongerYours
from virtualcare.intake.consents import ConsentRequired
from virtualcare.models import Consult
from virtualcare.queue.offers import AlreadyInACall, NotLicensedThere, OwnCase
from virtualcare.queue.records import ConsultChanged
from virtualcare.video import VideoNotOffered, calls, closing
from virtualcare.video.calls import ClinicianTurnsOn, ConsentNeeded, NotInCall, NoVideoNow
from virtualcare.video.port import Forged, JoinInfo, Role


class IceServerShown(serializers.Serializer[Any]):
    """As RTCPeerConnection takes it."""

    urls = serializers.ListField(child=serializers.CharField())
    username = serializers.CharField(help_text="Holds as long as the answer does.")
    credential = serializers.CharField()


class JoinShown(serializers.Serializer[Any]):
    """How to join the call. Ask again before `expires_at`: who is in the call by then stays in it."""

    provider = serializers.ChoiceField(
        ["peer", "livekit"],
        help_text="`peer`: from device to device, by `ice_servers` and the consult's socket.",
    )
    participant = serializers.UUIDField(help_text="Who you are in the call: `from` of your signals.")
    expires_at = InstantField()
    relay_only = serializers.BooleanField(help_text="Use iceTransportPolicy `relay`.")
    direct = serializers.BooleanField(help_text="No relay: each device can learn the other's network address.")
    notice = serializers.CharField(help_text="To be shown before joining, where it is not empty.")
    ice_servers = IceServerShown(many=True)
    url = serializers.CharField(help_text="The server to connect to with `token`, for `livekit`.")
    token = serializers.CharField()


class ModalityShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    modality = serializers.ChoiceField(["video"])


CONSULT = "0198c7de-0000-7000-8000-00000000c001"
RELAYED = {
    "provider": "peer",
    "participant": "0198c7de-0000-7000-8000-00000000ca11",
    "expires_at": "2026-11-24T14:10:00+00:00",
    "relay_only": True,
    "direct": False,
    "notice": "",
    "ice_servers": [
        {
            "urls": ["turns:turn.example.com:5349?transport=tcp"],
            "username": "1795702200:0198c7de-0000-7000-8000-00000000ca11",
            "credential": "qJ1fW0Zc4n0cI5mX8kqPjv6C8YQ=",
        }
    ],
    "url": "",
    "token": "",
}


class VideoView(Endpoint):
    # Nothing of the patient: ids that were made for the call, and what opens it.
    shown_as = None

    @extend_schema(
        operation_id="join_video",
        summary="How to join the call of a consult",
        examples=[OpenApiExample("by_relay", response_only=True, value=RELAYED)],
        responses={
            200: JoinShown,
            **problems(NotFound, NotInCall, NoLongerYours, NotLicensedThere, ConsentNeeded, VideoNotOffered),
        },
    )
    def get(self, request: Request, consult_id: uuid.UUID) -> Response:
        """For those who take part in a consult that is active and held by video. The call begins with the first.

        The answer holds for minutes. Asked while the call goes on, it says whether it still does: from 409 or 404 on,
        hang up.
        """
        del request
        now = timezone.now()
        consult = access.taken_part(self.caller, consult_id, now=now)
        presence.heard_from_who_has(consult, self.caller, now=now)
        return Response(shown(*calls.join(consult=consult, user=self.caller, session=self.session, now=now)))

    class Agreed(Shape):
        consents = serializers.ListField(
            child=serializers.CharField(max_length=60),
            max_length=20,
            default=list,
            help_text="The patient's: codes of texts that are agreed to, with their version as in telehealth:2.",
        )

    @extend_schema(
        operation_id="switch_to_video",
        summary="Go on by video with a consult by text (its clinician), or agree to it (the patient)",
        request=Agreed,
        examples=[
            OpenApiExample("turned", request_only=True, value={}),
            OpenApiExample("agreed", request_only=True, value={"consents": ["telehealth:2"]}),
            OpenApiExample("by_video", response_only=True, value={"id": CONSULT, "modality": "video"}),
        ],
        responses={
            200: ModalityShown,
            **problems(
                NotFound,
                ClinicianTurnsOn,
                ConsentRequired,
                ConsultChanged,
                AlreadyInACall,
                NotInCall,
                NoVideoNow,
                OwnCase,
                NotLicensedThere,
                VideoNotOffered,
            ),
        },
    )
    def post(self, request: Request, consult_id: uuid.UUID) -> Response:
        """The patient is told and joins, or goes on by text beside it. It costs no more. Again changes nothing.

        Where a call takes consents that the patient did not give for text, joining is refused by
        `video_consent_required` until they send the codes here.
        """
        asked = parse(self.Agreed, request.data)
        now = timezone.now()
        consult = access.taken_part(self.caller, consult_id, now=now)
        if closing.role_of(self.caller, consult, now=now) == Role.PATIENT:
            turned = calls.agree(consult=consult, user=self.caller, codes=asked["consents"], now=now)
        else:
            turned = calls.to_video(consult=consult, actor=self.caller, now=now)
        return Response(held_by(turned))

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:
        del request, body
        return held_by(access.taken_part(self.caller, kwargs["consult_id"], now=timezone.now()))


def shown(participant: uuid.UUID, info: JoinInfo) -> dict[str, Any]:
    return {**asdict(info), "participant": str(participant), "expires_at": info.expires_at.isoformat()}


def held_by(consult: Consult) -> dict[str, Any]:
    return {"id": str(consult.pk), "modality": consult.modality}


@csrf_exempt
@require_POST
def livekit(request: HttpRequest) -> HttpResponse:
    """`POST /webhooks/livekit`: who came and went. What is forged, or was signed too long ago, is a 403."""
    if not settings.LIVEKIT["API_SECRET"]:
        return HttpResponse(status=403)
    now = timezone.now()
    try:
        event = video.of("livekit").event(request.body, request.headers, now=now)
    except Forged:
        return HttpResponse(status=403)
    calls.heard(event, provider="livekit", now=now)
    return HttpResponse(status=204)
