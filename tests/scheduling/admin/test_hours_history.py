"""Who changed hours, shifts, closures and time off, from what to what: for those who work there, in words."""

from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext

from clinics import acting
from clinics.admin.history_lines import Line
from clinics.models import Clinic, OpeningHours, StaffRole, User
from scheduling import closures, intervals, shifts, time_off
from scheduling.admin import days_history, hours_history
from scheduling.models import Closure, Shift, ShiftChange, TimeOffChange, WeeklyHours
from scheduling.shifts import WeeklyBlock
from tests import cast
from tests.calls import browser
from tests.cast import NOW, at
from tests.world import CANARY, World

pytestmark = pytest.mark.django_db
TODAY, NEXT_WEEK = date(2026, 11, 24), date(2026, 12, 1)
HOURS, DOORS, DAYS = "/admin/scheduling/weeklyhours/", "/admin/clinics/openinghours/", "/admin/scheduling/shift/"
CLOSURES, AWAY = "/admin/scheduling/closure/", "/admin/scheduling/claim/"
WORDS = {"added": "+", "removed": "-", "changed": "~"}


@pytest.fixture
def manager(world: World) -> User:
    return cast.make_staff(world.avon.clinic, "Manager", StaffRole.Role.MANAGER)


@pytest.fixture
def operator(world: World) -> User:
    return User.objects.create_superuser("operator@example.com", None)


@pytest.fixture
def avon_only(world: World) -> Any:
    return Clinic.objects.filter(pk=world.avon.clinic.pk)


def told(lines: list[Line]) -> list[tuple[str, ...]]:
    """Each line as it is read: what, by whom, and its fields."""
    return [
        (WORDS[line.what], line.by, *(" → ".join(filter(None, one)).replace("\u2013", "-") for one in line.fields))
        for line in lines
    ]


def page(user: User | None, address: str) -> str:
    return browser(user).get(address).content.decode()


