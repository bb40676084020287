"""How long somebody stays signed in, where they see it, and what ends it."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from clinics import devices, sessions
from clinics.models import Patient, Session, StaffRole, User
from tests import cast
from tests.calls import Caller, browser
from tests.cast import NOW, Place

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


def statuses(caller: Caller, clock: Any, *waits: timedelta) -> list[int]:
    found = []
    for wait in waits:
        clock.shift(wait)
        found.append(caller.get("/me").status_code)
    return found


class TestLimits:
    """Promise 29."""

    def test_a_patient_who_does_nothing_is_signed_out_after_two_weeks(self, clock: Any, pat: Patient):
        used, left = Caller(pat.user), Caller(pat.user)

        assert statuses(used, clock, 14 * DAY - MINUTE, 14 * DAY - MINUTE) == [200, 200]
        assert left.get("/me").status_code == 401
        assert statuses(used, clock, 14 * DAY) == [401]

    def test_nobody_is_signed_in_for_longer_than_ninety_days(self, clock: Any, pat: Patient):
        caller = Caller(pat.user)

        assert statuses(caller, clock, *[10 * DAY] * 9) == [200] * 8 + [401]

    def test_staff_who_do_nothing_are_signed_out_after_half_an_hour(self, clock: Any, desk: User):
        caller = Caller(desk)

        assert statuses(caller, clock, 29 * MINUTE, 29 * MINUTE, 30 * MINUTE) == [200, 200, 401]

    def test_staff_are_signed_in_for_half_a_day(self, clock: Any, desk: User):
        caller = Caller(desk)

        assert statuses(caller, clock, *[20 * MINUTE] * 36) == [200] * 35 + [401]

    def test_the_same_holds_for_pages(self, clock: Any, desk: User):
        client = browser(desk)
        first = client.get("/staff/security").status_code
        clock.shift(29 * MINUTE)
        second = client.get("/staff/security").status_code
        clock.shift(30 * MINUTE)

        assert (first, second, client.get("/staff/security").status_code) == (200, 200, 302)

    def test_who_becomes_staff_has_staffs_limits_from_then_on(self, clock: Any, avon: Place, pat: Patient):
        caller = Caller(pat.user)
        StaffRole.objects.create(user=pat.user, role=StaffRole.Role.CLINICIAN, clinic=avon.clinic)

        assert statuses(caller, clock, HOUR, HOUR) == [200, 401]


class TestSeen:
    def test_it_is_noted_once_a_minute(self, clock: Any, pat: Patient, django_assert_num_queries: Any):
        caller = Caller(pat.user)

        def seen() -> Any:
            return Session.objects.get(user=pat.user).last_seen_at

        caller.get("/me/sessions")
        at_first = seen()
        clock.shift(59)
        with django_assert_num_queries(2):
            caller.get("/me/sessions")
        later = seen()
        clock.shift(1)
        caller.get("/me/sessions")

        assert (at_first, later, seen()) == (NOW, NOW, NOW + MINUTE)

    @pytest.mark.django_db(transaction=True)
    def test_nobody_waits_for_it_or_fails_by_it(self, clock: Any, pat: Patient):
        caller = Caller(pat.user)
        clock.shift(MINUTE)
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM clinics_session FOR UPDATE")
            answer = caller.get("/me")
            cursor.execute("ROLLBACK")
        other.close()

        assert answer.status_code == 200
        assert Session.objects.get().last_seen_at == NOW

    def test_a_failure_to_note_it_fails_nothing(self, clock: Any, pat: Patient, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(sessions, "TOUCH", "SELECT 1 / 0, %s, %s, %s, %s, %s")
        caller = Caller(pat.user)
        clock.shift(MINUTE)

        assert caller.get("/me").status_code == 200


class TestList:
    def test_it_shows_where_somebody_is_signed_in(self, clock: Any, pat: Patient, stranger: Patient):
        here, there, _other = Caller(pat.user), Caller(pat.user), Caller(stranger.user)
        clock.shift(MINUTE)
        there.get("/me")

        listed = here.get("/me/sessions").json()["results"]

        assert len(listed) == 2
        assert sum(session["is_this"] for session in listed) == 1
        assert set(listed[0]) == {"id", "device", "address", "created_at", "last_seen_at", "is_this"}

    def test_its_ids_sign_nobody_in(self, pat: Patient):
        caller = Caller(pat.user)
        [listed] = caller.get("/me/sessions").json()["results"]
        kept = Session.objects.get()

        assert kept.session_key not in str(listed)
        for key in (listed["id"], kept.session_key):
            assert Client().get("/api/v1/me", headers={"X-Session-Token": key}).status_code == 401

    def test_it_keeps_address_and_browser_of_who_signed_in(self, settings: Any):
        from clinics import people

        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        people.open_account(email="ann@example.com", password="correct-horse-battery")
        agent = "Mozilla/5.0 (Windows NT 10.0; rv:145.0) Gecko/20100101 Firefox/145.0"
        headers = {"User-Agent": agent, "X-Forwarded-For": "198.51.100.9"}
        body = {"email": "ann@example.com", "password": "correct-horse-battery"}
        signed = Client().post("/auth/app/v1/auth/login", body, "application/json", headers=headers).json()
        token = signed["meta"]["session_token"]

        [listed] = Client().get("/api/v1/me/sessions", headers={"X-Session-Token": token}).json()["results"]

        assert (listed["device"], listed["address"]) == ("Firefox on Windows", "127.0.0.1")

    @pytest.mark.parametrize(
        ("agent", "name"),
        [
            ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1", "Safari on iPhone"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Mac"),
            ("Sameday/3.1 (Android 15)", "Sameday on Android"),
            ("<script>alert(1)</script>", "scriptalert1"),
            ("", "Unknown device"),
        ],
    )
    def test_it_names_a_device_as_people_do(self, agent: str, name: str):
        assert devices.named(agent) == name


class TestEnding:
    def test_it_ends_one(self, pat: Patient):
        here, there = Caller(pat.user), Caller(pat.user)
        other = next(one for one in here.get("/me/sessions").json()["results"] if not one["is_this"])

        ended = here.delete(f"/me/sessions/{other['id']}")

        assert ended.status_code == 204
        assert (here.get("/me").status_code, there.get("/me").status_code) == (200, 401)

    def test_it_ends_all_others(self, pat: Patient, stranger: Patient):
        here, there, page, other = Caller(pat.user), Caller(pat.user), browser(pat.user), Caller(stranger.user)

        ended = here.delete("/me/sessions")

        assert ended.status_code == 204
        assert [here.get("/me").status_code, there.get("/me").status_code] == [200, 401]
        assert page.get("/api/v1/me").status_code == 401
        assert other.get("/me").status_code == 200

    def test_nobody_ends_anothers(self, pat: Patient, stranger: Patient):
        caller, other = Caller(pat.user), Caller(stranger.user)
        theirs = Session.objects.get(user=stranger.user).id

        assert caller.delete(f"/me/sessions/{theirs}").status_code == 404
        assert caller.delete(f"/me/sessions/{uuid.uuid4()}").status_code == 404
        assert other.get("/me").status_code == 200

    @pytest.mark.parametrize("kind", ["token", "cookie"])
    def test_it_ends_with_the_account_and_with_its_password(self, kind: str, pat: Patient):
        def asked(change: Any) -> list[int]:
            client = browser(pat.user)
            caller = Caller(pat.user)
            before = (caller.get("/me") if kind == "token" else client.get("/api/v1/me")).status_code
            change()
            return [before, (caller.get("/me") if kind == "token" else client.get("/api/v1/me")).status_code]

        def new_password() -> None:
            pat.user.set_password("another one")
            pat.user.save()

        assert asked(new_password) == [200, 401]
        assert asked(lambda: User.objects.filter(pk=pat.user.pk).update(is_active=False)) == [200, 401]


def test_purging_takes_what_is_over(clock: Any, pat: Patient, desk: User):
    Caller(pat.user), Caller(desk)
    clock.shift(HOUR)

    assert sessions.purge(now=timezone.now()) == 1
    assert Session.objects.get().user == pat.user
    assert cast.make_patient("Later").user is not None
