"""A visit's own page, and what a desk does there: arrivals, moving, cancelling. Each calls its use case."""

import uuid
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import doing
from clinics.admin.doing import Done
from clinics.models import Clinic, Clinician, Message, User
from clinics.refusals import Refused
from memberships.entitlement import MembershipRequired, PriceChanged
from scheduling import access, arrivals, booking, history
from scheduling.admin import picking
from scheduling.booking.cancelling import is_late
from scheduling.models import Appointment

Status = Appointment.Status
Source = Appointment.Source
PAGE = "admin:scheduling_appointment_change"
# What the buttons say, and what is said when it is done.
STEPS: dict[Appointment.Status, tuple[str, str]] = {
    Status.ARRIVED: ("Arrived", "Marked as arrived."),
    Status.CHECKED_IN: ("Checked in", "Marked as checked in."),
    Status.ROOMED: ("In a room", "Marked as in a room."),
    Status.COMPLETED: ("Completed", "Marked as completed."),
    Status.NO_SHOW: ("No show", "Marked as a no-show. The time is free again."),
}
MESSAGES = 20


class VisitPages:
    """The part of AppointmentAdmin that shows one visit and changes it."""

    def visit(self, request: HttpRequest, visit_id: uuid.UUID | str) -> Appointment:
        """The visit, as far as who is at work may see it. Raises Http404."""
        found: Appointment = self.get_object(request, str(visit_id))  # type: ignore[attr-defined]
        return found

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - an override
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        if not self.has_view_permission(request):  # type: ignore[attr-defined]
            raise PermissionDenied
        return self.visit_page(request, self.visit(request, object_id))

    def visit_page(self, request: HttpRequest, visit: Appointment, *, refused: Refused | None = None) -> HttpResponse:
        now = timezone.now()
        family = access.family(as_user(request), now=now)
        is_own = family.source(visit.patient_id) != Source.STAFF
        reads_reason = family.reads_reason(visit.patient_id)
        messages = Message.objects.filter(patient=visit.patient_id, about=f"appointment:{visit.pk}")
        context = {
            "title": f"{visit.patient.name}, {visit.local_start:%a %b %-d, %-I:%M %p}",
            "visit": visit,
            "status": visit.get_status_display().replace("_", " ").capitalize(),
            "ends": visit.ends_at.astimezone(visit.clinic.zone),
            "age": visit.patient.age_on(visit.local_start.date()),
            "confirmed_at": local(getattr(visit, "confirmed_at", None), visit.clinic),
            "reads_reason": reads_reason,
            "is_own": is_own,
            "steps": [] if is_own else [(to, STEPS[to][0]) for to in arrivals.possible(visit, now=now)],
            "can_undo": not is_own and arrivals.undoable(visit, now=now),
            "can_move": not is_own and visit.status == Status.BOOKED and visit.starts_at > now,
            "can_cancel": not is_own and can_cancel(visit, now=now),
            "changes": told(visit, reads_reason=reads_reason),
            "messages_sent": [
                {"message": message, "due": local(message.due_at, visit.clinic)}
                for message in messages.order_by("-due_at")[:MESSAGES]
            ],
            **problem(refused),
        }
        return self.page(  # type: ignore[attr-defined, no-any-return]
            request,
            "scheduling/admin/visit.html",
            context,
            patients=[visit.patient_id],
            status=refused.status if refused else 200,
        )

    # What is done there

    def act(self, request: HttpRequest, visit_id: uuid.UUID, work: Any) -> HttpResponse | tuple[Appointment, Refused]:
        """Do `work` with the visit, as staff; where it is refused, the visit and the refusal."""
        visit = self.visit(request, visit_id)
        user, now = as_user(request), timezone.now()

        def done() -> Done:
            if access.family(user, now=now).source(visit.patient_id) != Source.STAFF:
                raise access.OwnRecord
            access.require_staff_at(user, visit.clinic_id)  # who only looks at it in an emergency changes nothing
            said = work(visit, user, now)
            return Done(said, to=reverse(PAGE, args=[visit.pk]))

        answer = doing.once(request, done)
        return answer if isinstance(answer, HttpResponse) else (visit, answer)

    def status_view(self, request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
        """POST: the patient arrived, is checked in, in a room, done, or did not come."""
        require_post(request)
        to = request.POST.get("to")
        if to not in STEPS:
            raise Http404
        step = Status(to)

        def work(visit: Appointment, user: User, now: datetime) -> str:
            arrivals.advance(visit=visit, to=step, actor=user, now=now)
            return STEPS[step][1]

        return self.answered(request, self.act(request, visit_id, work))

    def undo_view(self, request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
        """POST: what was said last was a mistake."""
        require_post(request)
        said = request.POST.get("said")
        if said not in STEPS:
            raise Http404

        def work(visit: Appointment, user: User, now: datetime) -> str:
            arrivals.undo(visit=visit, said=Status(said), actor=user, now=now)
            return "Taken back."

        return self.answered(request, self.act(request, visit_id, work))

    def answered(self, request: HttpRequest, answer: HttpResponse | tuple[Appointment, Refused]) -> HttpResponse:
        if isinstance(answer, HttpResponse):
            return answer
        visit, refused = answer
        return self.visit_page(request, self.visit(request, visit.pk), refused=refused)

    def cancel_view(self, request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
        """What cancelling costs, and doing so."""
        refused = None
        if request.method == "POST":
            reason, waive = request.POST.get("reason", "").strip()[:500], request.POST.get("waive_fee") == "on"

            def work(visit: Appointment, user: User, now: datetime) -> str:
                cancelled = booking.cancel(
                    visit=visit, reason=reason, actor=user, source=Source.STAFF, waive_fee=waive, now=now
                )
                late = "Cancelled late, with a fee." if cancelled.is_late_cancellation else "Cancelled."
                return f"{late} The time is free again."

            answer = self.act(request, visit_id, work)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer[1]
        visit = self.visit(request, visit_id)
        policy = booking.policy_for(visit)
        late = policy is not None and is_late(visit, policy, now=timezone.now())
        context = {"title": "Cancel this visit", "visit": visit, "policy": policy, "is_late": late, **problem(refused)}
        return self.page(  # type: ignore[attr-defined, no-any-return]
            request,
            "scheduling/admin/cancel.html",
            context,
            patients=[visit.patient_id],
            name="cancel",
            status=refused.status if refused else 200,
        )

    def move_view(self, request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
        """Other times for a visit, and moving it to one."""
        refused = None
        if request.method == "POST":
            slot = picking.slot_asked_for(request)

            def work(visit: Appointment, user: User, now: datetime) -> str:
                access.require_staff_at(user, slot.clinic)
                booking.reschedule(
                    visit=visit,
                    slot=slot,
                    accept_price=picking.price_accepted(request),
                    actor=user,
                    source=Source.STAFF,
                    now=now,
                )
                return "Moved."

            answer = self.act(request, visit_id, work)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer[1]
        visit = self.visit(request, visit_id)
        wanted = picking.wanted(request, visit.patient, visit_type=visit.visit_type, clinic=visit.clinic)
        context = {
            "title": f"Move the visit of {visit.patient.name}",
            "visit": visit,
            "patient": visit.patient,
            "is_move": True,
            **wanted,
            **problem(refused),
        }
        return self.page(  # type: ignore[attr-defined, no-any-return]
            request,
            "scheduling/admin/pick.html",
            context,
            patients=[visit.patient_id],
            name="move",
            status=refused.status if refused else 200,
        )


def as_user(request: HttpRequest) -> User:
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def require_post(request: HttpRequest) -> None:
    if request.method != "POST":
        raise PermissionDenied


def can_cancel(visit: Appointment, *, now: datetime) -> bool:
    return visit.status in Appointment.LIVE and visit.status != Status.HELD and visit.ends_at > now


def local(at: datetime | None, clinic: Clinic) -> datetime | None:
    return at.astimezone(clinic.zone) if at else None


def problem(refused: Refused | None) -> dict[str, Any]:
    """A refusal as the pages show it: its sentence, other times as buttons, and a price to agree to."""
    if refused is None:
        return {}
    extra = refused.help()
    price = extra.get("price") if isinstance(refused, MembershipRequired | PriceChanged) else None
    others = [picking.offered(row) for row in extra.get("alternatives", [])]
    return {"refused": refused.detail, "alternatives": others, "agree_to": price}


def told(visit: Appointment, *, reads_reason: bool) -> list[dict[str, Any]]:
    """What happened to the visit, the newest first, in words; for staff with who did it."""
    tell = history.teller(visit, reads_reason=reads_reason)
    rows = list(history.changes(visit).select_related("actor").order_by("-id")[:100])
    moves = [row.moved_from for row in rows if row.moved_from]
    clinics = dict(Clinic.objects.filter(pk__in={move["clinic"] for move in moves}).values_list("pk", "name"))
    clinicians = {one.pk: one.name for one in Clinician.objects.filter(pk__in={move["clinician"] for move in moves})}
    shown = []
    for row in rows:
        by = tell(row)["by"]
        was = row.moved_from
        shown.append(
            {
                "at": local(row.at, visit.clinic),
                "what": "Moved" if was else str(Status(row.to_status).label).replace("_", " ").capitalize(),
                "by": row.actor.email if by == "staff" and row.actor else by,
                "reason": tell(row)["reason"],
                "was": {
                    "start": datetime.fromisoformat(was["start"]),
                    "clinic": clinics.get(uuid.UUID(was["clinic"]), ""),
                    "clinician": clinicians.get(uuid.UUID(was["clinician"]), ""),
                }
                if was
                else None,
            }
        )
    return shown
