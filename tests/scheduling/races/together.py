"""Two or forty at the same time, and guards taken away, for the tests of races.

In `interleave` the one that goes first stops at a named call, the other goes on until it is done or PostgreSQL says
that it waits for a lock, and then both go on to their ends: no luck, no clock.
"""

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from django.db import OperationalError, connection

from clinics.refusals import Refused
from scheduling import booking, claims
from scheduling.models import Appointment, Claim
from tests import cast, owner
from tests.cast import NOW
from tests.scheduling import acts
from tests.sizes import FULL


def rounds(small, full):
    return range(full if FULL else small)


def race(*works):
    """All of `works` at the same time, each in a thread and transaction of its own; what they return, or the code."""
    return cast.at_the_same_time(lambda work: work(), works)


def interleave(monkeypatch, stop, first, second, *, before=False):
    """Run `first` until it has called `stop`, (module, name), or is about to; then `second` as far as it gets; then
    both to their ends. Returns what each returns, a refusal's code, or an exception.
    """
    module, name = stop
    real = getattr(module, name)
    reached, go, started = threading.Event(), threading.Event(), threading.Event()
    threads, backends = {}, {}

    def wait_here():
        if threading.get_ident() == threads["first"] and not reached.is_set():
            reached.set()
            assert go.wait(60)

    def stopping(*args, **kwargs):
        if before:
            wait_here()
        result = real(*args, **kwargs)
        if not before:
            wait_here()
        return result

    def run(who, work):
        try:
            threads[who] = threading.get_ident()
            cast.wait_for_locks()
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                backends[who] = cursor.fetchone()[0]
            if who == "second":
                started.set()
            return work()
        except Refused as refusal:
            return refusal.code
        except Exception as error:
            return error
        finally:
            (reached if who == "first" else started).set()
            connection.close()

    with owner.deadlocks_found_at_once(), monkeypatch.context() as patched, ThreadPoolExecutor(2) as pool:
        patched.setattr(module, name, stopping)
        try:
            one = pool.submit(run, "first", first)
            assert reached.wait(60)
            two = pool.submit(run, "second", second)
            assert started.wait(60)
            wait_until(lambda: two.done() or is_waiting(backends["second"]))
        finally:
            go.set()
        return outcome(one), outcome(two)


def outcome(future: Future):
    return future.result(60)


def wait_until(condition):
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, "nothing happens"
        time.sleep(0.005)


def waiting():
    """How many of this database's connections wait for another's transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # or a transaction sees what it saw before
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event <> 'extend'"
        )
        return cursor.fetchone()[0]


def is_waiting(backend):
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [backend])
        return cursor.fetchone()[0]


@contextmanager
def no_constraint():
    """The table without `claim_once`. Its claims are gone afterwards."""
    once = next(found for found in Claim._meta.constraints if found.name == "claim_once")
    with owner.acting(), connection.schema_editor() as editor:
        editor.remove_constraint(Claim, once)
    try:
        yield
    finally:
        Claim.objects.all().delete()
        with owner.acting(), connection.schema_editor() as editor:
            editor.add_constraint(Claim, once)


def no_locks(monkeypatch):
    monkeypatch.setattr(claims, "lock_calendars", lambda calendars: None)


def is_deadlock(error):
    return isinstance(error, OperationalError) and error.__cause__.sqlstate == "40P01"


def held(patient, slot):
    return acts.hold(patient, slot).status


def clear():
    """End every visit, to begin the next round with free calendars."""
    booking.expire_holds(now=NOW)
    for visit in Appointment.objects.filter(status="held"):
        acts.release(visit)
    for visit in Appointment.objects.filter(status="booked"):
        acts.cancel(visit)
