"""Clinicians, and what allows them to see patients: licences and credentials, a row per period."""

from datetime import date, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin import SimpleListFilter, display
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from clinics.admin.places import HouseAdmin
from clinics.admin.site import site
from clinics.admin.staff_periods import PeriodForm, Periods
from clinics.admin.work import Work
from clinics.models import Calendar, Clinic, Clinician, Credential, Licence

SOON = timedelta(days=60)


class Expiring(SimpleListFilter):
    """Those that end within SOON, and have nothing to follow them."""

    title = "expiry"
    parameter_name = "expires"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - an override
        return [("soon", f"within {SOON.days} days"), ("over", "expired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:  # noqa: ARG002 - an override
        today = timezone.now().date()
        if self.value() == "soon":
            return queryset.filter(during__endswith__gt=today, during__endswith__lte=today + SOON, is_followed=False)
        if self.value() == "over":
            return queryset.filter(during__endswith__lte=today)
        return queryset


class PermitAdmin(Periods, HouseAdmin):
    """What holds for a period, with what is wrong about it."""

    section, icon = "Places", "verified"
    list_filter = (Expiring,)
    ordering = ("clinician__family_name", "clinician__given_name", "-during", "pk")
    list_select_related: ClassVar[tuple[str, ...]] = ("clinician",)
    form = PeriodForm
    same = ""  # what two rows have in common besides the clinician, if they stand for the same permit

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:
        rows = self.model.objects.all()
        if not at.is_operator:
            rows = rows.filter(clinician__in=clinicians_of(clinics))
        others = self.model.objects.filter(clinician=OuterRef("clinician"), **{self.same: OuterRef(self.same)})
        others = others.exclude(pk=OuterRef("pk"))
        return rows.annotate(  # type: ignore[no-any-return]
            overlaps=Exists(others.filter(during__overlap=OuterRef("during"))),
            is_followed=Exists(
                others.filter(Q(during__upper_inf=True) | Q(during__endswith__gt=OuterRef("during__endswith")))
            ),
        )

    @display(description="State of things")
    def standing(self, row: Any) -> str:
        return standing(row, today=timezone.now().date())

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == Expiring.parameter_name or super().lookup_allowed(lookup, value, request)


def standing(row: Any, *, today: date) -> str:
    """What somebody should know of a permit that has `overlaps` and `is_followed`."""
    said = []
    until = row.during.upper
    if until is not None and until <= today:
        said.append("expired")
    elif row.during.lower is not None and row.during.lower > today:
        said.append("not yet in force")
    elif until is not None and until <= today + SOON and not row.is_followed:
        said.append(f"expires in {(until - today).days} days")
    else:
        said.append("in force")
    if row.overlaps:
        said.append("overlaps another row")
    return ", ".join(said)


def clinicians_of(clinics: QuerySet[Clinic]) -> QuerySet[Any, Any]:
    """The ids of clinicians whom a health system of these clinics let, lets or will let see patients."""
    return Credential.objects.filter(health_system__in=clinics.values("health_system")).values("clinician")


@admin.register(Licence, site=site)
class LicenceAdmin(PermitAdmin):
    list_display = ("clinician", "state", "number", "since", "until", "standing")
    search_fields = ("clinician__family_name", "clinician__given_name", "number")
    fields = ("clinician", "state", "number", "first_day", "first_day_after")
    autocomplete_fields = ("clinician",)
    same = "state"
    fixed = ("clinician", "state")


@admin.register(Credential, site=site)
class CredentialAdmin(PermitAdmin):
    list_display = ("clinician", "health_system", "since", "until", "standing")
    list_select_related = ("clinician", "health_system")
    search_fields = ("clinician__family_name", "clinician__given_name")
    fields = ("clinician", "health_system", "first_day", "first_day_after")
    autocomplete_fields = ("clinician",)
    same = "health_system"
    fixed = ("clinician", "health_system")

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:
        rows = super().in_house(at, clinics)
        return rows if at.is_operator else rows.filter(health_system__in=clinics.values("health_system"))


class ClinicianForm(forms.ModelForm):  # type: ignore[type-arg]
    languages = forms.CharField(max_length=60, help_text="BCP 47 codes, apart by commas: en, es.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.languages:
            self.initial["languages"] = ", ".join(self.instance.languages)

    def clean_languages(self) -> list[str]:
        found = [code.strip() for code in self.cleaned_data["languages"].split(",") if code.strip()]
        if not all(code.replace("-", "").isalnum() and code.isascii() and 2 <= len(code) <= 12 for code in found):
            raise forms.ValidationError("Give BCP 47 codes, such as en, es.")
        return found


@admin.register(Clinician, site=site)
class ClinicianAdmin(HouseAdmin):
    section, icon = "Places", "stethoscope"
    list_display = ("name", "npi", "languages", "licensed_in")
    search_fields = ("family_name", "given_name", "npi")
    ordering = ("family_name", "given_name", "pk")
    fields = ("given_name", "family_name", "credentials", "npi", "languages", "gender")
    fixed = ("npi",)
    form = ClinicianForm

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:
        rows = Clinician.objects.prefetch_related("licences")
        return rows if at.is_operator else rows.filter(pk__in=clinicians_of(clinics))

    @display(description="Licensed in")
    def licensed_in(self, row: Clinician) -> str:
        today = timezone.now().date()
        live = [
            licence.state
            for licence in row.licences.all()
            if (licence.during.lower is None or licence.during.lower <= today)
            and (licence.during.upper is None or licence.during.upper > today)
        ]
        return ", ".join(sorted(set(live))) or "nowhere"

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if isinstance(obj, Clinician) and not change:
            obj.calendar = Calendar.objects.create(kind=Calendar.Kind.CLINICIAN)
            obj.save(force_insert=True)
        else:
            super().save_model(request, obj, form, change)
