"""Patients, as those who care for them see them."""

import uuid
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet

from clinics.admin.scoped import ScopedAdmin
from clinics.admin.site import site
from clinics.admin.work import Work
from clinics.models import Patient, Registration, User


@admin.register(Patient, site=site)
class PatientAdmin(ScopedAdmin):
    section, icon = "Front desk", "person"
    list_display = ("name", "birth_date", "phone", "email")
    ordering = ("family_name", "given_name", "pk")

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:
        here = Registration.objects.filter(patient=OuterRef("pk"), clinic__in=at.at(*self.roles))
        return super().scoped(at, user=user, now=now).filter(Exists(here))

    def patient_of(self, row: Patient) -> uuid.UUID:
        return row.calendar_id
