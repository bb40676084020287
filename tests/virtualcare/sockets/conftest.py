"""A socket server on the tests' database and Valkey, and a consult with its two sides."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinics.models import Clinician, Patient, User
from tests import cast
from tests.virtualcare import people
from tests.virtualcare.sockets import serving
from tests.virtualcare.sockets.serving import Client, Server, until
from virtualcare import news
from virtualcare.models import Consult, Duty
from virtualcare.sockets import tickets


@pytest.fixture(scope="package")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Started once for all of this."""
    with serving.serving(tmp_path_factory.mktemp("sockets"), str(connection.settings_dict["NAME"])) as server:
        yield server


@dataclass
class Pair:
    """A consult in the care of a doctor, and its patient."""

    consult: Consult
    doctor: Clinician
    patient: Patient

    @property
    def path(self) -> str:
        return tickets.consult_path(self.consult.pk)

    @property
    def patients_user(self) -> User:
        return people.user_of(self.patient)

    @property
    def doctors_user(self) -> User:
        return people.user_of(self.doctor)

    def patients(self, server: Server) -> Client:
        return server.connect(serving.url_for(self.patients_user, self.path)).ready()

    def doctors(self, server: Server) -> Client:
        return server.connect(serving.url_for(self.doctors_user, self.path)).ready()


def in_care(modality: str = "text") -> Pair:
    """Made without a word to sockets, which would hear of it late."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(news.kicker, "kick", lambda: None)
        pair = made(modality)
        news.pending.clear()
    return pair


def made(modality: str) -> Pair:
    now = timezone.now()
    doctor = people.make_doctor("Reyes")
    people.on_call(doctor, starts=now - timedelta(hours=1), ends=now + timedelta(hours=1))
    Duty.objects.filter(pk=doctor.pk).update(heard_at=now)
    patient = cast.make_patient("Pat")
    people.waiting(patient, modality=modality, now=now)
    return Pair(people.taken(doctor, now=now), doctor, patient)


@pytest.fixture
def pair(transactional_db: None) -> Pair:
    return in_care()


@pytest.fixture
def call(transactional_db: None) -> Pair:
    """The same, held by video."""
    return in_care("video")


@pytest.fixture
def listening(server: Server, pair: Pair) -> Iterator[None]:
    """The server hears what Valkey says, as it does half a second after its first socket; and it fails nowhere."""
    with pair.patients(server):
        until(server.hears)
    yield
    assert "Traceback" not in server.log.read_text()