@pytest.mark.django_db(transaction=True)
class TestWeeklyHours:
    """In transactions of their own, as they are: what one changed is one line."""

    @pytest.fixture
    def set_hours(self, world: World, manager: User) -> Callable[..., None]:
        Shift.objects.filter(clinic=world.avon.clinic).delete()
        other = cast.make_visit_type("physical")

        def work(*days: int, starts: int = 9, from_on: date = TODAY, also: bool = False, place: Any = None) -> None:
            types = (world.office.pk, other.pk) if also else (world.office.pk,)
            clinic = (place or world.avon).clinic
            blocks = [WeeklyBlock(clinic.pk, day, time(starts), time(17), types) for day in days]
            asked: dict[str, Any] = {
                "clinician": world.avon.clinicians[0],
                "blocks": blocks,
                "from_on": from_on,
                "now": NOW,
                "only_at": frozenset([clinic.pk]),
            }
            diff = shifts.preview_weekly_hours(**asked)
            with acting.acting(manager):
                shifts.change_weekly_hours(**asked, actor=manager, accept=diff.digest)

        return work

    def lines(self, world: World, avon_only: Any) -> list[tuple[str, ...]]:
        return told(hours_history.weekly(world.avon.clinicians[0].pk, avon_only, None)[0])

    def test_it_tells_what_each_change_changed_and_nothing_of_what_stayed(
        self, world: World, manager: User, set_hours: Any, avon_only: Any
    ):
        set_hours(1, 2)
        set_hours(1, 2, 3, from_on=NEXT_WEEK)
        set_hours(1, 2, from_on=NEXT_WEEK)

        assert self.lines(world, avon_only) == [
            ("-", manager.email, "From Dec 1, 2026 on", "Thursdays at Avon → 09:00-17:00"),
            ("+", manager.email, "From Dec 1, 2026 on", "Thursdays at Avon → 09:00-17:00"),
            (
                "+",
                manager.email,
                "From Nov 24, 2026 on",
                "Tuesdays at Avon → 09:00-17:00",
                "Wednesdays at Avon → 09:00-17:00",
            ),
        ]

    def test_it_tells_other_times_other_visits_another_first_day_and_that_nothing_changed(
        self, world: World, manager: User, set_hours: Any, avon_only: Any
    ):
        set_hours(1, from_on=NEXT_WEEK)
        set_hours(1, from_on=NEXT_WEEK, starts=10)
        set_hours(1, from_on=NEXT_WEEK, starts=10, also=True)
        set_hours(1, from_on=NEXT_WEEK - timedelta(days=2), starts=10, also=True)
        set_hours(1, from_on=NEXT_WEEK - timedelta(days=2), starts=10, also=True)

        assert [line[0] + " " + ", ".join(line[2:]) for line in self.lines(world, avon_only)] == [
            "~ From Nov 29, 2026 on, Set again as they were",
            "~ From Nov 29, 2026 on, Tuesdays at Avon, 10:00-17:00 → from Dec 1, 2026 → from Nov 29, 2026",
            "~ From Dec 1, 2026 on, Tuesdays at Avon → 10:00-17:00 (Office) → 10:00-17:00 (Office, Physical)",
            "~ From Dec 1, 2026 on, Tuesdays at Avon → 09:00-17:00 → 10:00-17:00",
            "+ From Dec 1, 2026 on, Tuesdays at Avon → 09:00-17:00",
        ]

    def test_it_tells_what_bare_writes_did_and_that_nobody_signed_in_did_it(
        self, world: World, set_hours: Any, avon_only: Any
    ):
        set_hours(1)

        WeeklyHours.objects.update(ends=time(15))
        WeeklyHours.objects.update(during=DateRange(TODAY, NEXT_WEEK))

        assert self.lines(world, avon_only)[:2] == [
            ("-", "the system", "From Dec 1, 2026 on", "Tuesdays at Avon → 09:00-15:00"),
            ("~", "the system", "Tuesdays at Avon → 09:00-17:00 → 09:00-15:00"),
        ]

    def test_hours_at_clinics_elsewhere_are_left_out(self, world: World, set_hours: Any, manager: User, operator: User):
        set_hours(1)
        set_hours(4, place=world.elsewhere)
        address = f"{HOURS}{world.avon.clinicians[0].pk}/history/"

        here, there, everywhere = (
            page(user, address) for user in (manager, world.callers["staff elsewhere"], operator)
        )

        assert ("Tuesdays" in here, "Fridays" in here) == (True, False)
        assert ("Tuesdays" in there, "Fridays" in there) == (False, True)
        assert ("Tuesdays" in everywhere, "Fridays" in everywhere) == (True, True)
        assert address in page(manager, f"{HOURS}{world.avon.clinicians[0].pk}/")
        assert "EST" in here

    def test_it_comes_in_pages_and_costs_as_much_for_many_changes_as_for_one(
        self, world: World, set_hours: Any, manager: User, monkeypatch: pytest.MonkeyPatch, avon_only: Any
    ):
        client, address = browser(manager), f"{HOURS}{world.avon.clinicians[0].pk}/history/"
        set_hours(1)
        set_hours(1, starts=10)
        client.get(address)
        with CaptureQueriesContext(connection) as few:
            client.get(address)
        for hour in range(8):
            set_hours(1, 2, 3, starts=hour + 1)
        with CaptureQueriesContext(connection) as many:
            client.get(address)
        monkeypatch.setattr(hours_history, "A_PAGE", 3)
        paged = [hours_history.weekly(world.avon.clinicians[0].pk, avon_only, str(n))[0] for n in (1, 4)]

        assert len(many) == len(few)
        assert [len(lines) for lines in paged] == [3, 1]


