"""Who gets a socket open, and who does not: tickets, sessions, origins, and who takes part."""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.test import override_settings
from django.utils import timezone
from websockets.exceptions import InvalidStatus

from clinics.models import Session
from tests import cast
from tests.virtualcare import people
from tests.virtualcare.sockets.conftest import Pair
from tests.virtualcare.sockets.serving import Server, session_of, url_for
from virtualcare.models import Consult
from virtualcare.sockets import base, origins, tickets
from virtualcare.sockets.tickets import CLINICIAN_PATH, BadTicket

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def refused(server: Server, url: str, **options: object) -> int:
    """The code with which the server closes what it does not open."""
    with server.connect(url, **options) as client:
        return client.code()


class TestParticipants:
    def test_it_lets_both_sides_in(self, server: Server, pair: Pair):
        with pair.patients(server) as patients, pair.doctors(server) as doctors:
            assert patients.hears_nothing(0.2)
            assert doctors.hears_nothing(0.2)

    def test_it_lets_in_who_had_the_consult(self, server: Server, pair: Pair):
        other = people.make_doctor("Stone")
        Consult.objects.filter(pk=pair.consult.pk).update(clinician=other)

        with pair.doctors(server) as reader:
            assert reader.hears_nothing(0.2)

    def test_a_stranger_finds_nothing_here(self, server: Server, pair: Pair):
        stranger = cast.make_patient("Stranger")

        assert refused(server, url_for(people.user_of(stranger), pair.path)) == base.NOTHING_HERE

    def test_nor_does_anybody_where_there_is_no_consult(self, server: Server, pair: Pair):
        path = tickets.consult_path(uuid.uuid4())

        assert refused(server, url_for(pair.patients_user, path)) == base.NOTHING_HERE

    def test_a_clinician_to_whom_it_is_only_offered_finds_nothing_yet(self, server: Server, pair: Pair):
        now = timezone.now()
        doctor = people.make_doctor("Stone")
        people.on_call(doctor, starts=now - timedelta(hours=1), ends=now + timedelta(hours=1))
        people.waiting(now=now)
        offered = people.claimed(doctor, now=now)
        assert offered is not None

        path = tickets.consult_path(offered.pk)
        assert refused(server, url_for(people.user_of(doctor), path)) == base.NOTHING_HERE

    def test_a_console_is_for_clinicians(self, server: Server, pair: Pair):
        with server.connect(url_for(pair.doctors_user, CLINICIAN_PATH)) as console:
            console.ready()

        assert refused(server, url_for(pair.patients_user, CLINICIAN_PATH)) == base.NOTHING_HERE


