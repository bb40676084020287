"""How virtual care does, for those who watch over it."""

from datetime import datetime, timedelta
from typing import TypedDict

from virtualcare import gaps, unattended
from virtualcare.models import Modality
from virtualcare.waits import calibrating
from virtualcare.waits.chart import Day


class Facts(TypedDict):
    """By state and modality, and by modality. Of waits: those told and taken yesterday and today, in UTC.

    `left_alone` are the consults under way whose clinician is not heard of any more.
    """

    coverage_gap_hours: dict[tuple[str, str], int]
    waits: dict[str, Day]
    left_alone: int


def facts(*, now: datetime) -> Facts:
    """Hours of the next two days without a clinician, 0 included; and what became of the waits that people were told.

    Four statements. A modality without such waits is not in `waits`.
    """
    states = gaps.served(now=now)
    found = {(state, modality): 0 for state in states for modality in Modality.values}
    for state, modality, _ in gaps.coming(states, now=now):
        found[state, modality] += 1
    today = now.date()
    kept = calibrating.kept_promises(first=today - timedelta(days=1), until=today + timedelta(days=1))
    waits = {modality: calibrating.together(days) for modality, days in kept.items()}
    return Facts(
        coverage_gap_hours=found,
        waits={modality: day for modality, day in waits.items() if day},
        left_alone=unattended.left_alone(now=now).count(),
    )
