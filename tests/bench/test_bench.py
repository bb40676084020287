"""The benchmark's own pieces, at their smallest, so that they keep up with what they measure. Nothing is timed here."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from bench import broker, cpu, draining, history, measuring, network, reminders, report, rosters, servers, sockets
from bench.board import Board
from bench.measuring import Size, Stand
from bench.report import History, Volume
from bench.socket_crowd import LOOKS_AFTER
from clinics.models import Message
from memberships.models import VisitPrice
from scheduling.models import Reminder, VisitType
from tests import cast, owner

SMALL = Size(rounds=1, seconds=0.2, visits=2, clients=(1, 2), history=100)


@pytest.fixture
def board(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Board:
    """A network just big enough for a page of a search."""
    monkeypatch.setattr(network, "CLINICS", 3)
    monkeypatch.setattr(network, "DAYS", 4)
    monkeypatch.setattr(network, "BOOKERS", 12)
    monkeypatch.setattr(network, "SPREAD", range(8))
    monkeypatch.setattr(network, "AT_CLINIC", range(8, 10))
    monkeypatch.setattr(network, "WITH_CLINICIAN", range(10, 12))
    kind = cast.make_visit_type("office")
    assert VisitType.objects.get() == kind
    assert VisitPrice.objects.exists()
    with owner.acting():
        return network.plant(now=datetime.now(UTC))


@pytest.fixture
def stand(board: Board, tmp_path: Path) -> Iterator[Stand]:
    """The production server on the test's database."""
    url = owner.applications_address()
    environment = servers.environment(tmp_path, {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL})
    environment |= {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS}
    with contextlib.ExitStack() as stack:
        port, web = stack.enter_context(servers.web(environment, tmp_path / "web.log"))
        load = stack.enter_context(measuring.load())
        yield Stand(load, url, port, web, cpu.postmaster(owner.address()), cpu.valkey(settings.REDIS_URL), SMALL)


@pytest.mark.slow
def test_it_searches_and_books_the_same_over_http_and_as_bare_sql(stand: Stand, board: Board) -> None:
    volume = Volume("tiny", board.counts, [], [], [], [])
    volume.searches.append(measuring.search(stand, board.questions[0], 2))
    before, after = measuring.search_on_both(stand, stand, board.questions[1])
    volume.histories.append(History(0, 100, 10, 10, before, after))
    volume.bookings.append(measuring.book(stand, "hold + book", iter(board.spread), 2))

    [booked] = volume.bookings
    lines = [*volume.searches, before, after, booked]
    assert [figures.refusals for line in lines for figures in (line.http, line.sql)] == [[]] * 8
    assert (booked.http.pieces, booked.sql.pieces) == (4, 4)
    assert all(figures.pieces and figures.p95 for line in lines for figures in (line.http, line.sql))
    assert "hold + book" in report.show(volume)
    assert volume.as_json()["lines"]


def test_it_wants_no_time_twice(board: Board) -> None:
    wanted = [(visit.clinician, visit.start) for visit in (*board.spread, *board.clinic, *board.clinician)]
    by_patient = [(visit.patient, visit.start.date()) for visit in (*board.spread, *board.clinic, *board.clinician)]

    assert len(board.spread) > 8
    assert len(set(wanted)) == len(wanted)
    assert len(set(by_patient)) == len(by_patient)


def test_it_makes_and_forgets_a_past(board: Board) -> None:
    url = owner.address()

    before = history.past_visits(url)
    history.add_history(url, SMALL.history)
    made = history.past_visits(url)
    pages = history.pages_read(url, board.questions[0])
    history.delete_history(url)

    assert made == before + SMALL.history
    assert pages > 0
    assert history.past_visits(url) == 0


@pytest.mark.slow
def test_it_books_beside_a_broker_that_hangs(stand: Stand, board: Board, tmp_path: Path) -> None:
    environment = servers.environment(tmp_path, {"DATABASE_URL": stand.database_url})
    environment |= {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS}
    with (
        broker.hanging() as deaf,
        servers.web(environment | {"REDIS_URL": deaf}, tmp_path / "hangs.log") as (port, web),
    ):
        hangs = dataclasses.replace(stand, port=port, web=web)
        beside = broker.measure(stand, hangs, iter(board.spread), 2)

    assert (beside.answers.refusals, beside.hangs.refusals) == ([], [])
    assert (beside.answers.pieces, beside.hangs.pieces) == (4, 4)
    assert beside.targets()[-1].reached
    assert "the broker hangs" in beside.show()
    assert beside.as_json()["ratio"]


@pytest.mark.slow
def test_it_sends_each_reminder_once(transactional_db: None, tmp_path: Path) -> None:
    url = owner.applications_address()
    environment = servers.environment(tmp_path, {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL})
    environment |= {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS}

    sent = reminders.drained(environment, 5)

    assert (sent.reminders, sent.messages, sent.taken, sent.repeated) == (5, 5, 5, 0)
    assert (sent.bare.count, Message.objects.filter(status="sent", template="bare").count()) == (5, 5)
    assert Reminder.objects.filter(status="sent").count() == 10
    assert 10 < sent.statements < 1000
    assert all(spent > 0 for spent in (sent.seconds, sent.cpu, sent.bare.seconds, sent.bare.cpu))
    assert sent.targets()[0].reached
    assert all(words in sent.show() for words in ("5 reminders due", "statements each", "bare SQL and SMTP"))
    assert json.loads(reminders.write(sent, tmp_path).read_text())["bare"]["count"] == 5


def test_its_worker_is_the_one_of_production() -> None:
    compose = yaml.safe_load((servers.ROOT / "compose.yaml").read_text())
    command = " ".join(compose["services"]["worker"]["command"]).replace("${WORKER_THREADS:-4}", "4")

    assert command == " ".join(["celery", "--app", "config", *draining.WORKER])


@pytest.mark.slow
def test_it_works_rosters_out(transactional_db: None, tmp_path: Path) -> None:
    url = owner.applications_address()
    environment = servers.environment(tmp_path, {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL})
    environment |= {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS}

    first, following = rosters.worked(environment, 2_000)

    assert first.diff == {"adds": 2_000, "changes": 0, "ends": 0, "unchanged": 0, "errors": 0}
    assert following.diff == {"adds": 0, "changes": 20, "ends": 0, "unchanged": 1_980, "errors": 0}
    assert all(one.targets()[0].reached for one in (first, following))
    assert "2,000 people" in first.show()


@pytest.mark.slow
def test_it_holds_sockets_and_tells_them(transactional_db: None, tmp_path: Path) -> None:
    cast.make_visit_type("office")  # by which the web server is known to answer
    url = owner.applications_address()
    environment = servers.environment(tmp_path, {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL})

    held = sockets.held(environment, tmp_path, 50, 20)

    assert (held.sockets, held.watchers) == (50, 20)
    assert 0 < held.push_p50 < LOOKS_AFTER  # which is what is lost
    assert 0 < held.chat_p50 < LOOKS_AFTER
    assert "50 idle sockets" in held.show()
    assert json.loads(sockets.write(held, tmp_path).read_text())["watchers"] == 20


def test_quantiles_are_of_the_nearest_rank() -> None:
    values = [float(value) for value in range(1, 21)]

    assert (measuring.quantile(values, 0.5), measuring.quantile(values, 0.95)) == (10, 19)
    assert measuring.quantile([7.0], 0.95) == 7
