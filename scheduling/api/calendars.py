"""Visits for calendars: one as a file, and feeds that calendar programs read by a secret address."""

import uuid
from typing import Any, ClassVar, cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics import audit
from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from scheduling import access, feeds
from scheduling.models import CalendarFeed

FILE = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Sameday//Sameday//EN
METHOD:PUBLISH
BEGIN:VEVENT
UID:0193601a-7c1e-7000-8000-000000000004
DTSTAMP:20261124T140112Z
LAST-MODIFIED:20261124T140112Z
SEQUENCE:0
DTSTART:20261124T150000Z
DTEND:20261124T152000Z
STATUS:CONFIRMED
CLASS:PRIVATE
SUMMARY:Visit at Avon
END:VEVENT
END:VCALENDAR
"""
MEDIA_TYPE = "text/calendar"
PAGE = "GET calendar/{id}.ics"


class CalendarFileView(Endpoint):
    """An iCalendar file (RFC 5545) that says when and where, and nothing of the patient or why they come.

    Its UID stays the same and its SEQUENCE grows when the visit is moved or cancelled, so that a calendar which has it
    already changes it.
    """

    shown_as = AccessEvent.What.VISIT

    @extend_schema(
        operation_id="read_appointment_calendar",
        summary="One visit, for a calendar",
        examples=[
            OpenApiExample("a file", response_only=True, status_codes=["200"], media_type=MEDIA_TYPE, value=FILE)
        ],
        responses={
            (200, MEDIA_TYPE): OpenApiResponse(OpenApiTypes.STR, description="text/calendar; method=PUBLISH"),
            **problems(NotFound),
        },
    )
    def get(self, _request: Request, visit_id: uuid.UUID) -> HttpResponse:
        now = timezone.now()
        visit = access.visit(self.caller, visit_id, now=now)
        self.shows(visit.patient_id)
        return HttpResponse(
            feeds.calendar_of(visit, now=now),
            content_type=feeds.CONTENT_TYPE,
            headers={"Content-Disposition": 'attachment; filename="visit.ics"'},
        )


class FeedShown(serializers.Serializer[Any]):
    """A feed for calendar programs, without its address, which is told when it is made and never again."""

    is_on = serializers.BooleanField()
    made_at = serializers.DateTimeField(allow_null=True, help_text="When its address was made.")
    fetched_at = serializers.DateTimeField(
        allow_null=True, help_text="When a program last read it, to a quarter of an hour."
    )


class FeedMade(FeedShown):
    """A feed with its new address: whoever has it reads the feed."""

    address = serializers.URLField()


def shown_feed(feed: CalendarFeed | None) -> dict[str, Any]:
    """A feed as FeedShown, or that there is none."""
    return {
        "is_on": feed is not None,
        "made_at": feed.made_at.isoformat() if feed else None,
        "fetched_at": feed.fetched_at.isoformat() if feed and feed.fetched_at else None,
    }


SHOWN = {"is_on": True, "made_at": "2026-11-24T14:01:12+00:00", "fetched_at": "2026-11-24T15:10:02+00:00"}
MADE = {**SHOWN, "fetched_at": None, "address": "https://sameday.example/calendar/bU0…9Zq.ics"}
READ = OpenApiExample("a feed", response_only=True, status_codes=["200"], value=SHOWN)
NEW = OpenApiExample("a new address", response_only=True, status_codes=["201"], value=MADE)


class FeedView(Endpoint):
    """A feed that the caller's calendar program can subscribe to. Making it again gives it a new address."""

    shown_as = None
    kind: ClassVar[CalendarFeed.Kind]

    def get(self, _request: Request) -> Response:
        return Response(shown_feed(feeds.of(user=self.caller, kind=self.kind)))

    def post(self, request: Request) -> Response:
        parse(Shape, request.data)
        feed = feeds.make(user=self.caller, kind=self.kind, now=timezone.now())
        return Response({**shown_feed(feed), "address": feeds.address(feed)}, status=201)

    def kept(self, body: Any) -> Any:
        return {name: value for name, value in body.items() if name != "address"}

    def replay(self, request: Request, body: Any, **_: Any) -> Any:  # noqa: ARG002 - as every view
        feed = feeds.of(user=self.caller, kind=self.kind)
        if feed is None or shown_feed(feed)["made_at"] != body["made_at"]:
            raise NotFound("This address is over: a newer one was made, or the feed is off.")
        return {**body, "address": feeds.address(feed)}

    def delete(self, _request: Request) -> Response:
        feeds.end(user=self.caller, kind=self.kind)
        return Response(status=204)


