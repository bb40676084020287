"""What people are told of their wait, simulated for three weeks: the bounds of `make simulate` over sixty days."""

from pathlib import Path

import pytest

from bench import simulate_waits
from bench.simulate_waits import INSIDE, MOST_ERROR, SCENES, Doctor, Person, Scene, Simulation

DAYS, FIRST, SEED = 21, 5, 3


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.modality)
def test_it_tells_waits_that_come_true(scene: Scene):
    outcome = simulate_waits.simulate(scene, days=DAYS, first=FIRST, seed=SEED)

    assert len(outcome.people) > 3000
    assert outcome.untold == 0
    assert 5 < outcome.mean_wait < 15
    assert outcome.mean_error < MOST_ERROR
    assert INSIDE[0] <= outcome.inside <= INSIDE[1]


def test_it_misses_without_recalibration(monkeypatch: pytest.MonkeyPatch):
    # The control: text consults last 24 minutes, where the defaults believe in 10.
    monkeypatch.setattr(Simulation, "recalibrate", lambda room, now: None)

    outcome = simulate_waits.simulate(SCENES[1], days=DAYS, first=FIRST, seed=SEED)

    assert not outcome.is_right
    assert outcome.inside < INSIDE[0]


def test_it_says_the_same_of_the_same_chances():
    once, again = (simulate_waits.simulate(SCENES[0], days=2, first=0, seed=SEED) for _ in range(2))

    assert [person.waited for person in once.people] == [person.waited for person in again.people]
    assert [person.told for person in once.people] == [person.told for person in again.people]


def test_nobody_is_left_waiting_or_taken_by_somebody_without_a_licence(monkeypatch: pytest.MonkeyPatch):
    took = []
    take = Simulation.is_taken

    def noted(room: Simulation, person: Person, doctor: Doctor, at: float) -> None:
        took.append((person, doctor, at))
        take(room, person, doctor, at)

    monkeypatch.setattr(Simulation, "is_taken", noted)
    room = Simulation(SCENES[0], 3, simulate_waits.random.Random(SEED), simulate_waits.DEFAULTS["video"])

    room.run()

    assert took
    assert all(person.state in doctor.states for person, doctor, _ in took)
    assert all(doctor.held == 0 for _, doctor, _ in took)
    # Those who came in the last minutes of the last day may be left when the last shift ends.
    assert all(person.came > 3 * simulate_waits.DAY - 3600 for person in room.waiting)


def test_it_writes_pictures_and_figures_and_says_whether_the_targets_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr("sys.argv", ["simulate", "--days", "14", "--to", str(tmp_path)])

    assert simulate_waits.main() == 0

    assert sorted(file.name for file in tmp_path.iterdir()) == ["text.svg", "video.svg", "waits.json"]
    drawn = (tmp_path / "video.svg").read_text("utf-8")
    assert drawn.count("<rect") > 2 * 14
    assert "style" not in drawn
    assert capsys.readouterr().out.count("as it should be") == 2
