"""Refunds in the admin: what waits for a second person first, deciding, and saying that it was paid back by hand."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock, doing
from clinics.admin.doing import Done
from clinics.admin.site import Asking, Site, site
from clinics.admin.work import Role, Work
from clinics.models import User
from clinics.refusals import Refused
from memberships import refunding
from memberships.admin.billed import MoneyPages, billed, instant, names, patients_of, who, why_not
from memberships.models import Refund

A_PAGE = 50
Status = Refund.Status
LIST = "admin:memberships_refund_changelist"
TONES = {"proposed": "warn", "pending": "", "succeeded": "good", "failed": "bad", "rejected": "bad"}
BY_HAND = Q(status=Status.PENDING, charge__provider="manual")
# What asks for somebody before what is done.
WAITING_FIRST = Case(
    When(status=Status.PROPOSED, then=Value(2)),
    When(BY_HAND, then=Value(1)),
    default=Value(0),
    output_field=IntegerField(),
)
TO_DECIDE, TO_PAY = "decide", "by_hand"
STATES = {
    TO_DECIDE: "Waiting for your decision",
    TO_PAY: "To be paid back by hand",
    **{value: label for value, label in Status.choices},  # noqa: C416 - lazy labels
}
SAY_WHY = "Say why."
SAY_HOW = "Say how it was paid back: the number of a check, a transfer."


@dataclass(frozen=True, slots=True)
class Row:
    """A refund as the pages show it."""

    refund: Refund
    whose: str
    asked: str
    settled: str
    tone: str
    is_by_hand: bool


@admin.register(Refund, site=site)
class RefundAdmin(MoneyPages):
    section, icon = "Payments", "currency_exchange"

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.refunds),
            ("<uuid:object_id>/change/", "change", self.refund),
            ("<uuid:object_id>/history/", "history", self.history),
            ("<uuid:object_id>/approve/", "approve", self.approve),
            ("<uuid:object_id>/reject/", "reject", self.reject),
            ("<uuid:object_id>/paid-back/", "paid_back", self.paid_back),
        ]

    def called(self, row: Refund) -> str:
        return f"Refund of {row.charge.invoice}"

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - an override
        rows = managed(at, now=now).select_related("charge__invoice__payer", "charge__method", "asked_by", "decided_by")
        return rows.annotate(patients=patients_of(at, "charge__invoice"))

    def refunds(self, request: HttpRequest) -> HttpResponse:
        at = self.seen(request)
        state = request.GET.get("state", "")
        found = self.get_queryset(request).filter(in_state(state, at))
        page = Paginator(found.order_by(WAITING_FIRST.desc(), "-id"), A_PAGE).get_page(request.GET.get("page"))
        rows = list(page.object_list)
        context = {
            "title": "Refunds",
            "rows": shown(rows, at),
            "page": page,
            "state": state if state in STATES else "",
            "states": STATES.items(),
        }
        seen = [row.patients for row in rows]
        return self.page(request, "memberships/admin/refunds.html", context, patients=seen, name="list")

    def refund(self, request: HttpRequest, object_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        found, at = self.one(request, object_id), self.seen(request)
        [row] = shown([found], at)
        waits = found.status == Status.PROPOSED
        context = {
            "title": self.called(found),
            "row": row,
            "left": refunding.left_of(found.charge, beside=found),
            "is_own": waits and found.asked_by_id == who(at).pk,
            "may_decide": waits and found.asked_by_id != who(at).pk,
            "may_pay": row.is_by_hand and found.status == Status.PENDING,
            "refused": refused,
        }
        status = 422 if refused else 200
        return self.page(request, "memberships/admin/refund.html", context, patients=[found.patients], status=status)

    def approve(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        def do(actor: User, now: datetime) -> str:
            decided = refunding.approve(refund_id=object_id, actor=actor, now=now)
            is_by_hand = decided.charge.provider == "manual"
            return "You agreed. Pay it back, and say so here." if is_by_hand else "You agreed. It is on its way."

        return self.done(request, object_id, do)

    def reject(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        reason = request.POST.get("reason", "").replace("\0", "").strip()

        def do(actor: User, now: datetime) -> str:
            refunding.reject(refund_id=object_id, reason=reason, actor=actor, now=now)
            return "The refund is rejected: nothing is paid back."

        return self.done(request, object_id, do, missing="" if reason else SAY_WHY)

    def paid_back(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        reference = request.POST.get("reference", "").replace("\0", "").strip()

        def do(actor: User, now: datetime) -> str:  # noqa: ARG001 - as the others
            refunding.paid_back_by_hand(refund_id=object_id, reference=reference, now=now)
            return "It is booked as paid back, and the payer is told."

        return self.done(request, object_id, do, missing="" if reference else SAY_HOW)

    def done(
        self, request: HttpRequest, object_id: uuid.UUID, do: Callable[[User, datetime], str], *, missing: str = ""
    ) -> HttpResponse:
        """What a button does about a refund: once, or the refusal, shown on its page."""
        self.one(request, object_id)
        actor, now = who(self.seen(request)), timezone.now()
        if request.method != "POST":
            raise Http404
        answer = (
            Refused(missing) if missing else doing.once(request, lambda: Done(do(actor, now), to=to_refund(object_id)))
        )
        if isinstance(answer, HttpResponse):
            return answer
        return self.refund(request, object_id, refused=why_not(answer))


def managed(at: Work, *, now: datetime) -> QuerySet[Refund]:
    """The refunds that who is at work may decide on, or somebody beside them."""
    return Refund.objects.filter(charge__invoice__in=billed(at, Role.MANAGER, now=now).values("pk"))


def in_state(state: str, at: Work) -> Q:
    if state == TO_DECIDE:
        return to_decide(at)
    if state == TO_PAY:
        return BY_HAND
    return Q(status=state) if state in Status.values else Q()


def to_decide(at: Work) -> Q:
    """What waits for a second person that who is at work can be."""
    return Q(status=Status.PROPOSED) & ~Q(asked_by=at.user)


def shown(refunds: Sequence[Any], at: Work) -> list[Row]:
    whose, zone = names(refunds), clock.zone_of(at)
    return [
        Row(
            refund,
            whose[refund.pk],
            instant(refund.created_at, zone),
            instant(refund.settled_at, zone),
            TONES[refund.status],
            refund.charge.provider == "manual",
        )
        for refund in refunds
    ]


def asking(at: Work, now: datetime) -> list[Asking]:
    """What asks for a manager on the first page."""
    if not at.at(Role.MANAGER):
        return []
    waiting, to_pay = (managed(at, now=now).filter(which).count() for which in (to_decide(at), BY_HAND))
    address = reverse(LIST)
    return [
        Asking(waiting, "refund", "waiting for a second person", f"{address}?state={TO_DECIDE}"),
        Asking(to_pay, "refund", "to be paid back by hand", f"{address}?state={TO_PAY}"),
    ]


def to_refund(refund_id: uuid.UUID) -> str:
    return reverse("admin:memberships_refund_change", args=[refund_id])


cast(Site, site).asking.append(asking)
