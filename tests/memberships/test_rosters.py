"""Rosters from file to applied: what each would change, who has to look, and what is there in the end."""

from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinics.models import Organization, User
from memberships import rosters
from memberships.models import Roster, SponsoredPeriod, SponsoredPerson
from memberships.rosters import diffing
from tests.cast import NOW
from tests.memberships import sponsors
from tests.memberships.sponsors import IYER, LOPEZ, TODAY, counts, day, make_benefits, put, send

pytestmark = pytest.mark.django_db
Days = list[tuple[date, date | None]]


@pytest.fixture
def works(db: None) -> Organization:
    return sponsors.make_employer()


@pytest.fixture
def hr(works: Organization) -> User:
    return make_benefits(works)


def employee(number: int, **more: str) -> str:
    facts = {"first": f"Ed{number}", "last": "Example", "born": "1980-01-01", "from": "2026-01-01", "to": "", **more}
    return f"{number},employee,{facts['first']},{facts['last']},{facts['born']},,{facts['from']},{facts['to']}"


def employees(count: int) -> list[str]:
    return [employee(number) for number in range(count)]


def on_roster(employer: Organization) -> dict[str, Days]:
    """Everybody's days by first name, last day included."""
    found: dict[str, Days] = {}
    for person in SponsoredPerson.objects.filter(employer=employer).prefetch_related("periods"):
        periods = sorted((period.during.lower, period.during.upper) for period in person.periods.all())
        found[person.first_name] = [(first, after and after - timedelta(days=1)) for first, after in periods]
    return found


def problems(roster: Roster) -> list[tuple[int | None, str]]:
    return list(roster.rows.filter(action="error").order_by("line").values_list("line", "error"))


NEW_YEAR = date(2026, 1, 1)
SINCE = [(NEW_YEAR, None)]


class TestFirst:
    def test_it_shows_what_a_file_would_change_and_changes_nothing(self, works: Organization, hr: User):
        roster = send(works, LOPEZ + IYER, hr)

        assert (roster.status, roster.is_held, counts(roster)) == ("diffed", False, (5, 0, 0, 0, 0))
        assert on_roster(works) == {}

    def test_it_applies_what_was_approved(self, works: Organization, hr: User):
        roster = put(works, LOPEZ + IYER, hr)

        assert (roster.status, roster.families_applied, roster.decided_by) == ("applied", 2, hr)
        assert on_roster(works) == dict.fromkeys(("Ana", "Ben", "Cia", "Dan", "Eve"), SINCE)
        assert SponsoredPerson.objects.filter(stale_since__isnull=False).count() == 0

    def test_a_dependent_may_come_before_their_employee(self, works: Organization, hr: User):
        assert counts(send(works, [*reversed(LOPEZ)], hr)) == (4, 0, 0, 0, 0)

    def test_without_a_first_day_they_begin_on_the_rosters(self, works: Organization, hr: User):
        put(works, ["7,employee,Ana,Lopez,1985-03-02,,,"], hr, as_of=day(3))

        assert on_roster(works) == {"Ana": [(day(3), None)]}

    def test_one_bad_line_never_fails_the_file(self, works: Organization, hr: User):
        bad = ["9,employee,Bad,Row,not a date,,,", "9,child,Kid,Row,2015-01-01,,,", employee(3), employee(3)]

        roster = put(works, LOPEZ + bad, hr)

        assert counts(roster) == (5, 0, 0, 0, 3)
        assert problems(roster) == [(6, "bad_date"), (7, "no_subscriber"), (9, "duplicate")]
        assert len(on_roster(works)) == 5


