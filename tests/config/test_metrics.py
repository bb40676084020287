"""What Prometheus is told, to whom, and that the alerts ask for what there is."""

import re
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path

import pytest
import redis
import time_machine
from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from clinics.models import Patient
from config import metrics
from scheduling import shifts
from scheduling.models import VisitType, WeeklyHours
from tests import calls
from tests.cast import NOW, Place
from tests.virtualcare import people
from virtualcare.models import Consult

ROOT = Path(__file__).resolve().parent.parent.parent
TOKEN = "a-token-of-prometheus-alone-0123"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """However slow the machine."""
    monkeypatch.setattr(metrics, "STATEMENT_TIMEOUT", "60s")
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        monkeypatch.setattr(metrics, "valkey", lambda: client)
        yield


@pytest.fixture
def asked(db: None, settings):
    settings.METRICS_TOKEN = TOKEN

    def ask(token: str = TOKEN) -> dict[str, float]:
        answer = Client().get("/metrics", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        return samples(answer.content.decode())

    return ask


def sign_in(patient: Patient) -> str:
    assert patient.user
    return calls.sign_in(patient.user)


def samples(text: str) -> dict[str, float]:
    """Each sample by its name and labels, as in `sameday_refusals_total{code="x"}`."""
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f'{name}="{value}"' for name, value in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1]])
def test_it_is_not_there_for_strangers(settings, token: str):
    settings.METRICS_TOKEN = TOKEN

    answer = Client().get("/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})

    assert (answer.status_code, answer.content) == (404, b"not found\n")


def test_it_is_not_there_without_a_token(settings):
    settings.METRICS_TOKEN = ""

    assert Client().get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_it_counts_requests_by_route_and_refusals_by_code(asked, pat: Patient):
    token = sign_in(pat)
    before = asked()
    client = Client(headers={"X-Session-Token": token})
    client.get(f"/api/v1/appointments/{pat.pk}")
    client.get(f"/api/v1/{pat.pk}")
    after = asked()

    route = "api/v1/appointments/<uuid:visit_id>"
    counted = f'sameday_requests_total{{method="GET",route="{route}",status="404"}}'
    refused = f'sameday_refusals_total{{code="not_found",route="{route}"}}'
    nothing = 'sameday_requests_total{method="GET",route="none",status="404"}'
    for name in (counted, refused, nothing):
        assert after[name] == before.get(name, 0) + 1
    assert str(pat.pk) not in " ".join(after)


def test_it_tells_how_far_shifts_are_made(asked, avon: Place, office: VisitType):
    horizon = metrics.watching.facts(now=NOW)
    assert horizon["horizon_days"] is None

    give_hours(avon, office)
    assert metrics.watching.facts(now=NOW)["horizon_days"] == 0
    shifts.extend(now=NOW)

    assert 89 <= (metrics.watching.facts(now=NOW)["horizon_days"] or 0) <= 92
    assert metrics.watching.facts(now=NOW + timedelta(days=30))["horizon_days"] == pytest.approx(61, abs=1)


def give_hours(place: Place, office: VisitType) -> None:
    WeeklyHours.objects.create(
        clinician=place.clinicians[0],
        clinic=place.clinic,
        weekday=0,
        starts=time(9),
        ends=time(17),
        visit_types=[office.pk],
        during=DateRange(NOW.date() - timedelta(days=7), None),
    )


def test_it_tells_what_it_can_while_the_database_is_away(monkeypatch):
    monkeypatch.setattr(metrics.transaction, "atomic", _raise)

    told = samples(metrics.text(now=NOW).decode())

    assert told["sameday_database_up"] == 0
    assert told["sameday_broker_up"] == 1
    assert "sameday_messages_due" not in told


def _raise() -> None:
    raise metrics.Error


def test_it_knows_when_beat_was_last_there(asked):
    metrics.note_beat(now=NOW)

    assert asked()["sameday_beat_last_run_timestamp_seconds"] == NOW.timestamp()


def test_its_facts_take_few_statements(asked, django_assert_max_num_queries):
    with django_assert_max_num_queries(14):
        asked()


def a_wait_that_was_told() -> None:
    """Of ten minutes, told to be five to nine."""
    consult = people.waiting(now=NOW)
    Consult.objects.filter(pk=consult.pk).update(
        promised_low=5, promised_high=9, accepted_at=NOW + timedelta(minutes=10)
    )


@time_machine.travel(NOW + timedelta(minutes=20), tick=False)
def test_it_tells_hours_without_a_clinician_and_what_became_of_waits_told(asked, avon: Place):
    people.on_call(people.make_doctor(), starts=NOW, ends=NOW + timedelta(hours=44), modalities=["text"])
    a_wait_that_was_told()

    told = asked()

    assert told['sameday_coverage_gap_hours{modality="text",state="OH"}'] == 5
    assert told['sameday_coverage_gap_hours{modality="video",state="OH"}'] == 49
    assert told['sameday_waits_told{modality="text"}'] == 1
    assert told['sameday_waits_inside_ratio{modality="text"}'] == 0
    assert told['sameday_waits_mean_error_minutes{modality="text"}'] == 3
    assert 'sameday_waits_told{modality="video"}' not in told


@time_machine.travel(NOW + timedelta(minutes=20), tick=False)
def test_alerts_ask_for_what_there_is(asked, avon: Place, office: VisitType):
    metrics.note_beat(now=NOW)
    give_hours(avon, office)
    a_wait_that_was_told()
    Client().get("/api/v1/me")
    there = {name.partition("{")[0] for name in asked()}
    rules = (ROOT / "deploy/alerts.yml").read_text()

    expressions = re.findall(r"expr:(.*?)(?=\n +for:)", rules, re.DOTALL)
    used = set(re.findall(r"\bsameday_[a-z_]+\b", " ".join(expressions)))

    assert len(expressions) == rules.count("alert:")
    assert used
    assert used <= there
