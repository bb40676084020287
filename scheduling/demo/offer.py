"""What can be booked, what it costs, and what cancelling costs."""

from datetime import date, timedelta
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from memberships.models import Fee, Plan, Price, VisitPrice
from scheduling.demo import network
from scheduling.demo.chance import key
from scheduling.models import CancellationPolicy, VisitType

SINCE = date(2024, 1, 1)
NEWER = date(2026, 1, 1)


def visit(code: str, name: str, minutes: int, **more: Any) -> VisitType:
    more = {"turnover": timedelta(minutes=10), "step": 10, "room_kind": "exam"} | more
    return VisitType(code=code, name=name, duration=timedelta(minutes=minutes), **more)


def visit_types() -> list[tuple[VisitType, int | None]]:
    """Each type, with the price in cents of a visit without membership; None where it is for members only."""
    return [
        (visit("office", "Office visit", 20, overbook_lanes=1), 14900),
        (visit("new-patient", "First visit", 40, patients=VisitType.Patients.NEW), 22900),
        (visit("follow-up", "Follow-up visit", 20, patients=VisitType.Patients.ESTABLISHED), 12900),
        (visit("physical", "Annual physical", 40, min_age=18, step=20), 19900),
        (visit("well-child", "Well-child visit", 20, max_age=17), 13900),
        (visit("procedure", "Minor procedure", 30, room_kind="procedure", booked_by=VisitType.BookedBy.STAFF), 24900),
        (visit("care-planning", "Care planning, for members", 30, room_kind="", step=30, min_age=18), None),
    ]


PLANS = [
    ("annual", "Annual membership", Plan.Audience.ANYONE, [(Price.Interval.YEAR, 19900)]),
    (
        "discounted",
        "Discounted membership",
        Plan.Audience.DISCOUNTED,
        [(Price.Interval.YEAR, 9900), (Price.Interval.MONTH, 900)],
    ),
    (
        "family",
        "Additional family member",
        Plan.Audience.FAMILY,
        [(Price.Interval.YEAR, 6600), (Price.Interval.MONTH, 600)],
    ),
    ("employer", "Sponsored by your employer", Plan.Audience.EMPLOYER, []),
    ("complimentary", "Complimentary membership", Plan.Audience.COMPLIMENTARY, []),
]


FEES = [
    ("late-cancel", "Late cancellation", 2_500),
    ("late-cancel-vmfh", "Late cancellation", 3_000),
    ("no-show", "Missed visit", 3_500),
]
# Consults, by the piece.
VIRTUAL = [("text", 2_900), ("video", 4_900)]


def plant() -> None:
    """Make what of the offer is missing."""
    offered = visit_types()
    there = set(VisitType.objects.values_list("code", flat=True))  # or each run would use up ids, which are short
    VisitType.objects.bulk_create([visit_type for visit_type, _ in offered if visit_type.code not in there])
    VisitPrice.objects.bulk_create(
        [
            VisitPrice(benefit=visit_type.code, amount=amount, during=DateRange(SINCE, None))
            for visit_type, amount in offered
            if amount is not None
        ]
        + [VisitPrice(benefit=benefit, amount=amount, during=DateRange(SINCE, None)) for benefit, amount in VIRTUAL],
        ignore_conflicts=True,
    )
    Fee.objects.bulk_create(
        [Fee(code=code, name=name, amount=amount, during=DateRange(SINCE, None)) for code, name, amount in FEES],
        ignore_conflicts=True,
    )
    Plan.objects.bulk_create(
        [
            Plan(code=code, name=name, audience=audience, benefits=["*"], on_sale=bool(prices))
            for code, name, audience, prices in PLANS
        ],
        ignore_conflicts=True,
    )
    Price.objects.bulk_create(
        [
            Price(plan_id=code, interval=interval, amount=amount, from_on=SINCE)
            for code, _, _, prices in PLANS
            for interval, amount in prices
        ],
        ignore_conflicts=True,
    )
    if not CancellationPolicy.objects.exists():
        own = key("organization", network.VIRGINIA_MASON)
        CancellationPolicy.objects.bulk_create(
            [
                CancellationPolicy(free_until_hours_before=2, fee_code="late-cancel", during=DateRange(SINCE, NEWER)),
                CancellationPolicy(
                    free_until_hours_before=4,
                    fee_code="late-cancel",
                    no_show_fee_code="no-show",
                    during=DateRange(NEWER, None),
                ),
                CancellationPolicy(
                    health_system_id=own,
                    free_until_hours_before=12,
                    fee_code="late-cancel-vmfh",
                    no_show_fee_code="no-show",
                    during=DateRange(NEWER, None),
                ),
            ]
        )
