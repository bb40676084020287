"""What an open socket hears, from whom, and until when."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from websockets.exceptions import ConnectionClosed

from clinics.models import Session
from tests import cast
from tests.virtualcare import people
from tests.virtualcare.sockets.acts import finish, hand_to_another
from tests.virtualcare.sockets.conftest import Pair
from tests.virtualcare.sockets.serving import Client, Server, until, url_for
from virtualcare import news
from virtualcare.models import Consult, Duty
from virtualcare.sockets import base
from virtualcare.sockets.tickets import CLINICIAN_PATH

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("listening")]


FRAMES: list[str | bytes] = [
    "", "no json", "[]", "null", '"here"', "{}", '{"type": 1}', '{"type": null}', '{"type": "here", "x": NaN}',
    '{"type": "here", "x": ' + "[" * 40 + "]" * 40 + "}", "[" * 60_000, "1" * 60_000, b"\x00\x01",
]  # fmt: skip


class TestNews:
    def test_both_sides_hear_that_there_is_some_and_not_what(self, server: Server, pair: Pair):
        with pair.patients(server) as patients, pair.doctors(server) as doctors:
            news.tell(pair.consult.pk, "chat", seq=7)

            assert patients.hear() == doctors.hear() == {"type": "news", "what": "chat", "seq": 7}

    def test_it_comes_after_commit_and_never_of_what_is_rolled_back(self, server: Server, pair: Pair):
        with pair.patients(server) as patients:
            with transaction.atomic():
                news.tell(pair.consult.pk, "chat", seq=1)
                assert patients.hears_nothing()
                transaction.set_rollback(True)
            assert patients.hears_nothing()

            with transaction.atomic():
                news.tell(pair.consult.pk, "chat", seq=2)
            assert patients.hear()["seq"] == 2

    def test_nobody_hears_of_another_consult(self, server: Server, pair: Pair):
        other = people.waiting(cast.make_patient("Mia"), now=timezone.now())
        with pair.patients(server) as patients:
            news.tell(other.pk, "chat", seq=1)
            news.tell_clinicians()

            assert patients.hears_nothing()

    def test_consoles_hear_that_the_queue_has_changed(self, server: Server, pair: Pair):
        with server.connect(url_for(pair.doctors_user, CLINICIAN_PATH)).ready() as console:
            people.waiting(cast.make_patient("Mia"), now=timezone.now())

            assert console.hear() == {"type": "news", "what": "queue"}

    def test_a_patient_hears_that_their_status_changed(self, server: Server, pair: Pair):
        with pair.patients(server) as patients:
            finish(pair)

            assert patients.hear() == {"type": "news", "what": "status"}

    def test_words_of_people_never_come_this_way(self, pair: Pair):
        cases: list[tuple[str, dict[str, Any]]] = [("it hurts", {}), ("", {}), ("chat", {"body": "it hurts"})]
        for what, facts in cases:
            with pytest.raises(ValueError, match="never content"):
                news.tell(pair.consult.pk, what, **facts)


class TestRevoking:
    @pytest.mark.parametrize("why", ["session", "account", "password"])
    def test_who_is_signed_out_hears_no_more(self, server: Server, pair: Pair, why: str):
        user = pair.patients_user
        with pair.patients(server) as patients:
            if why == "session":
                Session.objects.filter(user=user).delete()
            elif why == "account":
                type(user).objects.filter(pk=user.pk).update(is_active=False)
            else:
                user.set_password("another-horse-battery")
                user.save(update_fields=["password"])
            news.tell(pair.consult.pk, "status")

            assert patients.code() == base.NO_MORE

    def test_who_takes_no_part_any_more_hears_no_more(self, server: Server, pair: Pair):
        with pair.doctors(server) as doctors, pair.patients(server) as patients:
            pair.consult.carers.all().delete()
            Consult.objects.filter(pk=pair.consult.pk).update(clinician=people.make_doctor("Stone"))
            news.tell(pair.consult.pk, "status")

            assert doctors.code() == base.NO_MORE
            assert patients.hear() == {"type": "news", "what": "status"}

    def test_it_is_looked_at_without_news_too_and_who_stays_is_heard_of(self, server: Server, pair: Pair):
        console = server.connect(url_for(pair.doctors_user, CLINICIAN_PATH)).ready()
        with pair.patients(server) as patients, console:
            long_ago = timezone.now() - timedelta(minutes=5)
            Duty.objects.filter(pk=pair.doctor.pk).update(heard_at=long_ago)
            Session.objects.filter(user=pair.patients_user).delete()

            assert patients.code() == base.NO_MORE
            until(lambda: Duty.objects.get(pk=pair.doctor.pk).heard_at > long_ago)
            Session.objects.all().delete()
            news.hand_over(news.CLINICIANS, "status", {})
            assert console.code() == base.NO_MORE

    def test_an_open_socket_is_no_use_of_a_session(self, server: Server, pair: Pair):
        with pair.patients(server) as patients:
            long_ago = timezone.now() - timedelta(hours=1)
            Session.objects.filter(user=pair.patients_user).update(last_seen_at=long_ago)
            news.tell(pair.consult.pk, "status")
            patients.hear()

            assert not Session.objects.filter(user=pair.patients_user).exclude(last_seen_at=long_ago)


class TestTyping:
    def test_the_other_side_hears_of_it_and_no_more_often_than_every_two_seconds(self, server: Server, pair: Pair):
        with pair.patients(server) as patients, pair.doctors(server) as doctors:
            began = time.monotonic()
            for _ in range(5):
                patients.say(type="typing")
            assert doctors.hear() == {"type": "typing", "by": "patient"}
            assert doctors.hears_nothing() or time.monotonic() > began + 2
            assert patients.hears_nothing(0.1)

            doctors.say(type="typing")
            assert patients.hear() == {"type": "typing", "by": "clinician"}

    def test_nobody_hears_of_who_only_had_the_consult(self, server: Server, pair: Pair):
        with pair.patients(server) as patients, pair.doctors(server) as doctors:
            hand_to_another(pair)
            assert doctors.hear() == patients.hear() == {"type": "news", "what": "status"}
            doctors.say(type="typing")

            assert patients.hears_nothing()


class TestFrames:
    def test_one_that_means_nothing_ends_the_socket(self, server: Server, pair: Pair):
        for frame in FRAMES:
            with pair.patients(server) as patients:
                patients.connection.send(frame)

                assert patients.code() == base.BAD_FRAME, frame[:40]

    def test_one_that_is_too_large_ends_it(self, server: Server, pair: Pair):
        with pair.patients(server) as patients:
            patients.say(type="here", filler="x" * 70_000)

            assert patients.code() == 1009

    def test_text_that_is_no_utf_8_ends_it(self, server: Server, pair: Pair):
        with pair.patients(server) as patients:
            patients.connection.send(b"\xff\xfe", text=True)

            assert patients.code() == 1007

    def test_one_of_a_newer_client_is_passed_over(self, server: Server, pair: Pair):
        with pair.patients(server) as patients:
            patients.say(type="waves", at={"the": ["doctor"]})
            patients.say(type="__init__")

            news.tell(pair.consult.pk, "chat", seq=1)
            assert patients.hear()["what"] == "chat"

    def test_too_many_end_it(self, server: Server, pair: Pair):
        with pair.patients(server) as patients:
            send_on(patients, 400)

            assert patients.code() == base.TOO_MANY


def send_on(client: Client, times: int) -> None:
    for _ in range(times):
        if client.connection.close_code is not None:
            return
        try:
            client.say(type="here")
        except ConnectionClosed:
            return


class TestPresence:
    def test_a_patient_is_heard_of_who_comes_and_who_says_so(self, server: Server, pair: Pair):
        long_ago = timezone.now() - timedelta(minutes=5)
        consult = Consult.objects.filter(pk=pair.consult.pk)
        consult.update(seen_at=long_ago)

        with pair.doctors(server) as doctors:
            doctors.say(type="here")
            assert consult.get().seen_at == long_ago
        with pair.patients(server):
            assert consult.get().seen_at > long_ago

    def test_so_is_the_clinician_who_has_them(self, server: Server, pair: Pair):
        """In a call their list of patients may be closed: who is not heard of loses the patient."""
        long_ago = timezone.now() - timedelta(minutes=5)
        duty = Duty.objects.filter(pk=pair.doctor.pk)
        duty.update(heard_at=long_ago)

        with pair.patients(server):
            assert duty.get().heard_at == long_ago
        with pair.doctors(server):
            assert duty.get().heard_at > long_ago

    def test_a_console_is_heard_of(self, server: Server, pair: Pair):
        long_ago = timezone.now() - timedelta(minutes=5)
        duty = Duty.objects.filter(pk=pair.doctor.pk)
        duty.update(heard_at=long_ago)

        with server.connect(url_for(pair.doctors_user, CLINICIAN_PATH)).ready():
            assert duty.get().heard_at > long_ago


class TestMeasures:
    def test_it_counts_what_is_open(self, server: Server, pair: Pair):
        def opened(kind: str) -> str:
            return f'sameday_sockets_open{{kind="{kind}"}}'

        with pair.patients(server), server.connect(url_for(pair.doctors_user, CLINICIAN_PATH)).ready():
            told = server.ask("/metrics", Authorization="Bearer for-tests-a-metrics-token")[1]

        assert f"{opened('consult')} 1.0" in told
        assert f"{opened('clinician')} 1.0" in told
        assert "sameday_sockets_hear 1.0" in told
