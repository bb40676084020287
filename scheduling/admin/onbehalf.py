"""Booking for somebody who calls or stands at the desk: who they are, when they can come, and what it costs."""

import uuid
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import doing, searching, work
from clinics.admin.doing import Done
from clinics.models import Clinic, Patient, User
from clinics.refusals import NotFound, Refused
from scheduling import access, booking, callers, claims, intervals
from scheduling.admin import picking
from scheduling.admin.visit import PAGE, as_user, problem
from scheduling.models import Appointment, Claim
from scheduling.slots import Slot

Source = Appointment.Source
PICK = "admin:scheduling_appointment_pick"
HOLD = "admin:scheduling_appointment_hold"


class CallerForm(forms.Form):
    """Who calls, as they say it."""

    clinic = forms.ModelChoiceField(queryset=Clinic.objects.none(), empty_label=None)
    given_name = forms.CharField(max_length=60, label="First name")
    family_name = forms.CharField(max_length=60, label="Last name")
    birth_date = forms.CharField(max_length=10, label="Birth date", help_text="As in 5/17/1990.")
    phone = forms.CharField(max_length=30, required=False, help_text="Or an e-mail address.")
    email = forms.EmailField(required=False, label="E-mail")

    def __init__(self, *arguments: Any, clinics: list[uuid.UUID], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["clinic"].queryset = Clinic.objects.filter(pk__in=clinics).order_by("name")  # type: ignore[attr-defined]

    def clean_birth_date(self) -> Any:
        day = searching.birth_date(self.cleaned_data["birth_date"].strip())
        if day is None:
            raise forms.ValidationError("Give a date as in 5/17/1990.")
        return day

    def clean_phone(self) -> str:
        text = self.cleaned_data["phone"].strip()
        number = searching.phone(text) if text else ""
        if number is None:
            raise forms.ValidationError("Give a phone number with its area code.")
        return number


class OnBehalf:
    """The part of AppointmentAdmin that books."""

    def caller_view(self, request: HttpRequest) -> HttpResponse:
        """Finding or beginning the record of who calls."""
        at = work.of(request)
        if not at.clinics:
            raise Http404
        form = CallerForm(request.POST or None, clinics=list(at.clinics))
        refused = None
        if request.method == "POST" and form.is_valid():
            asked = dict(form.cleaned_data)
            clinic = asked.pop("clinic")
            user, now = as_user(request), timezone.now()

            def work_with_it() -> Done:
                access.require_staff_at(user, clinic.pk)
                today = now.astimezone(clinic.zone).date()
                patient, is_new = callers.admit(clinic=clinic, today=today, **asked)
                self.shows(request, [patient.pk], "caller")  # type: ignore[attr-defined]
                said = "A new record was begun." if is_new else "Their record was found."
                return Done(said, to=f"{reverse(PICK, args=[patient.pk])}?{urlencode({'clinic': clinic.pk})}")

            answer = doing.once(request, work_with_it)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer
        context = {"title": "Book for a caller", "form": form, **problem(refused)}
        return self.page(  # type: ignore[attr-defined, no-any-return]
            request,
            "scheduling/admin/caller.html",
            context,
            name="book",
            status=refused.status if refused else 400 if form.errors else 200,
        )

    def patient(self, request: HttpRequest, patient_id: uuid.UUID) -> tuple[Patient, User]:
        """The patient to book for, whom the desk knows, and who books. Raises Http404 where they do not."""
        user, now = as_user(request), timezone.now()
        if not work.of(request).clinics:
            raise Http404
        try:
            patient, source = access.acting_for(user, patient_id, now=now)
        except NotFound as error:
            raise Http404 from error
        if source != Source.STAFF and not known_at_work(patient, request):
            raise Http404
        return patient, user

    def pick_view(self, request: HttpRequest, patient_id: uuid.UUID) -> HttpResponse:
        """The free times; a press on one holds it, or overbooks the clinician at a time that is named."""
        patient, user = self.patient(request, patient_id)
        refused = None
        if request.method == "POST":
            now = timezone.now()
            answer = doing.once(request, lambda: self.chosen(request, patient, user, now=now))
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer
        context = {
            "title": f"A time for {patient.name}",
            "patient": patient,
            "is_own": access.family(user, now=timezone.now()).source(patient.pk) != Source.STAFF,
            **picking.wanted(request, patient),
            **problem(refused),
        }
        return self.page(  # type: ignore[attr-defined, no-any-return]
            request,
            "scheduling/admin/pick.html",
            context,
            patients=[patient.pk],
            name="pick",
            status=refused.status if refused else 200,
        )

    def chosen(self, request: HttpRequest, patient: Patient, user: User, *, now: datetime) -> Done:
        """Hold the slot that was pressed; with `overbook` book over the clinician's other visits."""
        if access.family(user, now=now).source(patient.pk) != Source.STAFF:
            raise access.OwnRecord
        if "overbook" not in request.POST:
            slot = picking.slot_asked_for(request)
            access.require_staff_at(user, slot.clinic)
            held, _ = booking.hold(patient=patient, slot=slot, actor=user, source=Source.STAFF, now=now)
            return Done("Held for five minutes.", to=reverse(HOLD, args=[held.pk]))
        booked = booking.overbook(
            patient=patient,
            slot=self.named(request, patient, user),
            overbook_reason=request.POST.get("overbook_reason", "").strip()[:200],
            reason=request.POST.get("reason", "").strip()[:500],
            accept_price=picking.price_accepted(request),
            actor=user,
            now=now,
        )
        return Done("Booked over other visits.", to=reverse(PAGE, args=[booked.pk]))

    def named(self, request: HttpRequest, patient: Patient, user: User) -> Slot:
        """The time that a desk named for overbooking, or the alternative it pressed. Raises BadTime."""
        if request.POST.get("slot"):
            slot = picking.slot_asked_for(request)
        else:
            wanted = picking.wanted(request, patient)
            clinician = picking.one_of({one.pk: one for one in wanted["clinicians"]}, request.POST.get("clinician"))
            try:
                clock = datetime.strptime(request.POST.get("time", ""), "%H:%M").time()  # noqa: DTZ007 - a time of day
            except ValueError as error:
                raise BadTime from error
            if clinician is None or wanted["kind"] is None:
                raise BadTime
            start = intervals.instant(wanted["day"], clock, wanted["clinic"].zone)
            slot = Slot(clinician.pk, wanted["clinic"].pk, wanted["kind"].pk, start)
        access.require_staff_at(user, slot.clinic)
        return slot

    def hold_view(self, request: HttpRequest, visit_id: uuid.UUID) -> HttpResponse:
        """A time that is held: what it costs, why they come, and booking it or giving it back."""
        held: Appointment = self.visit(request, visit_id)  # type: ignore[attr-defined]
        user, now = as_user(request), timezone.now()
        is_own = access.family(user, now=now).source(held.patient_id) != Source.STAFF
        refused: Refused | None = None
        if request.method == "POST":

            def work_with_it() -> Done:
                if is_own:
                    raise access.OwnRecord
                again = f"{reverse(PICK, args=[held.patient_id])}?{urlencode({'clinic': held.clinic_id})}"
                if "release" in request.POST:
                    booking.release(held=held, actor=user, now=now)
                    return Done("Given back.", to=again)
                reason = request.POST.get("reason", "").strip()[:500]
                price = picking.price_accepted(request)
                booking.book(held=held, reason=reason, accept_price=price, actor=user, now=now)
                return Done("Booked.", to=reverse(PAGE, args=[held.pk]))

            answer = doing.once(request, work_with_it)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer
        live = Claim.objects.filter(appointment=held, expires_at__gt=claims.ClockTimestamp())
        expires = live.order_by("expires_at").values_list("expires_at", flat=True).first()
        context = {
            "title": f"Book for {held.patient.name}",
            "visit": held,
            "expires": expires.astimezone(held.clinic.zone) if expires else None,
            "is_held": held.status == Appointment.Status.HELD and expires is not None,
            "again": f"{reverse(PICK, args=[held.patient_id])}?{urlencode({'clinic': held.clinic_id})}",
            "is_own": is_own,
            **problem(refused),
        }
        return self.page(  # type: ignore[attr-defined, no-any-return]
            request,
            "scheduling/admin/hold.html",
            context,
            patients=[held.patient_id],
            name="hold",
            status=refused.status if refused else 200,
        )


class BadTime(Refused):
    code = "bad_time"
    status = 400
    detail = "Choose a clinician who works that day, and give a time as in 14:30."


def known_at_work(patient: Patient, request: HttpRequest) -> bool:
    return patient.registrations.filter(clinic__in=work.of(request).clinics).exists()
