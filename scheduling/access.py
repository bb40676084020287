"""Fetching visits, and saying in what role somebody acts, for those who may."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from clinics import people
from clinics.models import Patient, Proxy, StaffRole, User
from clinics.people import NoPatientRecord
from clinics.refusals import NotFound, Refused
from scheduling.models import Appointment
from scheduling.models.appointments import AppointmentQuerySet

Source = Appointment.Source


class NotYourClinic(Refused):
    code = "not_your_clinic"
    status = 403
    detail = "You can book for others only at clinics where you work."


class OwnRecord(Refused):
    code = "own_record"
    status = 403
    detail = "This is your own visit, or one of your family: somebody else who works at the clinic has to do this."


@dataclass(frozen=True, slots=True)
class Family:
    """Whom a user acts for now: themself, and their dependents by proxy."""

    user: User
    now: datetime
    proxies: dict[uuid.UUID, Proxy]

    @property
    def patients(self) -> list[uuid.UUID]:
        own = getattr(self.user, "patient", None)
        return [*([own.pk] if own else []), *self.proxies]

    def source(self, patient: uuid.UUID) -> Appointment.Source:
        """In what role the user acts for `patient`, whom they may see."""
        if patient in self.proxies:
            return Source.PROXY
        return Source.PATIENT if patient in self.patients else Source.STAFF

    def reads_reason(self, patient: uuid.UUID) -> bool:
        """Whether the user reads why visits of `patient` were booked: not a proxy whose child has grown up that far."""
        proxy = self.proxies.get(patient)
        return proxy is None or proxy.is_full(now=self.now)


def family(user: User, *, now: datetime) -> Family:
    """Whom `user` acts for."""
    today = people.today_of(user, now=now)
    found = Proxy.objects.active(on=today).filter(user=user).select_related("patient")
    return Family(user, now, {proxy.patient_id: proxy for proxy in found})


def acting_for(user: User, patient_id: uuid.UUID | None, *, now: datetime) -> tuple[Patient, Appointment.Source]:
    """The patient `user` acts for and in what role; without `patient_id` themself. Raises NotFound, NoPatientRecord.

    Whoever opened a record in an emergency reads it, and acts for nobody: a visit would make the patient one of theirs.
    """
    own = getattr(user, "patient", None)
    if patient_id is None:
        if own is None:
            raise NoPatientRecord("This account has no patient record of its own: say for which `patient`.")
        return own, Source.PATIENT
    if own is not None and own.pk == patient_id:
        return own, Source.PATIENT
    today = people.today_of(user, now=now)
    proxy = Proxy.objects.active(on=today).filter(user=user, patient=patient_id).select_related("patient").first()
    if proxy is not None:
        return proxy.patient, Source.PROXY
    patient = Patient.objects.cared_for_by(user).filter(pk=patient_id).first()
    if patient is None:
        raise NotFound
    return patient, Source.STAFF


def require_staff_at(user: User, clinic: uuid.UUID) -> None:
    """Raises NotYourClinic unless `user` cares for patients at `clinic`."""
    if not StaffRole.objects.works_at(user, clinic):
        raise NotYourClinic


def visit(user: User, visit_id: uuid.UUID, *, now: datetime) -> Appointment:
    """The visit `visit_id`, booked at some time, which `user` may see. Raises NotFound when absent or forbidden."""
    return _one(user, visit_id, now, Appointment.objects.filter(booked_at__isnull=False), to_change=False)


def visit_to_change(user: User, visit_id: uuid.UUID, *, now: datetime) -> Appointment:
    """The visit `visit_id`, booked at some time, which `user` may change. Raises NotFound when absent or forbidden."""
    return _one(user, visit_id, now, Appointment.objects.filter(booked_at__isnull=False), to_change=True)


def visit_at_work(user: User, visit_id: uuid.UUID, *, now: datetime) -> Appointment:
    """The visit `visit_id` at a clinic where `user` works, for what its staff alone do with it.

    Raises NotFound when absent or forbidden, and OwnRecord where `user` is the patient or acts for them.
    """
    found = visit_to_change(user, visit_id, now=now)
    if family(user, now=now).source(found.patient_id) != Source.STAFF:
        raise OwnRecord
    return found


def held(user: User, hold_id: uuid.UUID, *, now: datetime) -> Appointment:
    """The hold `hold_id`, whatever became of it, which `user` may change. Raises NotFound when absent or forbidden."""
    return _one(user, hold_id, now, Appointment.objects.all(), to_change=True)


def _one(user: User, pk: uuid.UUID, now: datetime, among: AppointmentQuerySet, *, to_change: bool) -> Appointment:
    found = among.filter(pk=pk).with_what_it_shows().first()
    if found is None:
        raise NotFound
    # Most look at their own: that is known without asking for all the other ways to be allowed.
    is_own = user.is_active and found.patient.user_id == user.pk
    today = people.today_of(user, now=now)
    if is_own:
        return found
    allowed = Appointment.objects.changeable_by if to_change else Appointment.objects.visible_to
    if not allowed(user, on=today).filter(pk=pk).exists():
        raise NotFound
    return found
