"""Booking, overbooking and moving visits."""

from datetime import datetime

from django.db import transaction

from clinics.models import Patient, User
from clinics.refusals import Refused
from memberships import entitlement
from memberships.entitlement import Entitlement
from scheduling import claims, notices, reminders, slots
from scheduling.booking import holds, records
from scheduling.booking import wanted as wanting
from scheduling.booking.holds import HoldExpired
from scheduling.booking.records import Kind, Status
from scheduling.booking.wanted import SlotNotOffered, SlotTaken, Wanted
from scheduling.models import Appointment
from scheduling.slots import Slot


class NotMovable(Refused):
    code = "not_movable"
    detail = "Only a booked visit that has not begun can be moved."


class OtherVisitType(Refused):
    code = "other_visit_type"
    detail = "A visit is moved to a slot of its own type. Cancel it and book the other type instead."


class OverbookReason(Refused):
    code = "overbook_reason_required"
    status = 400
    detail = "Say why the clinician is to be overbooked."


def book(*, held: Appointment, reason: str, accept_price: int | None, actor: User, now: datetime) -> Appointment:
    """Make a hold a visit. `accept_price`: the price in cents the patient agrees to where no membership covers it.

    The slot is checked once more, so that a hold does not outlive a closure, time off or a changed shift. Visits that
    staff have overbooked beside it do not matter: its own claims keep its lane.
    Raises HoldExpired, NotHeld, SlotNotOffered, MembershipRequired or PriceChanged.
    """
    wanted = wanting.wanted_of(held, staff=True, now=now)
    with transaction.atomic():
        visit = records.locked(held)
        holds.require_held(visit)
        paid = settle(wanted, accept_price=accept_price)
        claims.lock_calendars(records.calendars_of(visit))
        claims.lock_shift(clinician=visit.clinician_id, clinic=visit.clinic_id, start=visit.starts_at)
        if claims.confirm(appointment=visit.pk) != records.claims_of(visit):
            raise HoldExpired
        stands = slots.is_offered(
            wanted.slot, now=now, patient=visit.patient_id, staff=True, overbook=True, apart_from=visit.pk
        )
        if not stands or not wanting.keeps_room(visit):
            raise SlotNotOffered(wanted)
        records.change(visit, Status.HELD, status=Status.BOOKED, reason=reason, booked_at=now, **records.payment(paid))
        records.register(visit)
        records.record(visit, Kind.BOOKED, Status.HELD, actor, now)
        reminders.plan(visit, now=now)
        notices.booked(visit, now=now)
    return visit


def overbook(
    *,
    patient: Patient,
    slot: Slot,
    overbook_reason: str,
    reason: str,
    accept_price: int | None,
    actor: User,
    now: datetime,
) -> Appointment:
    """Book `slot` for `patient` over the clinician's other visits, by staff, on the lowest free lane from 0 on.

    Shift, clinic, licence, time off, room and the patient's own time are checked as for any visit.
    Raises OverbookReason, SlotTaken where all lanes the type allows are taken, and what `hold` raises.
    """
    if not overbook_reason.strip():
        raise OverbookReason
    wanted = wanting.wanted_slot(slot, patient, staff=True, now=now)
    paid = settle(wanted, accept_price=accept_price)
    with transaction.atomic(), wanting.refusals(wanted):
        claims.lock_calendars(wanted.calendars)
        claims.lock_shift(clinician=slot.clinician, clinic=slot.clinic, start=slot.start)
        wanting.require_offered(wanted, overbook=True)
        lane = claims.free_lane(
            calendar=slot.clinician,
            start=slot.start,
            end=wanted.end + wanted.visit_type.turnover,
            most=wanted.visit_type.overbook_lanes,
        )
        if lane is None:
            raise SlotTaken(wanted)
        visit, _ = records.create(
            wanted,
            Status.BOOKED,
            actor,
            Appointment.Source.STAFF,
            lane=lane,
            reason=reason,
            overbook_reason=overbook_reason,
            booked_at=now,
            **records.payment(paid),
        )
        records.register(visit)
        reminders.plan(visit, now=now)
        notices.booked(visit, now=now)
    return visit


def reschedule(
    *, visit: Appointment, slot: Slot, accept_price: int | None, actor: User, source: Appointment.Source, now: datetime
) -> Appointment:
    """Move a booked visit to `slot`, also into its own time or to another clinic, keeping its identity. All or nothing.

    The rules hold for the new date: age, membership, price. A per-visit price that was accepted stays accepted while it
    is the same. Moving to where it is already changes nothing. Raises NotMovable, OtherVisitType and what `hold` and
    `book` raise.
    """
    staff = source == Appointment.Source.STAFF
    if slot.visit_type != visit.visit_type_id:
        raise OtherVisitType
    wanted = wanting.wanted_slot(slot, visit.patient, staff=staff, now=now)
    with transaction.atomic(), wanting.refusals(wanted):
        was = records.locked(visit, staff=actor if staff else None)
        if was.status != Status.BOOKED or was.starts_at <= now:
            raise NotMovable
        if (slot.clinician, slot.clinic, slot.start) == (was.clinician_id, was.clinic_id, was.starts_at):
            return was
        if accept_price is None and was.paid_by == Appointment.PaidBy.PER_VISIT:
            accept_price = was.price
        paid = settle(wanted, accept_price=accept_price)
        claims.lock_calendars([*records.calendars_of(was), *wanted.calendars])
        claims.lock_shift(clinician=slot.clinician, clinic=slot.clinic, start=slot.start)
        wanting.require_offered(wanted, apart_from=was.pk)
        room = wanting.choose_room(wanted, apart_from=was.pk)
        wants = wanted.wants(room)
        claims.drop_expired(wants)
        records.move_claims(was, wants)
        moved_from = {
            "start": was.local_start.isoformat(),
            "clinic": str(was.clinic_id),
            "clinician": str(was.clinician_id),
        }
        records.change(
            was,
            Status.BOOKED,
            starts_at=slot.start,
            ends_at=wanted.end,
            clinic=wanted.clinic,
            clinician=wanted.clinician,
            room_id=room,
            lane=0,
            overbook_reason="",
            sequence=was.sequence + 1,
            confirmed_at=None,
            **records.payment(paid),
        )
        records.register(was)
        records.record(was, Kind.MOVED, Status.BOOKED, actor, now, moved_from=moved_from)
        reminders.withdraw(was, now=now)
        reminders.plan(was, now=now)
        notices.moved(was, now=now)
    return was


def settle(wanted: Wanted, *, accept_price: int | None) -> Entitlement:
    """What pays for the visit on its date. Raises MembershipRequired and PriceChanged."""
    benefit = wanted.visit_type.code
    return entitlement.settle(patient=wanted.patient, benefit=benefit, on=wanted.on, accept_price=accept_price)
