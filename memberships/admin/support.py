"""Why somebody is a member or not, what they were billed, and what a clinic's people do about it."""

import uuid
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from clinics import people
from clinics.admin import doing, searching, work
from clinics.admin.doing import Done
from clinics.admin.scoped import ScopedAdmin
from clinics.admin.site import site
from clinics.admin.work import Role, Work
from clinics.audit import AccessEvent
from clinics.models import Patient, Registration, User
from clinics.refusals import Refused
from memberships import changing, complimentary, entitlement
from memberships.billing import settling
from memberships.models import Invoice, Membership, Subscription, VisitPrice

MOST = 20
PAGE = "admin:memberships_subscription_of"


class OwnMembership(Refused):
    code = "own_membership"
    status = 403
    detail = "Your own membership, and those of your family, somebody else looks after."


class WhyForm(forms.Form):
    """What is asked about, and for which day."""

    benefit = forms.CharField(max_length=40, help_text="The code of a type of visit, text or video.")
    on = forms.DateField(label="Day")

    def clean_benefit(self) -> Any:
        try:
            entitlement.require_benefit(self.cleaned_data["benefit"])
        except entitlement.UnknownBenefit as unknown:
            raise forms.ValidationError(unknown.detail) from unknown
        return self.cleaned_data["benefit"]


class GiveForm(forms.Form):
    first = forms.DateField(label="From")
    after = forms.DateField(label="Until, not included")
    reason = forms.CharField(max_length=200, label="Why")


class CreditForm(forms.Form):
    amount = forms.DecimalField(min_value=0, max_digits=7, decimal_places=2, label="Dollars")
    reason = forms.CharField(max_length=200, label="Why")


class StopForm(forms.Form):
    reason = forms.CharField(max_length=200, label="Why")
    at_once = forms.BooleanField(required=False, label="At once, with credit for unused days")


