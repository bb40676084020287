"""What can be booked, and when."""

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import cursors, idempotency, paging, people, places
from clinics.cursors import BadCursor
from clinics.edge import Endpoint
from clinics.models import AccessEvent, Clinic, Clinician, User
from clinics.openapi import problems
from clinics.paging import Paged
from clinics.places import Point, UnknownPlace
from clinics.refusals import NotFound, Refused
from clinics.shapes import LanguageField, parse
from memberships import entitlement
from scheduling import access, slots
from scheduling.api.fields import WhenField
from scheduling.models import Appointment, VisitType
from scheduling.shapes import SLOT_EXAMPLE, Named, SlotShown
from scheduling.slots import Place, Search

MOST_TYPES = 200
WITHIN_MILES = 50
PARTS_OF_DAY: dict[str, tuple[time | None, time | None]] = {
    "morning": (None, time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), None),
}


class UnknownVisitType(Refused):
    code = "unknown_visit_type"
    status = 400
    detail = "There is no such type of visit to book here. GET /api/v1/visit-types lists them."


class MixedWindow(Refused):
    code = "mixed_window"
    status = 400
    detail = "Give `from` and `to` both as days, or both as instants; `to` alone is not enough."


class NextShown(serializers.Serializer[Any]):
    clinic = Named()
    start = serializers.DateTimeField()


class SlotsPage(serializers.Serializer[Any]):
    results = SlotShown(many=True)
    next = serializers.URLField(allow_null=True)
    next_available = NextShown(many=True, required=False, help_text="Only where the whole window is empty.")