class TestAgain:
    @pytest.fixture(autouse=True)
    def first(self, works: Organization, hr: User) -> Roster:
        return put(works, LOPEZ + IYER, hr)

    def test_the_same_again_changes_nothing(self, works: Organization, hr: User):
        assert counts(put(works, [*IYER, *LOPEZ], hr)) == (0, 0, 0, 5, 0)

    def test_twins_are_two(self, works: Organization, hr: User):
        put(works, [*LOPEZ[:3], LOPEZ[3].replace("1,2026-01-01,", "2026-01-01,") + "2026-05-31", *IYER], hr)

        assert on_roster(works)["Cia"] == SINCE
        assert on_roster(works)["Dan"] == [(NEW_YEAR, date(2026, 5, 31))]

    def test_a_twin_who_goes_hands_nothing_to_one_who_comes(self, works: Organization, hr: User):
        """The same birth date and family, and another first name, is another person."""
        roster = put(works, [*LOPEZ[:3], LOPEZ[3].replace("Dan", "Fay"), *IYER], hr)

        assert counts(roster) == (1, 0, 1, 4, 0)
        assert on_roster(works)["Dan"] == [(NEW_YEAR, day(-1))]
        assert on_roster(works)["Fay"] == SINCE

    @pytest.mark.parametrize(
        ("line", "place"),
        [
            (LOPEZ[0].replace("Lopez", "Lopez-Reyes"), 0),
            (LOPEZ[0].replace("1985-03-02", "1985-02-03"), 0),
            (LOPEZ[1].replace("Ben", "Benjamin"), 1),
            (LOPEZ[1].replace("1984-07-12", "1984-12-07"), 1),
            (LOPEZ[2].replace("child", "other"), 2),
            (LOPEZ[2].replace(",,2026", ",cia@home.example,2026"), 2),
            (LOPEZ[2].replace("2026-01-01", "2026-02-01"), 2),
        ],
    )
    def test_a_correction_is_a_change_of_the_same_person(self, works: Organization, hr: User, line: str, place: int):
        people = set(SponsoredPerson.objects.values_list("pk", flat=True))

        roster = put(works, [*LOPEZ[:place], line, *LOPEZ[place + 1 :], *IYER], hr)

        assert counts(roster) == (0, 1, 0, 4, 0)
        assert set(SponsoredPerson.objects.values_list("pk", flat=True)) == people

    def test_a_number_that_names_somebody_else_is_an_error_and_ends_nobody(self, works: Organization, hr: User):
        roster = send(works, [*LOPEZ, IYER[0].replace("Eve", "Zed").replace("1990-01-31", "1971-01-01")], hr)

        assert counts(roster) == (0, 0, 0, 4, 1)
        assert problems(roster) == [(6, "number_reused")]

    def test_who_is_missing_in_a_full_file_ends_the_day_before_it(self, works: Organization, hr: User):
        roster = put(works, LOPEZ, hr)

        assert counts(roster) == (0, 0, 1, 4, 0)
        assert on_roster(works)["Eve"] == [(NEW_YEAR, day(-1))]

    def test_who_is_missing_in_a_file_of_changes_stays(self, works: Organization, hr: User):
        assert counts(send(works, [employee(3)], hr, kind="changes")) == (1, 0, 0, 0, 0)

    def test_dependents_end_with_their_employee(self, works: Organization, hr: User):
        roster = put(works, [LOPEZ[0] + "2026-11-30"], hr, kind="changes")

        assert counts(roster) == (0, 0, 4, 0, 0)
        assert on_roster(works)["Cia"] == on_roster(works)["Ana"] == [(NEW_YEAR, date(2026, 11, 30))]

    def test_dependents_end_with_their_employee_in_a_file_that_names_them_too(self, works: Organization, hr: User):
        ended = [LOPEZ[0] + "2026-11-30", *LOPEZ[1:], *IYER]
        roster = put(works, ended, hr)
        again = send(works, [*ended, employee(8)], hr)

        assert counts(roster) == (0, 0, 4, 1, 0)
        assert counts(again) == (1, 0, 0, 5, 0)

    def test_a_bad_line_ends_neither_its_person_nor_their_family(self, works: Organization, hr: User):
        bad = [LOPEZ[0].replace("1985-03-02", "1985"), ",employee,Eve,Iyer,1990-01-31,,,"]

        roster = send(works, [*bad, employee(4)], hr)

        assert counts(roster) == (1, 0, 0, 0, 2)

    @pytest.mark.parametrize(
        "bad",
        [
            ",employee,,Iyer,1990-01-31,,,",
            ",employee,Eve,,1990-01-31,,,",
            '"' + "x" * 9_000,
        ],
        ids=["no first name", "no last name", "unreadable"],
    )
    def test_a_line_that_names_nobody_in_full_ends_nobody_whom_it_may_mean(
        self, works: Organization, hr: User, bad: str
    ):
        roster = send(works, [*LOPEZ, bad, employee(4)], hr)

        assert counts(roster) == (1, 0, 0, 4, 1)

    def test_an_empty_line_with_a_sum_means_nobody(self, works: Organization, hr: User):
        assert counts(send(works, [*LOPEZ, ",,,,,,,5"], hr)) == (0, 0, 1, 4, 1)

    def test_hired_again_is_another_time_of_the_same_person(self, works: Organization, hr: User):
        put(works, [IYER[0] + "2026-03-31"], hr, kind="changes")

        roster = put(works, [IYER[0].replace("2026-01-01", "2026-05-01")], hr, kind="changes")

        assert counts(roster) == (1, 0, 0, 0, 0)
        assert on_roster(works)["Eve"] == [(NEW_YEAR, date(2026, 3, 31)), (date(2026, 5, 1), None)]

    def test_who_was_ended_by_mistake_is_back_without_a_gap(self, works: Organization, hr: User):
        put(works, LOPEZ, hr)

        put(works, [*IYER, *LOPEZ], hr)

        assert on_roster(works)["Eve"] == SINCE

    def test_one_who_has_not_begun_yet_and_goes_never_was(self, works: Organization, hr: User):
        put(works, [employee(5, **{"from": str(day(10))})], hr, kind="changes")

        put(works, [*LOPEZ, *IYER], hr)

        assert on_roster(works)["Ed5"] == []


