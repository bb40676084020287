"""A consult by video in the care of Reyes, and each provider of calls in turn."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import LazySettings

from clinics.models import Clinician, Patient, Session, User
from tests import cast
from tests.calls import sign_in
from tests.cast import NOW
from tests.virtualcare import people
from tests.virtualcare.video import livekit_server
from tests.virtualcare.video.studios import TURN_SECRET, TURN_URL, Device, LiveKit, Peer, Studio
from virtualcare.models import Consult
from virtualcare.video import calls

STUDIOS: dict[str, Any] = {"peer": Peer, "livekit": LiveKit}


@pytest.fixture
def turn(settings: LazySettings) -> None:
    settings.TURN_URLS, settings.TURN_SECRET = [TURN_URL], TURN_SECRET


@pytest.fixture
def livekit(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> LiveKit:
    settings.VIDEO_PROVIDER = "livekit"
    settings.VIDEO_ADAPTERS = {**settings.VIDEO_ADAPTERS, "livekit": livekit_server.__name__}
    settings.LIVEKIT = {
        "URL": livekit_server.URL,
        "API_URL": "",
        "API_KEY": livekit_server.KEY,
        "API_SECRET": livekit_server.SECRET,
    }
    monkeypatch.setattr(livekit_server, "server", livekit_server.Server())
    return LiveKit()


@pytest.fixture(params=STUDIOS)
def studio(request: pytest.FixtureRequest, turn: None) -> Studio:
    if request.param == "livekit":
        return request.getfixturevalue("livekit")  # type: ignore[no-any-return]  # of that fixture
    return Peer()


@pytest.fixture
def pat(db: None) -> Patient:
    return cast.make_patient("Pat")


@pytest.fixture
def by_video(pat: Patient, reyes: Clinician) -> Consult:
    people.waiting(pat, modality="video")
    return people.taken(reyes)


@pytest.fixture
def by_text(pat: Patient, reyes: Clinician) -> Consult:
    people.waiting(pat)
    return people.taken(reyes)


def session_of(user: User) -> Any:
    """A sign-in of `user`."""
    sign_in(user)
    return Session.objects.filter(user=user).latest("created_at").id


@pytest.fixture
def device() -> Callable[..., Device]:
    """Asks how to join, and keeps what it was told."""

    def ask(consult: Consult, user: User, now: Any = NOW) -> Device:
        participant, info = calls.join(consult=consult, user=user, session=session_of(user), now=now)
        return Device(consult, user, participant, info)

    return ask