@pytest.mark.django_db(transaction=True)
class TestOpeningHours:
    def test_it_tells_which_days_changed_by_whom(self, world: World, manager: User):
        clinic = world.avon.clinic
        OpeningHours.objects.filter(clinic=clinic).delete()
        week = [intervals.Block(day, time(8), time(17)) for day in range(5)]
        for hours in (week, [*week[:4], intervals.Block(4, time(8), time(12))], [*week[:4]]):
            diff = shifts.preview_opening_hours(clinic=clinic, hours=hours, now=NOW)
            with acting.acting(manager):
                shifts.change_opening_hours(clinic=clinic, hours=hours, actor=manager, accept=diff.digest, now=NOW)

        found = told(hours_history.opening(clinic, None)[0])

        assert found[:2] == [
            ("-", manager.email, "Fridays → 08:00-12:00"),
            ("~", manager.email, "Fridays → 08:00-17:00 → 08:00-12:00"),
        ]
        assert found[2][:3] == ("+", manager.email, "Mondays → 08:00-17:00")
        assert found[3][:2] == ("-", "the system")
        address = f"{DOORS}{clinic.pk}/history/"
        assert "Fridays</strong>" in page(world.callers["staff here"], address)
        assert address in page(manager, f"{DOORS}{clinic.pk}/")

    def test_it_tells_what_a_bare_write_did(self, world: World):
        OpeningHours.objects.filter(clinic=world.avon.clinic, weekday=2).update(opens=time(7), closes=time(19))

        assert told(hours_history.opening(world.avon.clinic, None)[0])[0] == (
            "~", "the system", "Wednesdays → all day → 07:00-19:00",
        )  # fmt: skip


class TestShiftsByHand:
    @pytest.fixture
    def changed(self, world: World) -> User:
        """The desk adds a shift in the evening, moves it to the next day, and takes it away."""
        desk = world.callers["staff here"]
        assert desk is not None
        other = cast.make_visit_type("physical")
        shift = shifts.add_shift(
            clinician=world.avon.clinicians[0],
            clinic=world.avon.clinic,
            during=intervals.Span(at(18), at(20)),
            visit_types=[world.office.pk],
            actor=desk,
            now=NOW,
        )
        moved: dict[str, Any] = {
            "shift": shift, "during": intervals.Span(at(18, days=1), at(21, days=1)),
            "visit_types": [world.office.pk, other.pk], "now": NOW + timedelta(minutes=1),
        }  # fmt: skip
        shifts.change_shift(**moved, actor=desk, accept=shifts.preview_shift_change(**moved).digest)
        shift.refresh_from_db()
        gone: dict[str, Any] = {"shift": shift, "now": NOW + timedelta(minutes=2)}
        shifts.remove_shift(**gone, actor=desk, accept=shifts.preview_shift_removal(**gone).digest)
        return desk

    def test_it_tells_each_change_from_what_to_what(self, world: World, changed: User):
        lines, _ = days_history.shifts(world.avon.clinic, None)

        assert told(lines) == [
            (
                "-",
                changed.email,
                "Ana Avon0, MD on Wednesday, Nov 25, 2026 → 18:00-21:00",
                "Visits → Office, Physical",
            ),
            (
                "~",
                changed.email,
                "Ana Avon0, MD on Tuesday, Nov 24, 2026 → 18:00-20:00 → Nov 25, 2026, 18:00-21:00",
                "Visits → Office → Office, Physical",
            ),
            (
                "+",
                changed.email,
                "Ana Avon0, MD on Tuesday, Nov 24, 2026 → 18:00-20:00",
                "Visits → Office",
            ),
        ]
        assert lines[0].when == "Nov 24, 2026, 09:02 EST"

    def test_a_change_that_was_not_accepted_leaves_none(self, world: World, changed: User):
        shift = Shift.objects.filter(clinic=world.avon.clinic).earliest("during")
        before = ShiftChange.objects.count()

        with pytest.raises(shifts.DiffChanged):
            shifts.remove_shift(shift=shift, actor=changed, accept="0" * 64, now=NOW)

        assert ShiftChange.objects.count() == before

    def test_it_is_for_those_of_the_clinic(self, world: World, changed: User, operator: User):
        address = f"{DAYS}history/{world.avon.clinic.pk}/"

        assert "18:00\u201321:00" in page(world.callers["clinician here"], address)
        assert "18:00\u201321:00" in page(operator, address)
        assert browser(world.callers["staff elsewhere"]).get(address).status_code == 404
        assert address in page(world.callers["staff here"], f"{DAYS}?clinic={world.avon.clinic.pk}")


