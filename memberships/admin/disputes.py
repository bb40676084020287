"""Disputes in the admin: what a payer's bank took back or asks about, and until when it is to be answered.

They are answered at the payment provider, who tells us how they end (memberships.disputing): here they are read.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock
from clinics.admin.site import Asking, Site, site
from clinics.admin.work import Role, Work
from clinics.models import User
from memberships.admin.billed import MoneyPages, billed, instant, names, patients_of
from memberships.models import Dispute

A_PAGE = 50
SOON = timedelta(days=3)
Stage = Dispute.Stage
OPEN = (Stage.INQUIRY, Stage.OPEN)
IS_OPEN = ExpressionWrapper(Q(stage__in=OPEN), BooleanField())
TONES = {"inquiry": "warn", "open": "bad", "won": "good", "lost": "bad", "closed": "good"}
SAID = {"inquiry": "Asked about", "open": "Taken back", "won": "Won", "lost": "Lost", "closed": "Closed"}
STATES = {"open": "To be answered", "over": "Over"}


@dataclass(frozen=True, slots=True)
class Row:
    """A dispute as the pages show it."""

    dispute: Dispute
    whose: str
    opened: str
    answer_by: str
    is_open: bool
    is_soon: bool
    tone: str

    @property
    def said(self) -> str:
        """Its stage in a word or two."""
        return SAID[self.dispute.stage]

    @property
    def reason(self) -> str:
        return self.dispute.reason.replace("_", " ")


@admin.register(Dispute, site=site)
class DisputeAdmin(MoneyPages):
    section, icon = "Payments", "gavel"

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.disputes),
            ("<uuid:object_id>/change/", "change", self.dispute),
            ("<uuid:object_id>/history/", "history", self.history),
        ]

    def called(self, row: Dispute) -> str:
        return f"Dispute of {row.charge.invoice}"

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - an override
        rows = managed(at, now=now).select_related("charge__invoice__payer", "charge__method")
        return rows.annotate(patients=patients_of(at, "charge__invoice"), is_open=IS_OPEN)

    def disputes(self, request: HttpRequest) -> HttpResponse:
        """Those that are to be answered first, in the order of their days."""
        at, state = self.seen(request), request.GET.get("state", "")
        found = self.get_queryset(request)
        if state in STATES:
            found = found.filter(is_open=state == "open")
        ordered = found.order_by("-is_open", F("answer_by").asc(nulls_last=True), "-id")
        page = Paginator(ordered, A_PAGE).get_page(request.GET.get("page"))
        rows = list(page.object_list)
        context = {
            "title": "Disputes",
            "rows": shown(rows, at, now=timezone.now()),
            "page": page,
            "state": state if state in STATES else "",
            "states": STATES.items(),
        }
        seen = [row.patients for row in rows]
        return self.page(request, "memberships/admin/disputes.html", context, patients=seen, name="list")

    def dispute(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        found = self.one(request, object_id)
        [row] = shown([found], self.seen(request), now=timezone.now())
        context = {
            "title": self.called(found),
            "row": row,
            "patient": next(iter(found.patients), None),
        }
        return self.page(request, "memberships/admin/dispute.html", context, patients=[found.patients])


def managed(at: Work, *, now: datetime) -> QuerySet[Dispute]:
    return Dispute.objects.filter(charge__invoice__in=billed(at, Role.MANAGER, now=now).values("pk"))


def shown(disputes: Sequence[Any], at: Work, *, now: datetime) -> list[Row]:
    whose, zone = names(disputes), clock.zone_of(at)
    return [
        Row(
            dispute,
            whose[dispute.pk],
            instant(dispute.created_at, zone),
            instant(dispute.answer_by, zone),
            dispute.is_open,
            dispute.is_open and dispute.answer_by is not None and dispute.answer_by <= now + SOON,
            TONES[dispute.stage],
        )
        for dispute in disputes
    ]


def asking(at: Work, now: datetime) -> list[Asking]:
    """What asks for a manager on the first page."""
    if not at.at(Role.MANAGER):
        return []
    count = managed(at, now=now).filter(stage__in=OPEN).count()
    address = reverse("admin:memberships_dispute_changelist")
    return [Asking(count, "dispute", "to be answered at the payment provider", f"{address}?state=open")]


cast(Site, site).asking.append(asking)