class TestTickets:
    def test_one_opens_one_socket(self, server: Server, pair: Pair):
        url = url_for(pair.patients_user, pair.path)

        with server.connect(url) as first:
            first.ready()
            assert refused(server, url) == base.NO_TICKET

    def test_it_is_good_for_a_minute(self, server: Server, pair: Pair):
        with time_machine.travel(timezone.now() - timedelta(seconds=62)):
            url = url_for(pair.patients_user, pair.path)

        assert refused(server, url) == base.NO_TICKET

    def test_it_is_good_for_its_path_alone(self, server: Server, pair: Pair):
        url = url_for(pair.doctors_user, pair.path)

        elsewhere = url.replace(pair.path, CLINICIAN_PATH)
        assert refused(server, elsewhere) == base.NO_TICKET

    def test_none_at_all_and_a_made_up_one_are_none(self, server: Server):
        url = f"ws://localhost{tickets.consult_path(uuid.uuid4())}"
        queries = ["", "?ticket=", *(f"?ticket={ticket}" for ticket in ("x", "a:b:c", "é", "%00", "W10:1:1"))]

        assert {refused(server, url + query) for query in queries} == {base.NO_TICKET}

    def test_one_of_another_secret_is_none(self, server: Server, pair: Pair):
        with override_settings(SECRET_KEY="another", SECRET_KEY_FALLBACKS=[]):
            url = tickets.url_for(session_of(pair.patients_user).id, pair.patients_user, pair.path)

        assert refused(server, url) == base.NO_TICKET

    def test_one_for_another_users_session_is_none(self, server: Server, pair: Pair):
        session = session_of(pair.doctors_user)

        url = tickets.url_for(session.id, pair.patients_user, pair.path)
        assert refused(server, url) == base.NO_TICKET

    def test_it_ends_with_its_session(self, server: Server, pair: Pair):
        url = url_for(pair.patients_user, pair.path)
        Session.objects.filter(user=pair.patients_user).delete()

        assert refused(server, url) == base.NO_TICKET

    def test_it_ends_with_the_password_of_its_session(self, server: Server, pair: Pair):
        url = url_for(pair.patients_user, pair.path)
        pair.patients_user.set_password("another-horse-battery")
        pair.patients_user.save(update_fields=["password"])

        assert refused(server, url) == base.NO_TICKET

    def test_it_tells_its_path_and_nothing_of_the_session(self, pair: Pair, settings: LazySettings):
        settings.SOCKETS_URL = "wss://care.test"
        url = url_for(pair.patients_user, pair.path)

        assert url.startswith(f"wss://care.test{pair.path}?ticket=")
        (ticket,) = parse_qs(urlsplit(url).query)["ticket"]
        assert tickets.opened(ticket, pair.path).user == pair.patients_user.pk
        with pytest.raises(BadTicket):
            tickets.opened(ticket, CLINICIAN_PATH)


class TestAddresses:
    def test_there_is_no_socket_anywhere_else(self, server: Server):
        for path in ("/", "/ws/", "/ws/consults/1", "/ws/consults/", "/admin/", "/ws/clinician/"):
            with pytest.raises(InvalidStatus) as refusal, server.connect(f"ws://localhost{path}"):
                pass
            assert refusal.value.response.status_code == 403

    def test_a_page_of_strangers_opens_none(self, server: Server, pair: Pair):
        url = url_for(pair.patients_user, pair.path)

        for origin in ("https://evil.example", "null", "http://localhost.evil.example", "file://"):
            with pytest.raises(InvalidStatus) as refusal, server.connect(url, origin=origin):
                pass
            assert refusal.value.response.status_code == 403
        with server.connect(url) as client:  # the ticket is not spent by them
            client.ready()

    def test_our_own_page_does(self, server: Server, pair: Pair, settings: LazySettings):
        with server.connect(url_for(pair.patients_user, pair.path), origin=settings.PUBLIC_URL) as client:
            client.ready()

    def test_in_production_no_other_port_is_ours(self, settings: LazySettings):
        settings.SOCKETS_FROM_LOCALHOST = False
        settings.PUBLIC_URL, settings.FRONTEND_URL = "https://care.test", "https://app.care.test/start"
        settings.CSRF_TRUSTED_ORIGINS = ["https://other.care.test"]

        ours = ["https://care.test", "https://app.care.test", "https://other.care.test"]
        theirs = [
            "http://localhost:8000",
            "https://care.test:8443",
            "http://care.test",
            "https://x.care.test",
            "",
            "//",
        ]
        assert [origin for origin in ours + theirs if origins.is_allowed(origin)] == ours

    def test_nothing_else_is_served(self, server: Server):
        assert server.ask("/healthz") == (200, "ok\n")
        assert [server.ask(path)[0] for path in ("/", "/metrics", "/admin/", "/api/v1/me")] == [404] * 4


class TestTooMany:
    def test_the_oldest_of_one_user_gives_way(self, server: Server, pair: Pair):
        with pair.patients(server) as first:
            others = [pair.patients(server) for _ in range(10)]

            assert first.code() == base.TOO_MANY
            assert all(client.hears_nothing(0.05) for client in others)
            for client in others:
                client.stack.close()


@pytest.fixture(autouse=True)
def without_traceback(server: Server) -> Iterator[None]:
    yield
    assert "Traceback" not in server.log.read_text()
