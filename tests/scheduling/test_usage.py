"""What an employer is told of use, and that nobody is given away by it: by no number, and by no two (promise 26)."""

import itertools
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from clinics.models import Organization, User
from memberships.employers import claiming, granting
from memberships.models import Membership, Roster, SponsoredPerson
from memberships.rosters import applying
from scheduling import usage
from scheduling.models import UsageReport
from tests import cast
from tests.calls import Caller, browser
from tests.cast import Place
from tests.memberships import sponsors
from tests.memberships.sponsors import LOPEZ, make_benefits, put
from tests.memberships.test_claiming import person

pytestmark = pytest.mark.django_db
NOW = datetime(2027, 2, 1, 15, tzinfo=UTC)
TODAY = date(2027, 2, 1)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def works(db: None) -> Organization:
    employer = sponsors.make_employer()
    sponsors.make_contract(employer, today=TODAY)
    return employer


@pytest.fixture
def hr(works: Organization) -> User:
    user = make_benefits(works)
    User.objects.filter(pk=user.pk).update(is_staff=True)
    user.refresh_from_db()
    return user


@pytest.fixture
def place(office: Any) -> Place:
    return cast.make_place()


def rostered(works: Organization, hr: User, count: int) -> None:
    lines = [f"{number},employee,E{number},Example,1990-05-17,,2026-01-01," for number in range(count)]
    put(works, lines, hr, as_of=TODAY, now=NOW)


def visits(works: Organization, place: Place, office: Any, people: int, month: int, each: int = 1) -> None:
    """So many of the employer's people have so many visits in a month of 2026."""
    for number in range(people):
        patient = cast.make_patient(f"P{month}-{number}", user=False, member=False)
        grant = Membership.objects.create(
            patient=patient, plan_id="employer", source="employer", sponsor=works, during=cast.ALWAYS
        )
        for visit in range(each):
            made = cast.make_completed(
                place, office, patient, datetime(2026, month, 5 + visit, 15, number % 60, tzinfo=UTC)
            )
            type(made).objects.filter(pk=made.pk).update(membership=grant, paid_by="employer")


def told(works: Organization, period: str) -> tuple[int, int]:
    found = usage.report(employer=works, period=period, actor=None, today=TODAY, now=NOW)
    return found.visits, found.people


