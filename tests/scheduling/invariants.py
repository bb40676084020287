"""What must be true of the tables at every instant between two transactions, whatever happened before."""

from collections import defaultdict

from django.db import connection

from scheduling.models import Appointment, AppointmentChange, Claim

S = Appointment.Status
# From a status to those that may follow it. A move leaves it as it is.
FOLLOWS = {
    "": {S.HELD, S.BOOKED},
    S.HELD: {S.HELD, S.BOOKED, S.CANCELLED, S.EXPIRED},
    S.BOOKED: {S.BOOKED, S.CANCELLED, S.ARRIVED, S.CHECKED_IN, S.ROOMED, S.COMPLETED, S.NO_SHOW},
    # Forwards, or back by a step that was a mistake.
    S.ARRIVED: {S.BOOKED, S.CHECKED_IN, S.ROOMED, S.COMPLETED, S.CANCELLED},
    S.CHECKED_IN: {S.BOOKED, S.ARRIVED, S.ROOMED, S.COMPLETED, S.CANCELLED},
    S.ROOMED: {S.BOOKED, S.ARRIVED, S.CHECKED_IN, S.COMPLETED, S.CANCELLED},
    S.COMPLETED: {S.BOOKED, S.ARRIVED, S.CHECKED_IN, S.ROOMED},
    S.NO_SHOW: {S.BOOKED},
}


def check(now):
    """Raises AssertionError unless time is taken once, visits have exactly their claims, and changes form a chain."""
    assert overlaps() == []
    taken = defaultdict(set)
    expiry = defaultdict(set)
    for claim in Claim.objects.filter(appointment__isnull=False):
        taken[claim.appointment_id].add((claim.calendar_id, claim.lane, claim.during.lower, claim.during.upper))
        expiry[claim.appointment_id].add(claim.expires_at)
    changes = defaultdict(list)
    for change in AppointmentChange.objects.order_by("id"):
        changes[change.appointment_id].append(change)
    unexpired = live_claims_by_visit()
    for visit in Appointment.objects.select_related("visit_type"):
        require_chain(visit, changes[visit.pk])
        if visit.status == S.COMPLETED:
            # It keeps its time, until that is purged.
            assert taken[visit.pk] <= claims_of(visit)
        elif visit.status not in Appointment.LIVE:
            assert not taken[visit.pk], f"{visit} has claims"
        elif visit.ends_at > now:
            whole = claims_of(visit)
            assert bool(visit.room_id) == bool(visit.visit_type.room_kind)
            if visit.status != S.HELD:
                assert (taken[visit.pk], expiry[visit.pk]) == (whole, {None})
            elif unexpired[visit.pk]:
                assert taken[visit.pk] == whole
                assert len(expiry[visit.pk]) == 1
                assert unexpired[visit.pk] == len(whole)
            else:
                assert taken[visit.pk] <= whole
                assert None not in expiry[visit.pk]


def claims_of(visit):
    """The claims that a visit must have."""
    start, end = visit.starts_at, visit.ends_at
    whole = {
        (visit.clinician_id, visit.lane, start, end + visit.visit_type.turnover),
        (visit.patient_id, 0, start, end),
    }
    return whole | {(visit.room_id, 0, start, end)} if visit.room_id else whole


def require_chain(visit, changes):
    assert changes, f"{visit} came from nowhere"
    before = ""
    for change in changes:
        assert change.from_status == before
        assert change.to_status in FOLLOWS[before]
        before = change.to_status
    assert before == visit.status


def overlaps():
    """Pairs of claims that take one lane of one calendar twice, found without the constraint's help."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT a.id, b.id FROM scheduling_claim a JOIN scheduling_claim b
                ON a.calendar_id = b.calendar_id AND a.lane = b.lane AND a.id < b.id AND a.during && b.during
            WHERE (a.expires_at IS NULL OR a.expires_at > clock_timestamp())
              AND (b.expires_at IS NULL OR b.expires_at > clock_timestamp())
            """
        )
        return cursor.fetchall()


def live_claims_by_visit():
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT appointment_id, count(*) FROM scheduling_claim
            WHERE appointment_id IS NOT NULL AND (expires_at IS NULL OR expires_at > clock_timestamp()) GROUP BY 1
            """
        )
        return defaultdict(int, cursor.fetchall())
