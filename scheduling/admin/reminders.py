"""Reminders of visits, planned and done."""

import uuid
from datetime import datetime, timedelta, tzinfo
from typing import Any

from django.contrib import admin
from django.contrib.admin import display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from clinics.admin.scoped import ScopedAdmin
from clinics.admin.site import site
from clinics.admin.work import Work
from clinics.audit import AccessEvent
from clinics.models import User
from scheduling.models import Reminder

LISTED = timedelta(days=60)


@admin.register(Reminder, site=site)
class ReminderAdmin(ScopedAdmin):
    """Those of visits at one's clinics; `?appointment=<id>` lists one visit's. What was sent stands in the messages."""

    section, icon = "Messages", "alarm"
    what = {"list": AccessEvent.What.VISITS}
    list_display = ("due_at", "kind", "status", "patient", "visit", "clinic", "settled_at")
    list_filter = ("status", "kind")
    list_select_related = ("appointment__patient", "appointment__clinic")
    list_display_links = None
    search_fields = ("appointment__patient__given_name", "appointment__patient__family_name")
    search_help_text = "Part of a patient's name"
    ordering = ("due_at", "pk")

    def get_urls(self) -> list[URLPattern]:
        return [path("", self.admin_site.admin_view(self.changelist_view), name="scheduling_reminder_changelist")]

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return Reminder.objects.filter(due_at__gt=now - LISTED, appointment__clinic__in=list(at.clinics))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "appointment" or super().lookup_allowed(lookup, value, request)

    def patient_of(self, row: Reminder) -> uuid.UUID | None:
        patient: uuid.UUID = row.appointment.patient_id
        return patient

    def zone_of(self, at: Work, row: Reminder) -> tzinfo:  # noqa: ARG002 - an override
        zone: tzinfo = row.appointment.clinic.zone
        return zone

    @display(description="Patient")
    def patient(self, row: Reminder) -> str:
        return row.appointment.patient.name

    @display(description="Visit")
    def visit(self, row: Reminder) -> str:
        return f"{row.appointment.local_start:%a, %b %d, %H:%M}"

    @display(description="Clinic")
    def clinic(self, row: Reminder) -> str:
        return row.appointment.clinic.name
