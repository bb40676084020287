"""Reading what a patient answered to the questions of a form. No clock, no database."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from virtualcare.intake.questions import Kind, Question, is_number

MOST_UNKNOWN = 20  # named in an error
# A question of yes or no is answered true or false. Who answers it in words is understood: "yes" may be a red flag.
WORDS = {"yes": True, "no": False}


class Problem(NamedTuple):
    """What is wrong with one answer: `code` for programs."""

    code: str
    detail: str


class Wrong(Exception):
    """An answer that its question does not take."""


class Read(NamedTuple):
    """The answers that could be read, and by question's code what is wrong with the others."""

    values: dict[str, Any]
    problems: dict[str, Problem]


def read(questions: Sequence[Question], answers: Mapping[str, Any]) -> Read:
    """`answers`, {code: value}, as `questions` take them. None is no answer. Never raises: see `problems`."""
    codes = {question.code for question in questions}
    unknown = [code for code in answers if code not in codes][:MOST_UNKNOWN]
    problems = {code: Problem("unknown_field", "There is no such question.") for code in unknown}
    values: dict[str, Any] = {}
    for question in questions:
        given = answers.get(question.code)
        if given is None:
            if question.is_required:
                problems[question.code] = Problem("required", "This question needs an answer.")
            continue
        try:
            values[question.code] = taken(question, given)
        except Wrong as wrong:
            problems[question.code] = Problem("invalid", str(wrong))
    return Read(values, problems)


def taken(question: Question, given: Any) -> Any:
    """`given` as an answer to `question`. Raises Wrong."""
    match question.kind:
        case Kind.YES_NO:
            return yes_or_no(given)
        case Kind.CHOICE:
            if given not in question.codes:
                raise Wrong(f"Answer with one of {', '.join(question.codes)}.")
            return given
        case Kind.CHOICES:
            return chosen(question, given)
        case Kind.NUMBER | Kind.SCALE:
            return measured(question, given)
        case Kind.TEXT:
            return written(question, given)


def yes_or_no(given: Any) -> bool:
    if isinstance(given, str) and given.lower() in WORDS:
        return WORDS[given.lower()]
    if not isinstance(given, bool):
        raise Wrong("Answer with true or false.")
    return given


def chosen(question: Question, given: Any) -> list[str]:
    """In the order of the question's options."""
    if not isinstance(given, list) or any(one not in question.codes for one in given):
        raise Wrong(f"Answer with a list of any of {', '.join(question.codes)}.")
    if len(given) > len({*given}):
        raise Wrong("Name each once.")
    return [code for code in question.codes if code in given]


def measured(question: Question, given: Any) -> float:
    is_whole = question.kind == Kind.SCALE
    if not is_number(given) or not question.least <= given <= question.most:
        raise Wrong(f"Answer with a number from {question.least:g} to {question.most:g}.")
    if is_whole and given != int(given):
        raise Wrong("Answer with a whole number.")
    return int(given) if is_whole else given


def written(question: Question, given: Any) -> str:
    if not isinstance(given, str):
        raise Wrong("Answer with a text.")
    text = given.strip()
    if not text and question.is_required:
        raise Wrong("This question needs an answer.")
    if len(text) > question.max_length:
        raise Wrong(f"Answer with at most {question.max_length} letters.")
    return text
