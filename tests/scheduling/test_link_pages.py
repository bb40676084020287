"""The pages behind links in messages: GET shows, POST acts, and nothing happens twice."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from clinics import links
from clinics.models import Link, Patient
from scheduling.models import Appointment, CancellationPolicy
from tests import cast
from tests.calls import Caller
from tests.canaries import FAMILY_NAME, REASON
from tests.cast import ALWAYS, NOW, at
from tests.scheduling import acts

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nine():
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def visit(avon, office, pat):
    return acts.book(pat, avon.slot(at(15, days=1), office))


def address(purpose, visit=None):
    found = Link.objects.filter(purpose=purpose)
    if visit is not None:
        found = found.filter(about=f"appointment:{visit.pk}:{visit.sequence}")
    return f"/{purpose}/{links.token(found.get())}"


def now_of(visit):
    return Appointment.objects.get(pk=visit.pk)


class TestShowing:
    @pytest.mark.parametrize("purpose", ["confirm", "cancel"])
    def test_it_changes_nothing(self, visit, purpose):
        before = visit.changes.count()

        for method in ("get", "head", "get"):
            assert getattr(Client(), method)(address(purpose)).status_code == 200

        assert (now_of(visit).status, now_of(visit).confirmed_at, visit.changes.count()) == ("booked", None, before)

    @pytest.mark.parametrize("purpose", ["confirm", "cancel"])
    def test_it_shows_clinic_and_local_time_and_nothing_of_why_or_who(self, visit, purpose):
        page = Client().get(address(purpose)).content.decode()

        assert "Tuesday" not in page
        assert "Wednesday, November 25, 3:00 PM, at Avon" in page
        for secret in (REASON, FAMILY_NAME, visit.clinician.family_name, "Office"):
            assert secret not in page

    @pytest.mark.parametrize("purpose", ["confirm", "cancel"])
    def test_it_is_not_kept_nor_found_nor_told_on(self, visit, purpose):
        answer = Client().get(address(purpose))

        assert answer["Cache-Control"] == "no-store"
        assert answer["Referrer-Policy"] == "same-origin"
        assert answer["X-Robots-Tag"] == "noindex, nofollow"
        assert "script" not in answer.content.decode()
        assert " style=" not in answer.content.decode()

    def test_it_speaks_the_patients_language(self, visit):
        Patient.objects.update(language="es-MX")

        page = Client().get(address("cancel")).content.decode()

        assert '<html lang="es">' in page
        assert "miércoles 25 de noviembre, 15:00" in page


class TestConfirming:
    def test_it_confirms_and_says_so(self, visit, pat):
        answer = Client().post(address("confirm"))

        assert (answer.status_code, now_of(visit).confirmed_at) == (200, NOW)
        assert b"is confirmed" in answer.content
        told = Caller(pat.user).get(f"/appointments/{visit.pk}/history").json()["results"][-1]
        assert (told["kind"], told["by"]) == ("confirmed", "link")
        assert Caller(pat.user).get(f"/appointments/{visit.pk}").json()["confirmed_at"] == "2026-11-24T09:00:00-05:00"

    def test_a_second_click_does_no_harm(self, visit):
        Client().post(address("confirm"))
        before = visit.changes.count()

        again = Client().post(address("confirm"))

        assert (again.status_code, visit.changes.count()) == (200, before)
        assert b"is confirmed" in again.content


class TestCancelling:
    def test_it_cancels_as_the_patient(self, visit):
        answer = Client().post(address("cancel"))

        assert (answer.status_code, now_of(visit).status) == (200, "cancelled")
        last = visit.changes.last()
        assert (last.actor, last.via) == (None, "link")
        assert b"is cancelled" in answer.content

    def test_a_second_click_does_no_harm(self, visit):
        first, again = (Client().post(address("cancel")) for _ in range(2))

        assert (first.status_code, again.status_code) == (200, 200)
        assert visit.changes.filter(kind="cancelled").count() == 1

    def test_it_says_what_it_costs_before(self, visit, nine):
        CancellationPolicy.objects.create(free_until_hours_before=24, fee_code="late", during=ALWAYS)
        path = address("cancel")

        in_time = Client().get(path)
        nine.move_to(at(16))
        late = Client().get(path)
        Client().post(path)

        assert b"is free." in in_time.content
        assert b"24 hours before" in late.content
        assert b"fee applies" in late.content
        assert now_of(visit).fee_code == "late"

    def test_a_visit_cancelled_otherwise_is_told_as_cancelled(self, visit):
        acts.cancel(visit)

        assert b"is cancelled" in Client().get(address("cancel")).content
        assert Client().post(address("confirm")).status_code == 410
        assert now_of(visit).confirmed_at is None


class TestOtherLinks:
    @pytest.mark.parametrize("token", ["x", "A" * 22, "\u00e9" * 22, "A" * 400])
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_an_unknown_one_gets_a_kind_page(self, visit, token, method):
        answer = getattr(Client(), method)(f"/cancel/{token}")

        assert answer.status_code == 404
        assert b"This link does not work" in answer.content

    def test_one_is_for_one_purpose(self, visit):
        answer = Client().post(address("confirm").replace("confirm", "cancel"))

        assert (answer.status_code, now_of(visit).status) == (404, "booked")

    @pytest.mark.parametrize("purpose", ["confirm", "cancel"])
    def test_one_of_a_visit_that_was_moved_says_so(self, avon, office, visit, purpose):
        old = address(purpose)
        moved = acts.move(visit, avon.slot(at(16, days=1), office))

        answer = Client().post(old)

        assert (answer.status_code, now_of(visit).status, now_of(visit).confirmed_at) == (410, "booked", None)
        assert b"was moved" in answer.content
        assert Client().post(address(purpose, moved)).status_code == 200

    @pytest.mark.parametrize("purpose", ["confirm", "cancel"])
    def test_one_is_over_when_the_visit_begins(self, visit, nine, purpose):
        path = address(purpose)
        nine.move_to(at(15, days=1))

        answer = Client().post(path)

        assert (answer.status_code, now_of(visit).status) == (410, "booked")
        assert b"This link is over" in answer.content

    def test_one_that_was_used_up_is_over(self, visit):
        Link.objects.update(used_at=NOW - timedelta(hours=1))

        assert Client().post(address("cancel")).status_code == 410
        assert now_of(visit).status == "booked"

    def test_a_move_asks_for_a_new_confirmation(self, avon, office, visit):
        Client().post(address("confirm"))

        acts.move(visit, avon.slot(at(16, days=1), office))

        assert now_of(visit).confirmed_at is None


class TestCsrf:
    def test_the_form_works_in_a_browser_and_from_nowhere_else(self, visit):
        path = address("confirm")
        browser = Client(enforce_csrf_checks=True)

        page = browser.get(path).content.decode()
        token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
        without = browser.post(path)
        elsewhere = browser.post(path, {"csrfmiddlewaretoken": token}, headers={"Origin": "https://evil.example"})
        assert now_of(visit).confirmed_at is None
        ours = browser.post(path, {"csrfmiddlewaretoken": token}, headers={"Origin": "http://testserver"})

        assert (without.status_code, elsewhere.status_code, ours.status_code) == (403, 403, 200)
        assert now_of(visit).confirmed_at == NOW

    def test_other_methods_are_refused(self, visit):
        assert Client().put(address("cancel")).status_code == 405
        assert Client().delete(address("cancel")).status_code == 405


class TestConfirmingByTheApi:
    def test_it_is_confirmed_once_and_history_tells_by_whom(self, visit, pat):
        me = Caller(pat.user)

        first, again = (me.post(f"/appointments/{visit.pk}/confirm") for _ in range(2))

        assert (first.status_code, again.status_code) == (200, 200)
        assert first.json()["confirmed_at"] == "2026-11-24T09:00:00-05:00"
        told = me.get(f"/appointments/{visit.pk}/history").json()["results"]
        assert [(row["kind"], row["by"]) for row in told][-2:] == [("booked", "patient"), ("confirmed", "patient")]

    def test_a_cancelled_visit_is_not_confirmed(self, visit, pat):
        acts.cancel(visit)

        answer = Caller(pat.user).post(f"/appointments/{visit.pk}/confirm")

        assert (answer.status_code, answer.json()["code"]) == (409, "not_confirmable")

    def test_nobody_else_confirms(self, visit):
        for user, status in ((cast.make_patient("Other").user, 404), (None, 401)):
            assert Caller(user).post(f"/appointments/{visit.pk}/confirm").status_code == status
