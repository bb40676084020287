"""What people were told of their wait, against what it was: a drawing for each modality."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.safestring import mark_safe

from clinics.admin.places import Pages
from clinics.admin.site import Link, site
from virtualcare.admin.planning import PLANS
from virtualcare.models import Modality, WaitModel
from virtualcare.waits import calibrating, chart, telling

DAYS = timedelta(days=28)


@admin.register(WaitModel, site=site)
class WaitAdmin(Pages):
    """Totals of days: nothing here is about anybody."""

    roles = PLANS

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [("", "changelist", self.waits)]

    def waits(self, request: HttpRequest) -> HttpResponse:
        self.seen(request)
        now = timezone.now()
        until = now.date() + timedelta(days=1)
        kept = calibrating.kept_promises(first=until - DAYS, until=until)
        factors = telling.factors(now=now)
        parts = []
        for modality, name in Modality.choices:
            days = kept.get(modality, [])
            drawing = chart.days(days, title=f"{name}: promise against actual", goal=calibrating.GOAL)
            parts.append(
                {
                    "name": name,
                    "days": days,
                    "all": calibrating.together(days),
                    # Made here of numbers and days alone.
                    "drawing": mark_safe(drawing),  # noqa: S308
                    "factors": factors[modality],
                    "service": factors[modality].mean_service / 60,
                }
            )
        context = {
            "title": "Waits",
            "parts": parts,
            "goal": [round(share * 100) for share in calibrating.GOAL],
            "days": DAYS.days,
        }
        return self.page(request, "virtualcare/admin/waits.html", context, name="waits")


site.links.append(  # type: ignore[attr-defined]
    Link(
        "Virtual care",
        "Waits",
        "hourglass_top",
        "admin:virtualcare_waitmodel_changelist",
        lambda at: at.is_operator or bool(at.at(*PLANS)),
    )
)
