"""Visits: what is booked on the days ahead, and what was done on the days behind.

Each clinician's day has its own fixed list of wishes. The nearer the day, the more of it is booked; so a later run
adds to what is there, and what somebody cancelled meanwhile stays cancelled.
"""

import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.db.models import Q

from clinics.models import Clinic, Patient, Registration, Room
from scheduling import claims, intervals, reminders
from scheduling.demo import network, visits
from scheduling.demo.chance import chance, key
from scheduling.demo.visits import Wish
from scheduling.intervals import Span
from scheduling.models import Appointment, AppointmentChange, Claim, Shift, VisitType, WeeklyHours
from scheduling.shifts import expansion

DAYS_BEHIND = 21
# The share of a day's wishes that is booked, by the number of days until then: clinics for today and tomorrow.
BOOKED = [0.45, 0.35, 0.28, 0.22, 0.16, 0.14, 0.12, 0.1, 0.08, 0.07, 0.06, 0.05, 0.05, 0.04]
DONE = 0.5
# Office starts left free on each day of each clinic, so that there is always something to find.
LEFT_FREE = 45
OFFICE = "office"
HALF_HOUR = timedelta(minutes=30)


@dataclass
class Book:
    """What of a clinic is taken, and what a run adds to it."""

    busy: dict[tuple[uuid.UUID, date], list[Span]] = field(default_factory=lambda: defaultdict(list))  # by day in UTC
    out: set[tuple[uuid.UUID, date]] = field(default_factory=set)  # patients who have a visit on that day
    known: set[uuid.UUID] = field(default_factory=set)
    added: list[tuple[Wish, uuid.UUID]] = field(default_factory=list)

    def take(self, calendar: uuid.UUID, span: Span) -> None:
        for day in days_of(span):
            self.busy[calendar, day].append(span)

    def give_back(self, calendar: uuid.UUID, span: Span) -> None:
        for day in days_of(span):
            self.busy[calendar, day].remove(span)

    def near(self, calendar: uuid.UUID, span: Span) -> list[Span]:
        return [other for day in days_of(span) for other in self.busy[calendar, day]]

    def is_free(self, calendar: uuid.UUID, span: Span) -> bool:
        return not any(span.overlaps(other) for other in self.near(calendar, span))


def days_of(span: Span) -> set[date]:
    """The days in UTC on which a span of less than a day begins and ends."""
    return {span.start.date(), span.end.date()}


def top_up(*, now: datetime) -> int:
    """Bring each clinic's days to their share of bookings, and finish what is over; returns how many visits were added.

    A visit that the demo booked has nobody who booked it; those that people booked are left alone.
    """
    return sum(
        top_up_clinic(clinic, now=now)
        for clinic in Clinic.objects.filter(slug__in=[site.slug for site in network.SITES])
    )


def top_up_clinic(clinic: Clinic, *, now: datetime) -> int:
    today = intervals.local_date(now, clinic.zone)
    patients = {
        patient.pk: patient
        for patient in Patient.objects.filter(user=None, registrations__clinic=clinic, proxies=None).order_by("pk")
    }
    if not patients:
        return 0
    with transaction.atomic():
        days = working_days(clinic, today=today)
        rooms = list(
            Room.objects.filter(clinic=clinic, kind="exam", in_use=True).order_by("name").values_list("pk", flat=True)
        )
        calendars = {*patients, *rooms, *(clinician for clinician, _ in days)}
        claims.lock_calendars(calendars)
        finish(clinic, now=now)
        book = read(clinic, calendars, since=now - timedelta(days=DAYS_BEHIND + 2))
        visit_types = {found.code: found for found in VisitType.objects.all()}
        free = {
            (clinician, on): count_starts(clinician, spans, book, visit_types[OFFICE])
            for (clinician, on), spans in days.items()
            if on >= today
        }
        for (clinician, on), spans in days.items():
            wishes = list(wishes_of(clinician, on, spans, patients, visit_types))
            away = (on - today).days
            share = DONE if away < 0 else BOOKED[away]
            for wish in wishes[: round(share * len(wishes))]:
                if not place(wish, book, on=on, rooms=rooms) or away < 0:
                    continue
                left = count_starts(clinician, spans, book, visit_types[OFFICE])
                others = sum(count for (other, day), count in free.items() if day == on and other != clinician)
                if left + others < LEFT_FREE:
                    take_back(book, on=on)
                    break
                free[clinician, on] = left
        write(clinic, book, patients, now=now)
    return len(book.added)


def working_days(clinic: Clinic, *, today: date) -> dict[tuple[uuid.UUID, date], list[Span]]:
    """When each clinician works here on each day: behind us by their weekly hours, from today by their shifts."""
    days: dict[tuple[uuid.UUID, date], list[Span]] = defaultdict(list)
    where = expansion.Place.all_of([clinic.pk])[clinic.pk]
    for row in WeeklyHours.objects.filter(clinic=clinic).order_by("pk"):
        hours = expansion.Hours.of(row)
        for found in expansion.plan(hours, where, first=today - timedelta(days=DAYS_BEHIND), until=today):
            days[found.clinician, found.on].append(found.span)
    ahead = Shift.objects.filter(clinic=clinic, on__gte=today, on__lt=today + timedelta(days=len(BOOKED)))
    for shift in ahead.order_by("on", "clinician", "during"):
        days[shift.clinician_id, shift.on].append(Span(shift.during.lower, shift.during.upper))
    return days


