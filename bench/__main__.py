"""`make bench`: measure on the demo's volume; `make bench ARGS=--scale` on the big one, which takes long to seed once.

Exits with 1 where a target is missed. What depends on the machine alone is for orientation.
"""

import argparse
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from bench import broker, claims, cpu, history, measuring, reminders, report, rosters, servers, sockets
from bench.board import Board
from bench.measuring import Size, Stand
from bench.report import History, Volume
from config import embedded

DEMO, SCALE, HISTORY = "demo", "scale", "history"
CROWD = 8
PARTS = ("search", "history", "booking", "broker", "reminders", "rosters", "claims", "sockets")
ON_A_VOLUME = {"search", "history", "booking"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--scale", action="store_true", help="measure on the big volume instead of the demo's")
    parser.add_argument("--rounds", type=int, default=Size.rounds, help="of each kind, by turns (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=Size.seconds, help="of a round of searches (%(default)s)")
    parser.add_argument("--visits", type=int, default=Size.visits, help="of a client's round of bookings (%(default)s)")
    parser.add_argument("--reminders", type=int, default=5_000, help="that are due at once (default: %(default)s)")
    parser.add_argument("--people", type=int, default=100_000, help="on a roster (default: %(default)s)")
    parser.add_argument("--waiting", type=int, default=10_000, help="for a clinician (default: %(default)s)")
    parser.add_argument("--sockets", type=int, default=2_000, help="that are open at once (default: %(default)s)")
    parser.add_argument("--watchers", type=int, default=500, help="of them, that are told at once (%(default)s)")
    parser.add_argument("--only", choices=PARTS, action="append", help="a part of it")
    asked = parser.parse_args()
    size = Size(rounds=asked.rounds, seconds=asked.seconds, visits=asked.visits)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    parts = asked.only or PARTS
    targets: list[report.Target] = []
    with embedded.lent(servers.FOLDER) as urls:
        if ON_A_VOLUME & set(parts):
            volume = run(SCALE if asked.scale else DEMO, urls, size, parts)
            print(report.show(volume))
            print(f"\n{report.write(volume, servers.FOLDER)}, {time.monotonic() - began:.0f} s")
            targets += volume.targets()
        if "broker" in parts:
            beside = with_broker_hanging(urls, size)
            print(beside.show())
            targets += beside.targets()
        if "reminders" in parts:
            tell(f"{asked.reminders:,} reminders that are due, sent by one worker")
            sent = reminders.measure(urls, asked.reminders)
            print(f"{sent.show()}\n\n{reminders.write(sent, servers.FOLDER)}")
            targets += sent.targets()
        if "rosters" in parts:
            tell(f"Rosters of {asked.people:,} people, read, matched and diffed by one worker")
            for worked in rosters.measure(urls, asked.people):
                print(worked.show())
                targets += worked.targets()
        if "claims" in parts:
            tell(f"{asked.waiting:,} waiting, and clinicians who claim at once")
            taken = claims.measure(urls, asked.waiting)
            print(taken.show())
            targets += taken.targets()
        if "sockets" in parts:
            tell(f"{asked.sockets:,} sockets at one server, {asked.watchers} of them told at once, and chat")
            held = sockets.measure(urls, asked.sockets, asked.watchers)
            print(f"{held.show()}\n\n{sockets.write(held, servers.FOLDER)}")
            targets += held.targets()
    return 0 if all(target.reached or target.orientation for target in targets) else 1


def run(name: str, urls: dict[str, str], size: Size, parts: tuple[str, ...] | list[str]) -> Volume:
    """Prepare a volume and measure on it."""
    url = prepared(name, urls)
    board = planted(urls | {"DATABASE_URL": url})
    volume = Volume(name, board.counts, [], [], [], [])
    if "history" in parts and name == DEMO:
        volume.histories.append(with_history(urls, board, size))
    with standing(urls | {"DATABASE_URL": url}, size) as stand:
        measuring.warm_up(stand, board)
        if "search" in parts:
            for question in board.questions:
                for clients in size.clients:
                    tell(f"Search, {question.name}, {clients} clients")
                    volume.searches.append(measuring.search(stand, question, clients))
        if "booking" in parts:
            visits = iter(board.spread)
            for clients in size.clients:
                tell(f"Hold and book, {clients} clients")
                volume.bookings.append(measuring.book(stand, "hold + book", visits, clients))
            for where, crowded in (("one clinic", board.clinic), ("one clinician", board.clinician)):
                tell(f"Hold and book at {where}, {CROWD} clients")
                each = len(crowded) // (2 * size.rounds * CROWD)
                volume.crowds.append(measuring.book(stand, f"hold + book, {where}", iter(crowded), CROWD, each=each))
    return volume


def with_broker_hanging(urls: dict[str, str], size: Size) -> broker.Beside:
    """Hold and book at two servers on the demo's volume: one has Valkey, and the other one that hangs."""
    urls = urls | {"DATABASE_URL": prepared(DEMO, urls)}
    board = planted(urls)
    tell("Hold and book, with a broker and with one that hangs")
    with broker.hanging() as deaf, standing(urls, size) as answers, standing(urls, size, redis_url=deaf) as hangs:
        for stand in (answers, hangs):
            measuring.warm_up(stand, board)
        return broker.measure(answers, hangs, iter(board.spread))


def prepared(name: str, urls: dict[str, str]) -> str:
    """The volume's database with everything in it; its address."""
    url, is_seeded = servers.make_database(urls["DATABASE_URL"], name)
    environment = servers.environment(servers.FOLDER, urls | {"DATABASE_URL": url})
    tell(f"Migrations and data of the {name} volume{'' if is_seeded else ', for the first time'}")
    servers.manage(environment, "migrate", "--no-input", "--verbosity", "0")
    if name == SCALE and not is_seeded:
        servers.manage(environment, "seed_demo", "--scale")
    elif name == DEMO:
        servers.manage(environment, "seed_demo")
    servers.mark_ready(url)
    return url


def planted(urls: dict[str, str]) -> Board:
    """The board of a database, when what is measured is in it."""
    tell("Clinics, visits and patients to measure with")
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(
            [sys.executable, "-m", "bench.planting", file.name],
            env=servers.environment(servers.FOLDER, urls), cwd=servers.ROOT, check=True,
        )  # fmt: skip
        board: Board = pickle.loads(Path(file.name).read_bytes())  # noqa: S301 - from our own process
    return board


@contextmanager
def standing(urls: dict[str, str], size: Size, *, redis_url: str = "") -> Iterator[Stand]:
    """The web server on a database, and the load process beside it; with another broker, where one is named."""
    environment = servers.environment(servers.FOLDER, urls | ({"REDIS_URL": redis_url} if redis_url else {}))
    log = servers.FOLDER / "logs" / "web.log"
    with ExitStack() as stack:
        port, web = stack.enter_context(servers.web(environment, log))
        yield Stand(
            load=stack.enter_context(measuring.load()),
            database_url=urls["DATABASE_URL"],
            port=port,
            web=web,
            postgres=cpu.postmaster(urls["DATABASE_URL"]),
            valkey=cpu.valkey(urls["REDIS_URL"]),
            size=size,
        )


def with_history(urls: dict[str, str], board: Board, size: Size) -> History:
    """The big search on two copies of the database: without a past, and with a million visits behind it."""
    question = board.questions[-1]
    tell(f"Search without and with {size.history:,} visits of the past")
    admin = urls["DATABASE_URL"]
    copies: list[str] = []
    for count in (0, size.history):
        volume = f"{HISTORY}{len(copies)}"
        servers.drop_database(admin, volume)
        copy, _ = servers.make_database(admin, volume, template=servers.database_of(DEMO))
        history.delete_history(copy)
        if count:
            history.add_history(copy, count)
        copies.append(copy)
    try:
        with ExitStack() as stack:
            stands = [stack.enter_context(standing(urls | {"DATABASE_URL": copy}, size)) for copy in copies]
            for stand in stands:
                measuring.warm_up(stand, board)
            before, after = measuring.search_on_both(stands[0], stands[1], question)
        pages = [history.pages_read(copy, question) for copy in copies]
        past = [history.past_visits(copy) for copy in copies]
    finally:
        for number in range(len(copies)):
            servers.drop_database(admin, f"{HISTORY}{number}")
    return History(past[0], past[1], pages[0], pages[1], before, after)


def tell(what: str) -> None:
    print(f"── {what}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (embedded.ServerFailed, subprocess.CalledProcessError) as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
    except psutil.NoSuchProcess as gone:
        sys.exit(f"A process of the run ended before its time: {gone}")