@extend_schema_view(
    get=extend_schema(
        operation_id="read_calendar_feed",
        summary="Whether your visits can be read by a calendar",
        responses=FeedShown,
        examples=[READ],
    ),
    post=extend_schema(
        operation_id="create_calendar_feed",
        summary="A secret address for your calendar, in place of the one before",
        request=None,
        responses={201: FeedMade, **problems(NotFound)},
        examples=[NEW],
    ),
    delete=extend_schema(operation_id="end_calendar_feed", summary="Switch it off", responses={204: None}),
)
class OwnFeedView(FeedView):
    """The feed of your visits and those of the children you act for: when and where, and a child's first name."""

    kind = CalendarFeed.Kind.VISITS


@extend_schema_view(
    get=extend_schema(
        operation_id="read_work_calendar_feed",
        summary="Whether your visits as a clinician can be read by a calendar",
        responses=FeedShown,
        examples=[READ],
    ),
    post=extend_schema(
        operation_id="create_work_calendar_feed",
        summary="A secret address for a clinician's calendar, in place of the one before",
        request=None,
        responses={201: FeedMade, **problems(NotFound, feeds.NotClinician)},
        examples=[NEW],
    ),
    delete=extend_schema(operation_id="end_work_calendar_feed", summary="Switch it off", responses={204: None}),
)
class WorkFeedView(FeedView):
    """The feed of the visits that you have as a clinician: when and where, and nothing of the patients."""

    kind = CalendarFeed.Kind.WORK


@extend_schema(exclude=True)
class FeedFileView(Endpoint):
    """`GET /calendar/{secret}.ics`: a feed, for whoever has its address.

    Nothing but the address lets in: calendar programs cannot sign in. They may add parameters of their own. Counted by
    feed, because one company's servers read those of many people. What a parent's program is sent of a child is on the
    child's record; asking in vain whether there is news is not.
    """

    public = True
    shown_as = None  # nobody is signed in: it is written down here
    authentication_classes = []
    counted_as = ""
    feed: CalendarFeed

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        try:
            self.feed = feeds.find(kwargs["secret"])
        except NotFound:
            super().initial(request, *args, **kwargs)
            raise
        self.counted_as = f"calendar:{self.feed.pk}"
        super().initial(request, *args, **kwargs)

    def check_query(self, request: Request) -> None:
        pass

    def get(self, request: Request, secret: str) -> HttpResponse:  # noqa: ARG002 - found before it was counted
        now = timezone.now()
        read = feeds.read(self.feed, now=now)
        tag, modified = f'"{read.tag}"', int(read.content_at.timestamp())
        answer = HttpResponse(
            content_type=feeds.CONTENT_TYPE, headers={"ETag": tag, "Last-Modified": http_date(modified)}
        )
        known = get_conditional_response(cast(HttpRequest, request), tag, modified, answer)
        if known is answer:
            audit.shown(
                viewer=self.feed.user,
                patients=read.patients,
                page=PAGE,
                now=now,
                via=AccessEvent.Via.FEED,
                what=AccessEvent.What.CALENDAR,
            )
            answer.content = read.text()
        return cast(HttpResponse, known)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = super().dispatch(request, *args, **kwargs)
        # The reader keeps it, and asks each time whether it still holds; nobody between keeps it, and no one finds it.
        response["Cache-Control"] = "private, no-cache"
        response["X-Robots-Tag"] = "noindex"
        return response
