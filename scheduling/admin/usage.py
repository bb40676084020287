"""How much an employer's people use what it pays for: totals, for operators and the employer's benefit staff."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinics import people
from clinics.admin.places import Pages
from clinics.admin.site import site
from clinics.admin.work import Work
from clinics.refusals import Refused
from memberships.admin import employers
from scheduling import usage
from scheduling.models import UsageReport


@admin.register(UsageReport, site=site)
class UsageAdmin(Pages):
    def opens_to(self, at: Work) -> bool:
        return at.serves_employers

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [("<uuid:employer_id>/", "changelist", self.totals)]

    def totals(self, request: HttpRequest, employer_id: uuid.UUID) -> HttpResponse:
        """Whoever asks for a period first has its numbers stored: they stay as they were told."""
        at, now = self.seen(request), timezone.now()
        employer = employers.served_one(at, employer_id)
        period, told, refused = request.GET.get("period", "").strip()[:10], None, ""
        if period:
            today = people.today_at_home(now)
            try:
                told = usage.report(employer=employer, period=period, actor=at.user, today=today, now=now)
            except Refused as refusal:
                refused = refusal.detail
        context = {
            "title": f"Use by the people of {employer.name}",
            "employer": employer,
            "period": period,
            "told": told,
            "last": told.after - timedelta(days=1) if told else None,
            "fewest": usage.FEWEST,
            "refused": refused,
        }
        return self.page(request, "scheduling/admin/usage.html", context, status=422 if refused else 200)