class TestNumbers:
    def test_it_tells_how_many_visits_of_how_many_people(self, works, hr, place, office):
        rostered(works, hr, 40)
        visits(works, place, office, 12, month=10, each=2)

        answer = Caller(hr).get(f"/employers/{works.pk}/usage", {"period": "2026-10"})

        assert answer.json() == {
            "period": "2026-10",
            "from_on": "2026-10-01",
            "until_on": "2026-11-01",
            "totals": {"visits": 24, "people": 12},
        }

    def test_it_counts_what_took_place_and_what_this_employer_paid_for(self, works, hr, place, office):
        rostered(works, hr, 40)
        other = sponsors.make_employer("Other")
        visits(works, place, office, 11, month=10)
        visits(other, place, office, 15, month=10)
        visits(works, place, office, 15, month=9)
        cast.make_completed(place, office, cast.make_patient("Own"), datetime(2026, 10, 5, 15, tzinfo=UTC))

        assert told(works, "2026-10") == (11, 11)

    def test_days_are_those_of_the_clinic(self, works, hr, place, office):
        """Half past ten in the evening of 31 October in Ohio is November in London."""
        rostered(works, hr, 40)
        visits(works, place, office, 12, month=10)
        patient = cast.make_patient("Late", member=False)
        grant = Membership.objects.create(
            patient=patient, plan_id="employer", source="employer", sponsor=works, during=cast.ALWAYS
        )
        late = cast.make_completed(place, office, patient, datetime(2026, 11, 1, 2, 30, tzinfo=UTC))
        type(late).objects.filter(pk=late.pk).update(membership=grant)

        assert told(works, "2026-10") == (13, 13)

    @pytest.mark.parametrize(
        ("seen", "eligible", "each", "expected"),
        [
            (0, 40, 1, (0, 0)),
            (10, 40, 1, (0, 0)),
            (10, 40, 3, (0, 0)),
            (11, 40, 1, (11, 11)),
            (29, 40, 1, (29, 29)),
            (30, 40, 1, (0, 0)),
            (40, 40, 1, (0, 0)),
            (11, 11, 1, (0, 0)),
            (12, 40, 2, (24, 12)),
        ],
    )
    def test_neither_few_nor_nearly_all_are_told(self, seen: int, eligible: int, each: int, expected: Any):
        assert usage.tellable(seen * each, seen, eligible) == expected

    def test_how_few_came_twice_is_not_told_either(self):
        assert usage.tellable(15, 12, 100) == (15, 0)
        assert usage.tellable(23, 12, 100) == (23, 12)

    @pytest.mark.parametrize("period", ["", "2026-13", "2026-Q5", "2026-10-01", "1999", "2026-q1", "２０２６"])  # noqa: RUF001
    def test_it_knows_months_quarters_and_years(self, works, hr, period: str):
        assert Caller(hr).get(f"/employers/{works.pk}/usage", {"period": period}).status_code == 400

    @pytest.mark.parametrize("period", ["2027-01", "2027", "2027-02"])
    def test_it_waits_for_a_period_to_be_over(self, works, hr, period: str):
        """The month before ended yesterday: what took place is still being entered."""
        answer = Caller(hr).get(f"/employers/{works.pk}/usage", {"period": period})

        assert (answer.status_code, answer.json()["code"]) == (409, "period_not_over")

    def test_periods_are_whole_months(self):
        assert usage.days_of("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))
        assert usage.days_of("2028-Q1") == (date(2028, 1, 1), date(2028, 4, 1))
        assert usage.days_of("2026") == (date(2026, 1, 1), date(2027, 1, 1))


class TestToldOnce:
    def test_what_was_told_stays_whatever_comes_later(self, works, hr, place, office):
        rostered(works, hr, 60)
        visits(works, place, office, 12, month=10)
        before = told(works, "2026-10")

        visits(works, place, office, 1, month=10)

        assert told(works, "2026-10") == before == (12, 12)

    def test_a_quarter_is_the_sum_of_its_months_that_were_told(self, works, hr, place, office):
        """7 and 12 were told as 0 and 12: the quarter doesn't tell that there were 7 more."""
        rostered(works, hr, 90)
        for month, people in ((10, 7), (11, 12), (12, 13)):
            visits(works, place, office, people, month=month)
        months = [told(works, period) for period in ("2026-10", "2026-11")]

        assert months == [(0, 0), (12, 12)]
        assert told(works, "2026-Q4") == (25, 13)
        assert told(works, "2026-12") == (13, 13)

    def test_a_month_of_a_quarter_that_was_told_has_no_number_of_its_own(self, works, hr, place, office):
        rostered(works, hr, 90)
        visits(works, place, office, 12, month=11)
        visits(works, place, office, 3, month=12)

        assert [told(works, period) for period in ("2026-Q4", "2026-11", "2026-12")] == [(15, 15), (0, 0), (0, 0)]

    def test_no_two_reports_share_a_day(self, works, hr):
        told(works, "2026-01")

        with pytest.raises(Exception, match="usage_report_once"), transaction.atomic():
            UsageReport.objects.create(
                employer=works, during=DateRange(date(2026, 1, 15), date(2026, 2, 1)), visits=0, people=0,
                published_at=NOW,
            )  # fmt: skip

    def test_the_database_keeps_no_small_number(self, works):
        with pytest.raises(Exception, match="usage_report_no_small_number"), transaction.atomic():
            UsageReport.objects.create(
                employer=works, during=DateRange(date(2026, 1, 1), date(2026, 2, 1)), visits=10, people=0,
                published_at=NOW,
            )  # fmt: skip


PERIODS = ["2026", *(f"2026-Q{quarter}" for quarter in range(1, 5)), *(f"2026-{month:02}" for month in range(1, 13))]


@given(
    st.lists(st.integers(0, 25), min_size=12, max_size=12),
    st.lists(st.sampled_from(PERIODS), min_size=2, max_size=10),
)
def test_no_difference_of_answers_is_a_small_number(months: list[int], asked: list[str]):
    """In whatever order they are asked for; `months` are the true numbers, of as many people."""
    stored: list[UsageReport] = []
    answers: dict[tuple[int, int], int] = {}
    for period in asked:
        first, after = usage.days_of(period)
        touching = [one for one in stored if one.during.lower < after and first < one.during.upper]
        if not any(one.during.lower < first or one.during.upper > after for one in touching):
            for gap in usage.gaps(sorted(touching, key=lambda one: one.during.lower), first, after):
                true = sum(months[gap[0].month - 1 : (gap[1] - timedelta(days=1)).month])
                number, _ = usage.tellable(true, true, 10_000)
                stored.append(UsageReport(during=DateRange(*gap), visits=number, people=number))
        inside = [one for one in stored if first <= one.during.lower and one.during.upper <= after]
        answer = sum(one.visits for one in inside)
        place = (first.month, first.month + (after - first).days // 28)
        assert answers.setdefault(place, answer) <= answer
        answers[place] = answer

    for outer, inner in itertools.permutations(answers, 2):
        if outer[0] <= inner[0] and inner[1] <= outer[1]:
            difference = answers[outer] - answers[inner]
            assert difference == 0 or difference >= usage.FEWEST


UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


TOKEN = re.compile(r'(?<=csrfmiddlewaretoken" value=")\w+')


class TestNobodyIsGivenAway:
    """Whatever HR asks, by whatever filter, is answered the same, byte by byte and statement by statement, whether a
    named person claimed, booked, came and ended, or did nothing of it.
    """

    ASKED: tuple[tuple[str, dict[str, str]], ...] = (
        ("/enrollment", {}),
        ("/enrollment", {"q": "Lopez"}),
        ("/enrollment", {"q": "ana@works"}),
        *(("/enrollment", {"status": status, "on": "2026-12-31"}) for status in ("active", "ended", "upcoming")),
        *(("/usage", {"period": period}) for period in ("2026-12", "2026-Q4", "2026")),
        ("/rosters", {}),
        ("/roster-mapping", {}),
    )
    PAGES = (
        "/admin/",
        "/admin/memberships/roster/{works}/",
        "/admin/memberships/roster/{works}/enrollment/?q=Lopez",
        "/admin/memberships/roster/of/{roster}/",
        "/admin/memberships/roster/of/{roster}/errors.csv",
        "/admin/scheduling/usagereport/{works}/?period=2026-12",
        "/admin/memberships/rostermapping/{works}/",
        "/admin/memberships/sponsorinvitation/{works}/",
    )

    def session(self, works: Organization, hr: User) -> list[tuple[str, int, str, list[str]]]:
        """Everything that HR can do, with what was answered and what it took. Nothing of it stays."""
        me, pages, base = Caller(hr), browser(hr), f"/employers/{works.pk}"
        heard: list[tuple[str, int, str, list[str]]] = []

        def hear(name: str, call: Callable[[], Any]) -> Any:
            with CaptureQueriesContext(connection) as queries:
                answer = call()
            body = TOKEN.sub("token", UUID.sub("id", answer.content.decode()))
            taken = [re.sub(r"'[^']*'|\d+|\$\d+", "?", query["sql"])[:300] for query in queries]
            heard.append((name, answer.status_code, body, taken))
            return answer

        with transaction.atomic():
            for path, query in self.ASKED:
                hear(f"GET {path} {query}", lambda path=path, query=query: me.get(base + path, query))
            ended = sponsors.file(LOPEZ[0] + "2027-01-31")
            sent = hear("send", lambda: me.upload(f"{base}/rosters", ended, {"kind": "changes"})).json()
            roster = f"{base}/rosters/{sent['id']}"
            for rest in ("", "/rows", "/errors.csv"):
                hear(f"GET roster{rest}", lambda rest=rest: me.get(roster + rest))
            hear("approve", lambda: me.post(f"{roster}/approve"))
            hear("undo", lambda: me.post(f"{roster}/undo"))
            hear("invite", lambda: me.post(f"{base}/invitations"))
            by_page = f"/admin/memberships/sponsorinvitation/{works.pk}/"
            hear("invite by a page", lambda: pages.post(by_page, {"whom": "everybody"}))
            hear("enrollment afterwards", lambda: me.get(f"{base}/enrollment"))
            hear("me", lambda: me.get("/me"))
            for page in self.PAGES:
                hear(f"GET {page}", lambda page=page: pages.get(page.format(works=works.pk, roster=sent["id"])))
            transaction.set_rollback(True)
        return heard

    def test_it_is_all_the_same(self, works: Organization, hr: User, place: Place, office: Any):
        others = [f"{number},employee,E{number},Example,1990-05-17,,2026-01-01," for number in range(40)]
        put(works, [*LOPEZ, *others], hr, as_of=TODAY, now=NOW)
        visits(works, place, office, 12, month=12)
        SponsoredPerson.objects.update(created_at=NOW)
        self.session(works, hr)  # so that nothing is asked for the first time
        without = self.session(works, hr)

        ana = person("Ana")
        user = User.objects.select_related("patient").get(pk=ana.user.pk)  # type: ignore[union-attr]
        sponsors.verify(user)
        claiming.claim(user=user, now=NOW, member_number="1001", birth_date=ana.birth_date)
        grant = Membership.objects.get(patient=ana)
        booked = cast.make_completed(place, office, ana, NOW + timedelta(days=3))
        type(booked).objects.filter(pk=booked.pk).update(membership=grant, status="booked")
        granting.bring_in_step(now=NOW)
        with_her = self.session(works, hr)

        assert {status for _, status, _, _ in with_her} <= {200, 201, 202, 302}
        assert len(with_her) == len(self.ASKED) + len(self.PAGES) + 10
        for before, after in zip(without, with_her, strict=True):
            assert before == after, before[0]

    def test_the_control_would_tell(
        self, works: Organization, hr: User, place: Place, office: Any, monkeypatch: pytest.MonkeyPatch
    ):
        """Were grants brought in step while HR waits, the statements would say who has claimed."""
        put(works, LOPEZ, hr, as_of=TODAY, now=NOW)
        apply = applying.apply

        def at_once(roster: Roster, member_number: str, *, now: datetime) -> None:
            apply(roster, member_number, now=now)
            granting.bring_in_step(now=now)

        monkeypatch.setattr(applying, "apply", at_once)
        self.session(works, hr)
        without = self.session(works, hr)
        ana = person("Ana")
        user = User.objects.select_related("patient").get(pk=ana.user.pk)  # type: ignore[union-attr]
        sponsors.verify(user)
        claiming.claim(user=user, now=NOW, member_number="1001", birth_date=ana.birth_date)

        assert self.session(works, hr) != without

    def test_a_visit_in_a_month_that_is_told_changes_at_most_a_large_number(
        self, works: Organization, hr: User, place: Place, office: Any
    ):
        """With ten others who came she is not seen; as the last of all she is not either."""
        rostered(works, hr, 40)
        visits(works, place, office, 9, month=11)
        with transaction.atomic():
            before = told(works, "2026-11")
            transaction.set_rollback(True)
        visits(works, place, office, 1, month=11)

        assert before == told(works, "2026-11") == (0, 0)
