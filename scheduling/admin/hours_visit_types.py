"""Types of visits, and until when cancelling one is free."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet

from clinics.admin.places import HouseAdmin
from clinics.admin.site import site
from clinics.admin.staff_periods import PeriodForm, Periods
from clinics.admin.work import Work
from clinics.models import Clinic
from scheduling.models import CancellationPolicy, VisitType


@admin.register(VisitType, site=site)
class VisitTypeAdmin(HouseAdmin):
    """Who may have a visit is changed here; how long it takes is not: booked visits were made by it."""

    section, icon = "Places", "medical_services"
    list_display = ("name", "code", "duration", "turnover", "room_kind", "patients", "booked_by", "is_offered")
    list_filter = ("is_offered", "patients")
    search_fields = ("name", "code")
    ordering = ("code",)
    fields = (
        "name", "code", "duration", "turnover", "step", "room_kind", "min_age", "max_age", "patients", "booked_by",
        "earliest_notice", "latest_notice", "overbook_lanes", "is_offered",
    )  # fmt: skip
    fixed = ("code", "duration", "turnover", "step", "room_kind")
    is_added = False

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return VisitType.objects.all()


@admin.register(CancellationPolicy, site=site)
class CancellationPolicyAdmin(Periods, HouseAdmin):
    """A row is never changed: the policy of the day on which a visit was booked applies to it. A new rule is a row."""

    section, icon = "Places", "policy"
    list_display = ("health_system", "free_until_hours_before", "fee_code", "no_show_fee_code", "since", "until")
    list_select_related = ("health_system",)
    ordering = ("health_system__name", "-during", "pk")
    fields = (
        "health_system",
        "free_until_hours_before",
        "fee_code",
        "no_show_fee_code",
        "first_day",
        "first_day_after",
    )
    form = PeriodForm
    is_changed = False

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:
        everything = CancellationPolicy.objects.all()
        if at.is_operator:
            return everything
        return everything.filter(Q(health_system__isnull=True) | Q(health_system__in=clinics.values("health_system")))
