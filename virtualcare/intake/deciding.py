"""Red flags first: whether somebody may wait for us, or is sent where help is sooner. No clock, no database."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from rest_framework import exceptions, serializers

from virtualcare.intake import answering
from virtualcare.intake.questions import RedFlag, asked_by, flags_of
from virtualcare.models import Advice, IntakeForm

URGENCY = list(Advice)  # the most urgent first


class BadAnswers(serializers.ValidationError):
    """Answers that are missing, wrong or to no question: a 400 that names each, as in `answers.fever`."""

    def __init__(self, problems: Mapping[str, answering.Problem]) -> None:
        found = {code: [exceptions.ErrorDetail(one.detail, one.code)] for code, one in problems.items()}
        super().__init__({"answers": found})


class Decision(NamedTuple):
    """`advice` is where the patient is sent, None for who may wait; `flags` are all that were raised, the most urgent
    first; `answers` are those that could be read, as they are kept.
    """

    advice: Advice | None
    flags: tuple[RedFlag, ...]
    answers: dict[str, Any]


def decide(form: IntakeForm, answers: Mapping[str, Any]) -> Decision:
    """What follows from `answers`, {code: value}, to the questions of `form`.

    Any red flag diverts, whatever else is wrong or missing: who says that they cannot breathe is not asked to fill in a
    form again. Of several advices the most urgent holds. Raises BadAnswers, `errors` by field as in `answers.fever`,
    where no flag is raised and not every answer is as its question asks for.
    """
    values, problems = answering.read(asked_by(form), answers)
    flags = raised(flags_of(form), values)
    if problems and not flags:
        raise BadAnswers(problems)
    return Decision(flags[0].advice if flags else None, tuple(flags), values)


def is_urgent(form: IntakeForm, answers: Mapping[str, Any]) -> bool:
    """Whether `answers` to `form` raise any red flag, whatever else is wrong or missing."""
    return bool(raised(flags_of(form), answering.read(asked_by(form), answers).values))


def raised(flags: Sequence[RedFlag], answers: Mapping[str, Any]) -> list[RedFlag]:
    """Those of `flags` that `answers` raise, the most urgent first. A question without an answer raises none."""
    found = [flag for flag in flags if flag.question in answers and flag.is_raised_by(answers[flag.question])]
    return sorted(found, key=urgency)


def urgency(flag: RedFlag) -> int:
    """What sorts the most urgent first."""
    return URGENCY.index(flag.advice)