@admin.register(Subscription, site=site)
class SubscriptionAdmin(ScopedAdmin):
    """Memberships that people pay for, at the clinics where they are registered."""

    section, icon = "Front desk", "card_membership"
    what = {"list": AccessEvent.What.MEMBERSHIPS, "of": AccessEvent.What.MEMBERSHIPS}
    list_display = ("patient", "price", "status", "period_end")
    list_display_links = ("patient",)
    list_filter = ("status",)
    list_select_related = ("patient", "price__plan")
    search_fields = ("patient__family_name",)
    search_help_text = "Name, birth date or phone"
    ordering = ("-id",)
    sortable_by = ()

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:
        return Subscription.objects.filter(patient__in=patients(at, user, now=now).values("pk"))

    def patient_of(self, row: Subscription) -> uuid.UUID:
        return cast(uuid.UUID, row.patient_id)

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        search_term: str,
    ) -> tuple[QuerySet[Any], bool]:
        if not search_term.strip():
            return queryset, False
        at = work.of(request)
        found = searching.patients(patients(at, cast(User, request.user), now=timezone.now()), search_term)
        return queryset.filter(patient__in=found.values("pk")), False

    def get_urls(self) -> list[URLPattern]:
        to = self.admin_site.admin_view
        of = "of/<uuid:patient_id>/"
        return [
            path(of, to(self.of_view), name="memberships_subscription_of"),
            path(f"{of}give/", to(self.give_view), name="memberships_subscription_give"),
            path(f"{of}credit/<uuid:invoice_id>/", to(self.credit_view), name="memberships_subscription_credit"),
            path(f"{of}end/<uuid:subscription_id>/", to(self.end_view), name="memberships_subscription_end"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - an override
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        found: Subscription = self.get_object(request, object_id)
        return self.of_view(request, found.patient_id)

    def of_view(self, request: HttpRequest, patient_id: uuid.UUID) -> HttpResponse:
        """All of one patient's memberships, and why a day is covered or is not."""
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        patient = self.patient(request, patient_id)
        today = patient.today(now=timezone.now())
        asked = WhyForm(request.GET if "benefit" in request.GET else None, initial={"on": today})
        why = (
            entitlement.explained(patient=patient, benefit=asked.cleaned_data["benefit"], on=asked.cleaned_data["on"])
            if asked.is_bound and asked.is_valid()
            else None
        )
        paid = Subscription.objects.filter(patient=patient).select_related("price__plan").order_by("-id")
        context = {
            "title": f"Memberships of {patient.name}",
            "patient": patient,
            "asked": asked,
            "why": why,
            "benefits": sorted(set(VisitPrice.objects.values_list("benefit", flat=True)))[:MOST],
            "grants": Membership.objects.filter(patient=patient)
            .select_related("plan", "sponsor")
            .order_by("-during")[:MOST],
            "subscriptions": paid.prefetch_related("changes")[:MOST],
            "invoices": Invoice.objects.filter(lines__patient=patient).distinct().order_by("-number")[:MOST],
            "manages": self.manages(request, patient),
        }
        return self.page(request, "memberships/admin/memberships.html", context, patients=[patient.pk], name="of")

    def give_view(self, request: HttpRequest, patient_id: uuid.UUID) -> HttpResponse:
        """A membership that nobody pays for."""
        patient = self.patient_managed(request, patient_id)
        today = patient.today(now=timezone.now())
        form = GiveForm(request.POST or None, initial={"first": today})

        def do(user: User, now: datetime) -> None:  # noqa: ARG001 - as the others
            complimentary.give(patient=patient, today=today, **form.cleaned_data)

        return self.form_page(request, patient, form, do, title="Give a membership to")

    def credit_view(self, request: HttpRequest, patient_id: uuid.UUID, invoice_id: uuid.UUID) -> HttpResponse:
        """Let an invoice cost less."""
        patient = self.patient_managed(request, patient_id)
        invoice = Invoice.objects.filter(pk=invoice_id, lines__patient=patient).distinct().first()
        if invoice is None:
            raise Http404
        form = CreditForm(request.POST or None)

        def do(user: User, now: datetime) -> None:
            cents = int(form.cleaned_data["amount"] * 100)
            settling.credit(invoice.pk, amount=cents, reason=form.cleaned_data["reason"], actor=user, now=now)

        return self.form_page(request, patient, form, do, title=f"Credit of {invoice} for")

    def end_view(self, request: HttpRequest, patient_id: uuid.UUID, subscription_id: uuid.UUID) -> HttpResponse:
        """Cancel, with the period or at once."""
        patient = self.patient_managed(request, patient_id)
        if not Subscription.objects.filter(pk=subscription_id, patient=patient).exists():
            raise Http404
        form = StopForm(request.POST or None)

        def do(user: User, now: datetime) -> None:
            common: dict[str, Any] = {"subscription_id": subscription_id, "actor": user, "now": now}
            if form.cleaned_data["at_once"]:
                changing.stop(reason=form.cleaned_data["reason"], by_support=True, **common)
            else:
                changing.cancel(reason=form.cleaned_data["reason"], **common)

        return self.form_page(request, patient, form, do, title="End the membership of")

    def form_page(
        self,
        request: HttpRequest,
        patient: Patient,
        form: forms.Form,
        do: Callable[[User, datetime], None],
        *,
        title: str,
    ) -> HttpResponse:
        """A form about a patient's membership, and what comes of it."""
        refused: Refused | None = None
        back = reverse(PAGE, args=[patient.pk])
        if request.method == "POST" and form.is_valid():
            user, now = cast(User, request.user), timezone.now()

            def done() -> Done:
                do(user, now)
                return Done("Done.", to=back)

            answer = doing.once(request, done)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer
        context = {"title": f"{title} {patient.name}", "form": form, "back": back}
        if refused is not None:
            context["refused"] = refused.detail
        status = refused.status if refused is not None else 400 if form.errors else 200
        template = "memberships/admin/form.html"
        return self.page(request, template, context, patients=[patient.pk], name="of", status=status)

    def patient(self, request: HttpRequest, patient_id: uuid.UUID) -> Patient:
        """The patient, registered where somebody works; themself and their family are not theirs to look after."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.now()
        found = patients(work.of(request), cast(User, request.user), now=now).filter(pk=patient_id).first()
        if found is None:
            raise Http404
        return found

    def patient_managed(self, request: HttpRequest, patient_id: uuid.UUID) -> Patient:
        patient = self.patient(request, patient_id)
        if not self.manages(request, patient):
            raise PermissionDenied
        return patient

    def manages(self, request: HttpRequest, patient: Patient) -> bool:
        """Whether somebody manages a clinic at which the patient is registered."""
        managed = work.of(request).at(Role.MANAGER)
        return Registration.objects.filter(patient=patient, clinic__in=managed).exists()


def patients(at: Work, user: User, *, now: datetime) -> QuerySet[Patient]:
    """Those registered where somebody works, but for themself and those they act for."""
    here = Registration.objects.filter(patient=OuterRef("pk"), clinic__in=list(at.clinics))
    today: date = people.today_of(user, now=now)
    own = Patient.objects.acted_for_by(user, on=today)
    return Patient.objects.filter(Exists(here)).exclude(pk__in=own.values("pk"))