class TestHeld:
    def test_a_file_that_ends_many_waits_for_a_second_person(self, works: Organization, hr: User):
        put(works, employees(40), hr)
        roster = send(works, employees(35), hr)

        with pytest.raises(rosters.SecondPersonNeeded):
            rosters.approve(roster=roster, actor=hr, now=NOW)
        assert roster.held_because == ["ends_many"]
        assert Roster.objects.get(pk=roster.pk).status == "diffed"

        applied = rosters.approve(roster=roster, actor=make_benefits(works, "second"), now=NOW)

        assert (applied.status, applied.ends) == ("applied", 5)

    @pytest.mark.parametrize(
        ("people", "adds", "ends", "because"),
        [
            (40, 0, 4, []),
            (50, 0, 5, []),
            (49, 0, 5, ["ends_many"]),
            (10, 0, 4, []),
            (10, 0, 5, ["ends_many", "halves"]),
            (10, 1, 5, ["ends_many"]),
            (2, 0, 1, ["halves"]),
            (2, 1, 1, []),
            (0, 0, 0, []),
        ],
    )
    def test_it_is_held_from_so_many_on(self, people: int, adds: int, ends: int, because: list[str]):
        found = diffing.held_because(is_empty=False, is_cut=False, people=people, adds=adds, ends=ends)

        assert found == because

    @pytest.mark.parametrize("content", [b"", sponsors.file()])
    def test_an_empty_file_waits(self, works: Organization, hr: User, content: bytes):
        put(works, employees(3), hr)

        roster = send(works, content, hr)

        assert roster.held_because == ["empty", "halves"]
        assert roster.ends == 3

    def test_a_file_that_breaks_off_waits(self, works: Organization, hr: User):
        put(works, employees(60), hr)
        whole = sponsors.file(*employees(58))

        roster = send(works, whole[:-20], hr)

        assert roster.held_because == ["truncated"]
        assert counts(roster) == (0, 0, 2, 57, 1)

    def test_a_file_whose_last_line_has_no_end_is_none_that_breaks_off(self, works: Organization, hr: User):
        assert send(works, sponsors.file(*employees(3)).rstrip(b"\n"), hr).held_because == []


class TestOrder:
    def test_the_same_file_again_is_known(self, works: Organization, hr: User):
        first = put(works, LOPEZ, hr)

        with pytest.raises(rosters.RosterSeen) as refused:
            send(works, LOPEZ, hr)

        assert refused.value.extra == {"roster": str(first.pk), "status": "applied"}

    def test_the_same_as_one_before_the_last_waits_for_a_second_person(self, works: Organization, hr: User):
        put(works, LOPEZ, hr)
        put(works, LOPEZ + IYER, hr)

        roster = send(works, LOPEZ, hr)

        assert roster.held_because == ["older"]

    def test_one_that_was_rejected_may_come_again(self, works: Organization, hr: User):
        rosters.reject(roster=send(works, LOPEZ, hr), actor=hr, now=NOW)

        assert send(works, LOPEZ, hr).status == "diffed"

    def test_another_employers_is_not(self, works: Organization, hr: User):
        put(works, LOPEZ, hr)
        other = sponsors.make_employer("Other")

        assert counts(send(other, LOPEZ, make_benefits(other))) == (4, 0, 0, 0, 0)

    def test_one_of_an_earlier_day_is_refused(self, works: Organization, hr: User):
        put(works, LOPEZ, hr, as_of=day(0))

        with pytest.raises(rosters.RosterOlder):
            send(works, IYER, hr, as_of=day(-1))

    def test_one_waits_at_a_time(self, works: Organization, hr: User):
        first = send(works, LOPEZ, hr)

        with pytest.raises(rosters.RosterOpen) as refused:
            send(works, IYER, hr)

        assert refused.value.extra == {"roster": str(first.pk)}

    def test_one_that_was_held_and_rejected_is_not_to_be_decided_on_by_anybody(self, works: Organization, hr: User):
        held = send(works, b"", hr)
        rosters.reject(roster=held, actor=hr, now=NOW)

        with pytest.raises(rosters.NotToDecide):
            rosters.approve(roster=Roster.objects.get(pk=held.pk), actor=hr, now=NOW)

    def test_what_is_decided_stays_so(self, works: Organization, hr: User):
        roster = put(works, LOPEZ, hr)

        for decide in (rosters.approve, rosters.reject):
            with pytest.raises(rosters.NotToDecide):
                decide(roster=roster, actor=hr, now=NOW)


