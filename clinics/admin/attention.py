"""What asks for somebody on the first page: messages that failed or are late, and records opened in an emergency."""

from datetime import datetime
from typing import Any, cast

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from clinics.admin import break_glass, messages
from clinics.admin.site import Asking, Panel, Site, site
from clinics.admin.work import Role, Work
from clinics.models import BreakGlass

FAILED = "failed in the last seven days"


def panel(_request: HttpRequest, at: Work) -> dict[str, Any]:
    """Counts of what is there, each with the list that shows just these; as many statements however many clinics."""
    now = timezone.now()
    to_messages = reverse("admin:clinics_message_changelist")
    counts = messages_counted(at, now)
    found = [
        Asking(counts["failed"], "message", FAILED, f"{to_messages}?status__exact=failed&due=week"),
        Asking(counts["late"], "message", "late, and not sent yet", f"{to_messages}?due=late"),
        Asking(
            opened(at), "record", "open in an emergency", f"{reverse('admin:clinics_breakglass_changelist')}?state=open"
        ),
        *(one for asking in cast(Site, site).asking for one in asking(at, now)),
    ]
    return {"found": [one for one in found if one.number]}


def messages_counted(at: Work, now: datetime) -> dict[str, int]:
    failed, late = Q(status="failed") & messages.in_the_last_week(now), messages.is_late(now)
    rows = messages.listed(at, now=now).filter(failed | late)
    return rows.aggregate(failed=Count("pk", filter=failed), late=Count("pk", filter=late))


def opened(at: Work) -> int:
    """How many accesses are open that are theirs to oversee."""
    if not (at.is_operator or at.at(Role.MANAGER)):
        return 0
    holding = BreakGlass.objects.open().values("pk")
    return break_glass.overseen(at).filter(pk__in=holding).count()


cast(Site, site).panels.append(Panel("clinics/admin/attention.html", panel))
