"""What was sent to patients, and what they texted back: the failed first, each as its recipient read it.

Links in a message let whoever has them act for the patient: they are left out of what staff read.
"""

import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from clinics import links, messages, people
from clinics.admin import clock, doing, work
from clinics.admin.doing import Done
from clinics.admin.scoped import ScopedAdmin
from clinics.admin.site import site
from clinics.admin.work import Work
from clinics.messages import rendering
from clinics.models import AccessEvent, InboundSms, Message, Patient, Registration, User

# How far back the lists go. What was said is deleted after settings.MESSAGE_TEXTS_KEPT anyway.
LISTED = timedelta(days=60)
LEFT_OUT = "(a link)"
FAILED_FIRST = Case(When(status="failed", then=Value(1)), default=Value(0), output_field=IntegerField())
TONES = {"failed": "bad", "unclear": "warn", "queued": "", "sending": "", "sent": "good", "delivered": "good"}


class Due(SimpleListFilter):
    title = "due"
    parameter_name = "due"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - an override
        return [("late", "late, not sent yet"), ("to_come", "to come"), ("week", "in the last seven days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 - an override
        now = timezone.now()
        if self.value() == "late":
            return queryset.filter(is_late(now))
        if self.value() == "to_come":
            return queryset.filter(due_at__gt=now)
        if self.value() == "week":
            return queryset.filter(in_the_last_week(now))
        return queryset


def is_late(now: datetime) -> Q:
    """The condition that a message should have gone by now."""
    return Q(status__in=Message.OPEN, due_at__lt=now - timedelta(minutes=5))


def in_the_last_week(now: datetime) -> Q:
    return Q(due_at__gt=now - timedelta(days=7), due_at__lte=now)


def listed(at: Work, *, now: datetime) -> QuerySet[Message]:
    """The messages of the last weeks that who is at work sees: of patients of their clinics; for operators all."""
    rows = Message.objects.filter(due_at__gt=now - LISTED)
    if at.is_operator:
        return rows
    if at.user is None:
        return rows.none()
    return rows.visible_to(at.user, on=people.today_of(at.user, now=now)).filter(known_here(at, "patient"))


def known_here(at: Work, patient: str) -> Exists:
    """Whether a row's `patient` is registered at a clinic of who is at work."""
    return Exists(Registration.objects.filter(patient=OuterRef(patient), clinic__in=list(at.clinics)))


@admin.register(Message, site=site)
class MessageAdmin(ScopedAdmin):
    """Messages about patients of one's clinics. Those who run the server see all, and not to whom or what they say."""

    section, icon = "Messages", "mail"
    what = dict.fromkeys(("list", "page"), AccessEvent.What.MESSAGES)
    for_operators = True
    list_display = ("told", "state", "channel", "to_whom", "due_at", "attempts", "error")
    list_filter = ("status", "channel", "kind", Due)
    list_select_related = ("patient",)
    search_help_text = "Part of a patient's name"
    ordering = (FAILED_FIRST.desc(), "-due_at", "-pk")

    def get_urls(self) -> list[URLPattern]:
        to = self.admin_site.admin_view
        return [
            path("", to(self.changelist_view), name="clinics_message_changelist"),
            path("<uuid:message_id>/change/", to(self.message), name="clinics_message_change"),
            path("<uuid:message_id>/retry/", to(self.retry), name="clinics_message_retry"),
        ]

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        ours = ("patient__given_name", "patient__family_name", "patient__preferred_name")
        return () if work.of(request).is_operator else ours

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return listed(at, now=now).annotate(is_ours=known_here(at, "patient"))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == Due.parameter_name or super().lookup_allowed(lookup, value, request)

    def patient_of(self, row: Message) -> uuid.UUID | None:
        return row.patient_id if row.is_ours else None  # type: ignore[attr-defined]

    @display(description="Message", ordering="template")
    def told(self, row: Message) -> str:
        return row.template.replace("_", " ").capitalize()

    @display(description="State", ordering="status")
    def state(self, row: Message) -> str:
        return row.get_status_display()

    @display(description="Patient")
    def to_whom(self, row: Message) -> str:
        return row.patient.name if row.patient and row.is_ours else ""  # type: ignore[attr-defined]

    def message(self, request: HttpRequest, message_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        row = self.get_queryset(request).filter(pk=message_id).select_related("patient", "user").first()
        if row is None:
            raise Http404
        is_ours, zone = row.is_ours, clock.zone_of(work.of(request))
        context = {
            "title": self.told(row),
            "message": row,
            "due": clock.when(row.due_at, zone),
            "sent": clock.when(row.sent_at, zone) if row.sent_at else "",
            "tone": TONES.get(row.status, ""),
            "is_ours": is_ours,
            "written": as_read(row) if is_ours else None,
            "may_retry": row.status == "failed" and row.withdrawn_at is None and row.cleared_at is None,
            "refused": refused,
        }
        shown = [row.patient_id] if is_ours else []
        return self.page(request, "clinics/admin/message.html", context, patients=shown, status=422 if refused else 200)

    def retry(self, request: HttpRequest, message_id: uuid.UUID) -> HttpResponse:
        row = self.get_queryset(request).filter(pk=message_id).first()
        user = work.of(request).user
        if row is None or user is None or request.method != "POST":
            raise Http404
        now = timezone.now()

        def again() -> Done:
            messages.retry(row, user, now)
            return Done("The message is sent again.", to=reverse("admin:clinics_message_change", args=[row.pk]))

        answer = doing.once(request, again)
        return answer if isinstance(answer, HttpResponse) else self.message(request, message_id, refused=answer.detail)


def as_read(message: Message) -> rendering.Written | None:
    """A message as its recipient reads it, but for the links; None where that was deleted, or cannot be written."""
    if message.cleared_at is not None:
        return None
    try:
        written = rendering.write(
            template=message.template,
            channel=message.channel,
            language=message.language or (message.patient.language if message.patient else "en"),
            context=message.context,
        )
    except rendering.NoTemplate:
        return None
    body = written.body
    for name, pk in message.context.get("links", {}).items():
        body = body.replace(links.address_of(name, uuid.UUID(pk)), LEFT_OUT)
    return rendering.Written(written.subject, body, written.language, written.brand)


@admin.register(InboundSms, site=site)
class InboundSmsAdmin(ScopedAdmin):
    """Texts from numbers that a patient of one's clinics has."""

    section, icon = "Messages", "sms"
    what = {"list": AccessEvent.What.MESSAGES}
    list_display = ("received_at", "phone", "from_whom", "body")
    ordering = ("-received_at", "-pk")
    list_display_links = None

    def get_urls(self) -> list[URLPattern]:
        return [path("", self.admin_site.admin_view(self.changelist_view), name="clinics_inboundsms_changelist")]

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - an override
        theirs = Patient.objects.filter(known_here(at, "pk"), phone=OuterRef("phone"))
        rows = InboundSms.objects.filter(received_at__gt=now - LISTED).filter(Exists(theirs))
        return rows.annotate(patients=ArraySubquery(theirs.order_by("birth_date", "pk").values("pk")))

    def shows(self, request: HttpRequest, patients: Iterable[Any], page: str) -> None:
        """Each text may be of several: a number that parent and child share."""
        super().shows(request, [patient for shared in patients for patient in shared or []], page)

    def patient_of(self, row: InboundSms) -> Any:
        return row.patients  # type: ignore[attr-defined]

    @display(description="From a number of")
    def from_whom(self, row: InboundSms) -> str:
        return row.whose  # type: ignore[attr-defined,no-any-return]

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        found = super().get_changelist_instance(request)
        ids = {patient for row in found.result_list for patient in row.patients}
        names = {patient.pk: patient.name for patient in Patient.objects.filter(pk__in=ids)}
        for row in found.result_list:
            row.whose = ", ".join(names.get(patient, "") for patient in row.patients)
        return found