class TestUndo:
    def test_it_takes_back_all_of_it_and_is_approved_as_any_other(self, works: Organization, hr: User):
        put(works, LOPEZ + IYER, hr)
        before = on_roster(works)
        names = list(SponsoredPerson.objects.order_by("pk").values("last_name", "last_key", "email"))
        changed = [LOPEZ[0].replace("Lopez", "Reyes"), *LOPEZ[1:3], employee(9)]
        roster = put(works, changed, hr)
        assert counts(roster) == (1, 1, 2, 2, 0)

        undone = rosters.undo(roster=roster, actor=hr, now=NOW)
        assert (undone.status, undone.kind, counts(undone)) == ("diffed", "undo", (0, 3, 1, 0, 0))
        rosters.approve(roster=undone, actor=hr, now=NOW)

        assert on_roster(works) == before | {"Ed9": []}
        found = SponsoredPerson.objects.exclude(first_name="Ed9").order_by("pk")
        assert list(found.values("last_name", "last_key", "email")) == names

    def test_it_is_held_where_it_ends_many(self, works: Organization, hr: User):
        undone = rosters.undo(roster=put(works, employees(6), hr), actor=hr, now=NOW)

        assert undone.held_because == ["ends_many", "halves"]

    def test_it_leaves_those_alone_who_were_changed_since(self, works: Organization, hr: User):
        first = put(works, LOPEZ + IYER, hr)
        put(works, [IYER[0].replace("Iyer", "Chandra")], hr, kind="changes")

        undone = rosters.undo(roster=first, actor=hr, now=NOW)

        assert problems(undone) == [(6, "changed_since")]
        assert undone.ends == 4

    def test_one_who_never_began_begins_again(self, works: Organization, hr: User):
        put(works, [*LOPEZ, employee(5, **{"from": str(day(10))})], hr)
        gone = put(works, LOPEZ, hr)
        assert on_roster(works)["Ed5"] == []

        rosters.approve(roster=rosters.undo(roster=gone, actor=hr, now=NOW), actor=hr, now=NOW)

        assert on_roster(works)["Ed5"] == [(day(10), None)]

    def test_it_is_done_once_unless_it_was_rejected(self, works: Organization, hr: User):
        first = put(works, LOPEZ, hr)
        rosters.reject(roster=rosters.undo(roster=first, actor=hr, now=NOW), actor=hr, now=NOW)
        undone = rosters.undo(roster=first, actor=hr, now=NOW)
        rosters.approve(roster=undone, actor=make_benefits(works, "second"), now=NOW)

        with pytest.raises(rosters.NotToUndo):
            rosters.undo(roster=first, actor=hr, now=NOW)
        assert send(works, LOPEZ, hr).status == "diffed"

    def test_only_what_was_applied_can_be_undone(self, works: Organization, hr: User):
        with pytest.raises(rosters.NotToUndo):
            rosters.undo(roster=send(works, LOPEZ, hr), actor=hr, now=NOW)


# No two files are the same: each has a line of its own that cannot be read.
NUMBERS = count()
PEOPLE = [(number, relation, first) for number in (1, 2, 3) for relation, first in (
    ("employee", "Ann"), ("spouse", "Bob"), ("child", "Cy"), ("child", "Di"))]  # fmt: skip


@st.composite
def full_files(draw: Any) -> Any:
    lines = []
    for number, relation, first in PEOPLE:
        if draw(st.booleans()):
            start = draw(st.sampled_from(["", "2026-01-01", "2026-10-01", "2027-01-01"]))
            end = draw(st.sampled_from(["", "", "2026-06-30", "2026-12-31"]))
            lines.append(f"{number},{relation},{first},Family{number},2001-02-03,,{start},{end}")
    return draw(st.permutations(lines))


@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(st.lists(full_files(), min_size=1, max_size=3))
def test_whatever_comes_the_next_same_file_changes_nothing(files: list[list[str]]):
    """In any order, with dependents alone, days that make no sense, and people who return."""
    works = sponsors.make_employer()
    hr = make_benefits(works)
    for lines in files:
        before = on_roster(works)
        roster = send(works, sponsors.file(*lines, f"#{next(NUMBERS)}"), hr)
        assert on_roster(works) == before
        rosters.approve(roster=roster, actor=make_benefits(works, "second"), now=NOW)

        again = send(works, sponsors.file(*lines, f"#{next(NUMBERS)}"), hr)
        rosters.reject(roster=again, actor=hr, now=NOW)
        live = SponsoredPeriod.objects.filter(person__employer=works, during__contains=TODAY)

        assert (again.adds, again.changes, again.ends) == (0, 0, 0)
        assert roster.unchanged is not None
        assert live.count() <= len(PEOPLE)
