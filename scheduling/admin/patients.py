"""Patients, as those who care for them see them: who they are, how to reach them, what they had and will have."""

import uuid
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from clinics import own_accounts, people
from clinics.admin import doing, searching, work
from clinics.admin.doing import Done
from clinics.admin.scoped import ScopedAdmin
from clinics.admin.site import site
from clinics.admin.work import Work
from clinics.models import Patient, Proxy, Registration, User
from clinics.refusals import Refused
from memberships.models import Membership
from scheduling import access
from scheduling.admin.visit import as_user, problem
from scheduling.models import Appointment

MOST = 20
PAGE = "admin:clinics_patient_change"


class ContactForm(forms.Form):
    """How to reach a patient."""

    preferred_name = forms.CharField(max_length=60, required=False)
    phone = forms.CharField(max_length=30, required=False)
    email = forms.EmailField(required=False, label="E-mail")
    street = forms.CharField(max_length=120, required=False)
    city = forms.CharField(max_length=60, required=False)
    state = forms.RegexField(r"^[A-Za-z]{2}$", required=False, max_length=2)
    postal_code = forms.CharField(max_length=10, required=False)
    time_zone = forms.CharField(max_length=40, help_text="Such as America/New_York.")
    language = forms.RegexField(r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})?$", max_length=12, help_text="Such as en or es.")

    def clean_phone(self) -> str:
        text = self.cleaned_data["phone"].strip()
        number = searching.phone(text) if text else ""
        if number is None:
            raise forms.ValidationError("Give a phone number with its area code.")
        return number

    def clean_state(self) -> str:
        return str(self.cleaned_data["state"]).upper()

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"])
        if name not in available_timezones():
            raise forms.ValidationError("Give an IANA time zone, such as America/New_York.")
        return name


class IdentityForm(forms.Form):
    """Who a patient is, as a document says."""

    given_name = forms.CharField(max_length=60, label="Legal first name")
    family_name = forms.CharField(max_length=60, label="Legal last name")
    birth_date = forms.CharField(max_length=10, help_text="As in 5/17/1990.")
    reason = forms.CharField(max_length=200, label="Why", help_text="What you saw, for example a driver's licence.")

    def clean_birth_date(self) -> Any:
        day = searching.birth_date(self.cleaned_data["birth_date"].strip())
        if day is None:
            raise forms.ValidationError("Give a date as in 5/17/1990.")
        return day


class AccountForm(forms.Form):
    """Inviting a teenager to an account of their own."""

    email = forms.EmailField(label="Their own e-mail", help_text="One that nobody who acts for them reads.")


