"""The benchmark's own pieces, at their smallest, so that they keep up with what they measure. Nothing is timed here."""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from bench import cpu, history, measuring, network, reminders, report, servers
from bench.board import Board
from bench.measuring import Size, Stand
from bench.report import History, Volume
from memberships.models import VisitPrice
from scheduling.models import VisitType
from tests import cast

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
    return network.plant(now=datetime.now(UTC))


@pytest.fixture
def stand(board: Board, tmp_path: Path) -> Iterator[Stand]:
    """The production server on the test's database."""
    url = servers.named(os.environ["DATABASE_URL"], connection.settings_dict["NAME"])
    environment = servers.environment(tmp_path, {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL})
    environment |= {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS}
    with contextlib.ExitStack() as stack:
        port, web = stack.enter_context(servers.web(environment, tmp_path / "web.log"))
        load = stack.enter_context(measuring.load())
        yield Stand(load, url, port, web, cpu.postmaster(url), cpu.valkey(settings.REDIS_URL), SMALL)


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
    url = servers.named(os.environ["DATABASE_URL"], connection.settings_dict["NAME"])

    before = history.past_visits(url)
    history.add_history(url, SMALL.history)
    made = history.past_visits(url)
    pages = history.pages_read(url, board.questions[0])
    history.delete_history(url)

    assert made == before + SMALL.history
    assert pages > 0
    assert history.past_visits(url) == 0


@pytest.mark.slow
def test_it_sends_each_reminder_once(transactional_db: None, tmp_path: Path) -> None:
    url = servers.named(os.environ["DATABASE_URL"], connection.settings_dict["NAME"])
    environment = servers.environment(tmp_path, {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL})
    environment |= {"SECRET_KEY": settings.SECRET_KEY, "ENCRYPTION_KEYS": settings.ENCRYPTION_KEYS}

    sent = reminders.drained(environment, 5)

    assert (sent.reminders, sent.messages, sent.taken, sent.repeated) == (5, 5, 5, 0)
    assert sent.targets()[0].reached
    assert "5 reminders due" in sent.show()


def test_quantiles_are_of_the_nearest_rank() -> None:
    values = [float(value) for value in range(1, 21)]

    assert (measuring.quantile(values, 0.5), measuring.quantile(values, 0.95)) == (10, 19)
    assert measuring.quantile([7.0], 0.95) == 7