def wishes_of(
    clinician: uuid.UUID,
    on: date,
    spans: Iterable[Span],
    patients: dict[uuid.UUID, Patient],
    visit_types: dict[str, VisitType],
) -> Iterator[Wish]:
    """The wishes for a clinician's day, at most one every half hour, in the order in which people call."""
    rng = chance("day", clinician, on)
    starts = [start for span in spans for start in every(HALF_HOUR, span)]
    rng.shuffle(starts)
    pool = list(patients.values())
    for start in starts:
        patient = rng.choice(pool)
        kind = visit_types[kind_of_visit(patient, on, rng)]
        wish = Wish(key("visit", clinician, start), clinician, patient.pk, kind, start, rng.choice(visits.REASONS))
        if any(span.contains(wish.span) for span in spans):
            yield wish


def every(step: timedelta, span: Span) -> Iterator[datetime]:
    start = span.start
    while start < span.end:
        yield start
        start += step


def kind_of_visit(patient: Patient, on: date, rng: random.Random) -> str:
    drawn = rng.random()
    if drawn < 0.8:
        return OFFICE
    return "well-child" if patient.age_on(on) < 18 else "physical"


def count_starts(clinician: uuid.UUID, spans: Iterable[Span], book: Book, kind: VisitType) -> int:
    """How many starts of a visit of this kind the clinician has free in `spans`."""
    found = 0
    for span in spans:
        busy = book.near(clinician, span)
        for start in every(timedelta(minutes=kind.step), span):
            visit = Span(start, start + kind.duration + kind.turnover)
            found += start + kind.duration <= span.end and not any(visit.overlaps(other) for other in busy)
    return found


def place(wish: Wish, book: Book, *, on: date, rooms: list[uuid.UUID]) -> bool:
    """Enter `wish` where clinician, patient and a room are free, and it is not known from an earlier run."""
    if wish.id in book.known or (wish.patient, on) in book.out or not book.is_free(wish.clinician, wish.taken):
        return False
    room = next((room for room in rooms if book.is_free(room, wish.span)), None)
    if room is None:
        return False
    book.added.append((wish, room))
    book.out.add((wish.patient, on))
    book.take(wish.clinician, wish.taken)
    book.take(room, wish.span)
    return True


def take_back(book: Book, *, on: date) -> None:
    """Undo the last `place`."""
    wish, room = book.added.pop()
    book.out.discard((wish.patient, on))
    book.give_back(wish.clinician, wish.taken)
    book.give_back(room, wish.span)


def read(clinic: Clinic, calendars: set[uuid.UUID], *, since: datetime) -> Book:
    """What is taken already, by claims and by visits that are over. Needs the calendars' locks."""
    book = Book()
    for calendar, during in Claim.objects.filter(calendar__in=calendars, during__endswith__gt=since).values_list(
        "calendar", "during"
    ):
        book.take(calendar, Span(during.lower, during.upper))
    there = Appointment.objects.filter(Q(clinician__in=calendars) | Q(patient__in=calendars), starts_at__gte=since)
    for visit in there.select_related("visit_type"):
        book.known.add(visit.pk)
        if visit.status in (Appointment.Status.CANCELLED, Appointment.Status.EXPIRED):
            continue
        span = Span(visit.starts_at, visit.ends_at)
        book.out.add((visit.patient_id, intervals.local_date(visit.starts_at, clinic.zone)))
        book.take(visit.clinician_id, Span(visit.starts_at, visit.ends_at + visit.visit_type.turnover))
        if visit.room_id is not None:
            book.take(visit.room_id, span)
    return book


def finish(clinic: Clinic, *, now: datetime) -> None:
    """Complete the demo's own visits that are over, as a front desk would have; now and then nobody came."""
    live = [status for status in Appointment.LIVE if status != Appointment.Status.HELD]
    over = list(Appointment.objects.filter(clinic=clinic, status__in=live, created_by=None, ends_at__lte=now))
    for visit in over:
        visit.status = visits.outcome(visit.pk)
    for status in {visit.status for visit in over}:
        done = [visit.pk for visit in over if visit.status == status]
        Appointment.objects.filter(pk__in=done, status__in=live).update(status=status)
    AppointmentChange.objects.bulk_create([visits.ended(visit) for visit in over])
    Claim.objects.filter(appointment__in=over).delete()


def write(clinic: Clinic, book: Book, patients: dict[uuid.UUID, Patient], *, now: datetime) -> None:
    """Insert what was added: visits to come with their claims and reminders, visits that are over without.

    Nobody is told that these are booked: the first start would send some thousand confirmations.
    """
    grants, prices = visits.payers({wish.patient for wish, _ in book.added}), visits.prices()
    added, taken = [], []
    for wish, room in book.added:
        visit = visits.as_visit(wish, clinic, room, grants.get(wish.patient), prices, now=now)
        visit.patient = patients[wish.patient]
        added.append(visit)
        if visit.status in Appointment.LIVE:
            wanted = [(wish.clinician, wish.taken), (wish.patient, wish.span), (room, wish.span)]
            taken += [
                Claim(calendar_id=calendar, during=DateTimeTZRange(*span), kind=Claim.Kind.VISIT, appointment=visit)
                for calendar, span in wanted
            ]
    Appointment.objects.bulk_create(added, batch_size=2000)
    Claim.objects.bulk_create(sorted(taken, key=lambda claim: claim.calendar_id), batch_size=2000)
    AppointmentChange.objects.bulk_create(
        [change for visit in added for change in visits.story(visit)], batch_size=2000
    )
    Registration.objects.bulk_create(
        [Registration(patient_id=wish.patient, clinic=clinic) for wish, _ in book.added], ignore_conflicts=True
    )
    reminders.plan_all(
        [
            (visit, visit.booked_at)
            for visit in added
            if visit.status == Appointment.Status.BOOKED and visit.booked_at is not None
        ],
        now=now,
    )