class SlotsView(Endpoint):
    """Free slots."""

    public = True
    shown_as = AccessEvent.What.FREE_TIME
    costs = 5

    class Asked(Paged):
        visit_type = serializers.SlugField(max_length=40, help_text="A code from GET visit-types, such as office.")
        near = serializers.CharField(
            required=False,
            max_length=60,
            help_text="A ZIP code, or latitude,longitude. The nearest 50 clinics are searched.",
        )
        within_miles = serializers.FloatField(
            required=False, min_value=0, max_value=500, help_text=f"Default: {WITHIN_MILES}, unless clinics are named."
        )
        clinic = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=50)
        clinician = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=50)
        language = LanguageField(required=False, help_text="Spoken by the clinician: en, es.")
        gender = serializers.ChoiceField(required=False, choices=Clinician.Gender.choices)
        part_of_day = serializers.ChoiceField(required=False, choices=list(PARTS_OF_DAY))
        per_clinic = serializers.IntegerField(
            required=False,
            min_value=1,
            max_value=10,
            help_text="Only the next so many of each, on one page: as many of the nearest clinics as fit `limit`.",
        )
        patient = serializers.UUIDField(
            required=False, help_text="For whom, where not for yourself: prices and free time are theirs."
        )

        def get_fields(self) -> Any:
            window = {
                "from": WhenField(required=False, help_text="A day of each clinic or an instant. Default: today."),
                "to": WhenField(
                    required=False, help_text="The last day, included, or an instant. Default: the next day."
                ),
            }
            return super().get_fields() | window

    @extend_schema(
        operation_id="list_slots",
        summary="Free slots, by start and distance",
        description=(
            "Without a window: today and tomorrow, in each clinic's own zone. Signed in, your own visits are taken out"
            " and prices are yours."
        ),
        parameters=[Asked],
        responses={
            200: SlotsPage,
            **problems(
                UnknownVisitType, MixedWindow, slots.Nowhere, slots.WindowTooLong, UnknownPlace, BadCursor, NotFound
            ),
        },
        examples=[
            OpenApiExample("a slot at Avon", response_only=True, value={"results": [SLOT_EXAMPLE], "next": None})
        ],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        now = timezone.now()
        cursor = _cursor_of(request, asked) if "cursor" in asked else None
        wanted, after = _search(request, asked, cursor, now)
        self.shows(*([wanted.patient] if wanted.patient else []))
        found = slots.search(wanted, now=now, after=after, limit=asked["limit"] + (wanted.per_clinic is None))
        shown, more = found[: asked["limit"]], len(found) > asked["limit"]
        body: dict[str, Any] = {"results": [], "next": None}
        if shown:
            terms = entitlement.terms(patient_id=wanted.patient, benefit=wanted.visit_type)
            body["results"] = slots.as_rows(shown, price=slots.price_of(terms), with_distance=wanted.near is not None)
            if more:
                body["next"] = paging.next_link(request, _cursor(request, wanted, shown[-1].place))
        elif cursor is None:
            body["next_available"] = [
                {"clinic": {"id": str(row.clinic), "name": row.clinic_name}, "start": row.start.isoformat()}
                for row in slots.next_available(wanted, now=now)
            ]
            if not body["next_available"]:
                _require_known(wanted)
        return Response(body)


class VisitTypeShown(serializers.Serializer[Any]):
    """A type of visit. Its code is also the benefit that a membership covers."""

    code = serializers.CharField()
    name = serializers.CharField()
    minutes = serializers.IntegerField()
    min_age = serializers.IntegerField(help_text="Whole years on the day of the visit.")
    max_age = serializers.IntegerField(allow_null=True)
    patients = serializers.ChoiceField(choices=VisitType.Patients.choices)
    price = serializers.IntegerField(
        allow_null=True, help_text="Cents of US dollars without a membership, today; null: for members only."
    )


class VisitTypesPage(serializers.Serializer[Any]):
    results = VisitTypeShown(many=True)
    next = serializers.URLField(allow_null=True)


class VisitTypesView(Endpoint):
    """Types of visit that can be booked.

    Prices are today's where you live, if you are signed in, otherwise in New York.
    """

    public = True
    shown_as = None

    @extend_schema(
        operation_id="list_visit_types",
        summary="What can be booked, and what it costs without a membership",
        responses=VisitTypesPage,
        examples=[
            OpenApiExample(
                "an office visit",
                response_only=True,
                value={
                    "results": [
                        {
                            "code": "office",
                            "name": "Office visit",
                            "minutes": 20,
                            "min_age": 0,
                            "max_age": None,
                            "patients": "anyone",
                            "price": 14_900,
                        }
                    ],
                    "next": None,
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        offered = VisitType.objects.filter(is_offered=True, booked_by=VisitType.BookedBy.ANYONE)[:MOST_TYPES]
        prices = entitlement.visit_prices(on=people.today_for(request.user, now=timezone.now()))
        results = [
            {
                "code": kind.code,
                "name": kind.name,
                "minutes": int(kind.duration.total_seconds() // 60),
                "min_age": kind.min_age,
                "max_age": kind.max_age,
                "patients": kind.patients,
                "price": prices.get(kind.code),
            }
            for kind in offered
        ]
        return Response({"results": results, "next": None})


def _search(
    request: Request, asked: dict[str, Any], cursor: dict[str, Any] | None, now: datetime
) -> tuple[Search, Place | None]:
    """What was asked for; with a cursor the window and the origin are the first page's."""
    near = places.parse_near(asked["near"]) if "near" in asked else None
    asked_at, after = now, None
    if cursor is not None:
        asked_at, near, after = _continued(cursor)
    patient, staff = None, False
    if isinstance(request.user, User):
        own = getattr(request.user, "patient", None)
        patient = own.pk if own else None
        if "patient" in asked:
            found, source = access.acting_for(request.user, asked["patient"], now=now)
            patient, staff = found.pk, source == Appointment.Source.STAFF
    elif "patient" in asked:
        raise NotAuthenticated
    within = asked.get("within_miles")
    if within is not None and near is None:
        raise slots.Nowhere("within_miles needs near.")
    if near is not None and within is None and not asked.get("clinic"):
        within = WITHIN_MILES
    return Search(
        visit_type=asked["visit_type"],
        asked_at=asked_at,
        near=near,
        within=None if within is None else places.metres(within),
        clinics=tuple(asked.get("clinic", ())),
        clinicians=tuple(asked.get("clinician", ())),
        language=asked.get("language"),
        gender=asked.get("gender"),
        part_of_day=PARTS_OF_DAY.get(asked.get("part_of_day", ""), (None, None)),
        patient=patient,
        staff=staff,
        per_clinic=asked.get("per_clinic"),
        **_window(asked.get("from"), asked.get("to")),
    ), after


def _window(start: date | datetime | None, end: date | datetime | None) -> dict[str, Any]:
    """Days are the clinics' own, the last one included; instants are half-open. Raises MixedWindow."""
    if start is None and end is None:
        return {}
    if isinstance(start, datetime):
        if end is None:
            return {"days": None, "from_at": start, "until_at": start + timedelta(days=slots.DAYS)}
        if isinstance(end, datetime):
            return {"days": None, "from_at": start, "until_at": end}
    elif start is not None and not isinstance(end, datetime):
        return {"first_day": start, "days": slots.DAYS if end is None else (end - start).days + 1}
    raise MixedWindow


def _cursor(request: Request, wanted: Search, place: Place) -> str:
    near = wanted.near
    return cursors.encode(
        {
            "list": _asked_for(request),
            "asked": wanted.asked_at.timestamp(),
            "near": [near.latitude, near.longitude] if near else None,
            "after": [place.start.timestamp(), place.metres, str(place.clinic), str(place.clinician)],
        }
    )


def _cursor_of(request: Request, asked: dict[str, Any]) -> dict[str, Any]:
    """What the page before left. Raises BadCursor where it was given for another search, or pages are not to be had."""
    cursor = cursors.decode(asked["cursor"])
    if cursor.get("list") != _asked_for(request) or "per_clinic" in asked:
        raise BadCursor
    return cursor


def _asked_for(request: Request) -> str:
    """Stands for what was searched, on whatever page."""
    query = sorted((name, sorted(values)) for name, values in request.query_params.lists())
    return "slots " + idempotency.fingerprint_of([pair for pair in query if pair[0] not in {"cursor", "limit"}])


def _continued(cursor: dict[str, Any]) -> tuple[datetime, Point | None, Place]:
    start, metres, clinic, clinician = cursor["after"]
    near = Point(*cursor["near"]) if cursor["near"] else None
    place = Place(datetime.fromtimestamp(start, UTC), metres, uuid.UUID(clinic), uuid.UUID(clinician))
    return datetime.fromtimestamp(cursor["asked"], UTC), near, place


def _require_known(wanted: Search) -> None:
    """Nothing found at all: raises UnknownVisitType or NotFound where that is because of what was asked."""
    kinds = VisitType.objects.filter(code=wanted.visit_type, is_offered=True)
    if not (kinds if wanted.staff else kinds.filter(booked_by=VisitType.BookedBy.ANYONE)).exists():
        raise UnknownVisitType
    if wanted.clinics and Clinic.objects.filter(pk__in=wanted.clinics).count() < len(set(wanted.clinics)):
        raise NotFound("There is no clinic with this id.")
    if wanted.clinicians and Clinician.objects.filter(pk__in=wanted.clinicians).count() < len(set(wanted.clinicians)):
        raise NotFound("There is no clinician with this id.")