@admin.register(Patient, site=site)
class PatientAdmin(ScopedAdmin):
    section, icon = "Front desk", "person"
    list_display = ("name", "birth_date", "phone", "email", "city")
    list_display_links = ("name",)
    search_fields = ("name",)
    search_help_text = "Name, birth date or phone"
    ordering = ("family_name", "given_name", "pk")
    sortable_by = ()

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:
        """Those registered where they work, but for themself and those they act for: that is for their own account."""
        here = Registration.objects.filter(patient=OuterRef("pk"), clinic__in=at.at(*self.roles))
        own = Patient.objects.acted_for_by(user, on=people.today_of(user, now=now))
        return super().scoped(at, user=user, now=now).filter(Exists(here)).exclude(pk__in=own.values("pk"))

    def patient_of(self, row: Patient) -> uuid.UUID:
        return row.calendar_id

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - an override
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        return (searching.patients(queryset, search_term) if search_term.strip() else queryset), False

    def get_urls(self) -> list[URLPattern]:
        to = self.admin_site.admin_view
        return [
            path("<uuid:patient_id>/contact/", to(self.contact_view), name="clinics_patient_contact"),
            path("<uuid:patient_id>/identity/", to(self.identity_view), name="clinics_patient_identity"),
            path("<uuid:patient_id>/account/", to(self.account_view), name="clinics_patient_account"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - an override
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Who they are and what they had here: visits at other clinics are not for this desk."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        patient: Patient = self.get_object(request, object_id)
        now, clinics = timezone.now(), work.of(request).clinics
        today = patient.today(now=now)
        visits = Appointment.objects.filter(patient=patient, clinic__in=clinics, booked_at__isnull=False)
        visits = visits.select_related("clinic", "clinician", "visit_type")
        context = {
            "title": patient.name,
            "patient": patient,
            "age": patient.age_on(today),
            "may_have_account": patient.user_id is None and patient.age_on(today) < people.OF_AGE,
            "invitations": own_accounts.open_ones(patient, now=now),
            "proxies": Proxy.objects.active(on=today).filter(patient=patient).select_related("user__patient")[:MOST],
            "coverages": patient.coverages.order_by("-during")[:MOST],
            "memberships": Membership.objects.filter(patient=patient).select_related("plan").order_by("-during")[:MOST],
            "registrations": patient.registrations.filter(clinic__in=clinics).select_related("clinic"),
            "upcoming": visits.upcoming(now=now).order_by("starts_at", "pk")[:MOST],
            "past": visits.past(now=now).order_by("-starts_at", "-pk")[:MOST],
            "corrections": patient.corrections.select_related("actor").order_by("-id")[:MOST],
            "most": MOST,
        }
        return self.page(request, "scheduling/admin/patient.html", context, patients=[patient.pk])

    def contact_view(self, request: HttpRequest, patient_id: uuid.UUID) -> HttpResponse:
        """Changing how to reach a patient."""
        patient: Patient = self.get_object(request, str(patient_id))
        form = ContactForm(
            request.POST or None, initial={name: getattr(patient, name) for name in ContactForm.base_fields}
        )
        if patient.user_id is not None:
            del form.fields["email"]

        def change(user: User, now: datetime) -> None:  # noqa: ARG001 - as for identity
            people.change_contact(patient=patient, changes=form.cleaned_data)

        return self.form_page(request, patient, form, change, title="How to reach", name="contact")

    def identity_view(self, request: HttpRequest, patient_id: uuid.UUID) -> HttpResponse:
        """Putting right who a patient is, with a reason."""
        patient: Patient = self.get_object(request, str(patient_id))
        begin = {"given_name": patient.given_name, "family_name": patient.family_name}
        form = IdentityForm(request.POST or None, initial={**begin, "birth_date": patient.birth_date.isoformat()})

        def change(user: User, now: datetime) -> None:
            asked = dict(form.cleaned_data)
            people.correct_identity(
                patient=patient,
                reason=asked.pop("reason"),
                changes=asked,
                actor=user,
                today=patient.today(now=now),
                now=now,
            )

        return self.form_page(request, patient, form, change, title="Correct who this is:", name="identity")

    def account_view(self, request: HttpRequest, patient_id: uuid.UUID) -> HttpResponse:
        """Inviting a teenager to an account of their own: the patient's page has the code to pass on."""
        patient: Patient = self.get_object(request, str(patient_id))
        form = AccountForm(request.POST or None)

        def change(user: User, now: datetime) -> None:
            own_accounts.invite(patient=patient, email=form.cleaned_data["email"], invited_by=user, now=now)

        return self.form_page(request, patient, form, change, title="An account for", name="account")

    def form_page(
        self, request: HttpRequest, patient: Patient, form: forms.Form, change: Any, *, title: str, name: str
    ) -> HttpResponse:
        """A form about a patient, and what comes of it."""
        if not self.has_view_permission(request):
            raise Http404
        refused: Refused | None = None
        if request.method == "POST" and form.is_valid():
            user, now = as_user(request), timezone.now()

            def done() -> Done:
                if Patient.objects.acted_for_by(user, on=people.today_of(user, now=now)).filter(pk=patient.pk).exists():
                    raise access.OwnRecord
                change(user, now)
                return Done("Changed.", to=reverse(PAGE, args=[patient.pk]))

            answer = doing.once(request, done)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer
        context = {"title": f"{title} {patient.name}", "form": form, "patient": patient, **problem(refused)}
        return self.page(
            request,
            "scheduling/admin/patient_form.html",
            context,
            patients=[patient.pk],
            name=name,
            status=refused.status if refused else 400 if form.errors else 200,
        )