class TestClosures:
    def test_it_tells_who_closed_and_opened_again(self, world: World, manager: User, avon_only: Any):
        with acting.acting(manager):
            closure, _ = closures.close(
                clinic=world.avon.clinic, start=at(9), end=at(12), reason="Snow", actor=manager, now=NOW
            )
        with acting.acting(world.callers["staff here"]):
            closures.reopen(closure=closure)

        found = told(days_history.closures(avon_only, None)[0])

        assert found == [
            (sign, who.email, "Avon → Nov 24, 2026, 09:00 to 12:00 EST", "Reason → Snow")
            for sign, who in (("-", world.callers["staff here"]), ("+", manager))
        ]

    def test_it_is_for_those_of_the_clinic(self, world: World, operator: User):
        """Also when the closure is gone: only its history tells of it then."""
        closure, _ = closures.close(
            clinic=world.avon.clinic, start=at(9), end=at(12, days=1), reason=f"{CANARY} snow", actor=None, now=NOW
        )
        shown = page(world.callers["staff here"], f"{CLOSURES}{closure.pk}/")
        Closure.objects.all().delete()
        address = f"{CLOSURES}history/"

        assert f'href="{address}"' in shown
        assert f'href="{address}"' in page(world.callers["staff here"], CLOSURES)
        for user in (world.callers["staff here"], world.callers["clinician here"], operator):
            assert f"{CANARY} snow" in page(user, address)
        assert CANARY not in page(world.callers["staff elsewhere"], address)


class TestTimeOff:
    def test_it_tells_who_entered_it_and_gave_it_back(self, world: World):
        desk = world.callers["staff here"]
        client = browser(desk)
        form = {"of": str(world.avon.clinicians[0].pk), "first_day": "2026-11-24", "starts": "12:00",
                "last_day": "2026-11-25", "ends": "09:00", "reason": "Sick", "do": "confirm", "once": "k"}  # fmt: skip
        entered = client.post(f"{AWAY}add/", form)
        client.post(entered["Location"], {"once": "back"})
        client.post(entered["Location"], {"once": "again"})
        room, _ = time_off.enter(of=world.avon.rooms[0], start=at(9), end=at(10), reason="", now=NOW)

        text = page(desk, f"{AWAY}history/")

        assert [(row.what, row.actor) for row in TimeOffChange.objects.order_by("id")] == [
            ("entered", desk), ("withdrawn", desk), ("entered", None),
        ]  # fmt: skip
        for said in (
            "Nov 24, 2026, 12:00 to Nov 25, 2026, 09:00 EST",
            "Sick",
            "Exam 0, Avon",
            "Nov 24, 2026, 09:00 to 10:00 EST",
            "the system",
            desk.email,
        ):
            assert said in text, said
        assert f'href="{AWAY}history/"' in page(desk, AWAY)
        assert f'href="{AWAY}history/"' in page(desk, f"{AWAY}{room.pk}/")

    def test_it_is_given_back_once(self, world: World):
        claim, _ = time_off.enter(of=world.avon.rooms[0], start=at(9), end=at(10), reason="", now=NOW)

        for _ in range(2):
            time_off.withdraw(claim=claim, now=NOW)

        assert TimeOffChange.objects.filter(what="withdrawn").count() == 1

    def test_it_is_for_those_of_the_clinic(self, world: World, operator: User):
        time_off.enter(of=world.avon.rooms[0], start=at(9), end=at(12), reason=CANARY, now=NOW)

        for user in (world.callers["staff here"], world.callers["clinician here"], operator):
            assert CANARY in page(user, f"{AWAY}history/")
        assert CANARY not in page(world.callers["staff elsewhere"], f"{AWAY}history/")


def test_the_histories_open_to_nobody_without_work(world: World):
    for address in (
        f"{HOURS}{world.avon.clinicians[0].pk}/history/",
        f"{DOORS}{world.avon.clinic.pk}/history/",
        f"{DAYS}history/{world.avon.clinic.pk}/",
        f"{CLOSURES}history/",
        f"{AWAY}history/",
    ):
        for who in ("owner", "parent", "stranger", "partner", "nobody"):
            assert browser(world.callers[who]).get(address).status_code == 302, (address, who)
        assert browser(world.callers["staff here"]).get(address).status_code == 200, address


def test_a_records_own_history_is_on_its_clinics_clock(world: World):
    room = world.avon.rooms[0]
    Clinic.objects.filter(pk=world.avon.clinic.pk).update(time_zone="Pacific/Honolulu")

    assert " HST" in page(world.callers["staff here"], f"/admin/clinics/room/{room.pk}/history/")
