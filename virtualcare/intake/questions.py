"""The questions of a form and its red flags, as they are kept: reading them, and what is wrong with a new form's.

A question: {"code": "fever", "text": "Do you have a fever?", "kind": "yes_no"}, and by its kind also

    yes_no   true or false
    choice   one code of `options`, [{"code": "mild", "text": "Mild"}, …]
    choices  any number of them, each once
    number   from `min` to `max`, in `unit` where it has one
    scale    a whole number from 0 to 10, as pain is rated
    text     up to `max_length` letters

"required": false marks one that may be left out. A red flag: {"question": "fever", "is": true, "advice": "911"}, or in
place of `is`: `one_of` (a list), `at_least`, `at_most`, `more_than` or `less_than` (a number). Of `choices` it is
enough that one of them was chosen. A question on which a red flag rests is always required.
"""

import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from re import compile as pattern
from typing import Any

from virtualcare.models import Advice, IntakeForm

CODE = pattern(r"[a-z][a-z0-9_]{0,39}")
MOST_QUESTIONS = 40
MOST_FLAGS = 80
MOST_OPTIONS = 20
LONGEST_QUESTION = 300
LONGEST_ANSWER = 2000
SCALE = (0, 10)
FURTHEST = 1_000_000


class Kind(StrEnum):
    YES_NO = "yes_no"
    CHOICE = "choice"
    CHOICES = "choices"
    NUMBER = "number"
    SCALE = "scale"
    TEXT = "text"


# What a question of each kind says besides its code, text, kind and whether it is required.
MORE: dict[str, tuple[set[str], set[str]]] = {  # kind: (what it must say, what it may say)
    Kind.YES_NO: (set(), set()),
    Kind.CHOICE: ({"options"}, set()),
    Kind.CHOICES: ({"options"}, set()),
    Kind.NUMBER: ({"min", "max"}, {"unit"}),
    Kind.SCALE: (set(), set()),
    Kind.TEXT: (set(), {"max_length"}),
}
COMPARED: dict[str, Callable[[float, float], bool]] = {
    "at_least": operator.ge,
    "at_most": operator.le,
    "more_than": operator.gt,
    "less_than": operator.lt,
}
TESTS = ("is", "one_of", *COMPARED)


@dataclass(frozen=True, slots=True)
class Question:
    code: str
    text: str
    kind: Kind
    is_required: bool = True
    options: tuple[tuple[str, str], ...] = ()  # code and text of each
    least: float = SCALE[0]
    most: float = SCALE[1]
    unit: str = ""
    max_length: int = LONGEST_ANSWER

    @property
    def codes(self) -> list[str]:
        """Those of its options."""
        return [code for code, _ in self.options]


@dataclass(frozen=True, slots=True)
class RedFlag:
    """An answer that sends its patient elsewhere: `test` is one of TESTS, `value` what the answer is held against."""

    question: str
    test: str
    value: Any
    advice: Advice

    def is_raised_by(self, answer: Any) -> bool:
        """Whether `answer`, one that its question takes, is the one meant."""
        given = answer if isinstance(answer, list) else [answer]
        match self.test:
            case "is":
                return self.value in given
            case "one_of":
                return any(one in self.value for one in given)
        return COMPARED[self.test](answer, self.value)


def asked_by(form: IntakeForm) -> list[Question]:
    """The questions of `form`, in their order."""
    return [question_of(entry) for entry in form.questions]


def flags_of(form: IntakeForm) -> list[RedFlag]:
    return [
        RedFlag(
            entry["question"],
            test := next(name for name in TESTS if name in entry),
            entry[test],
            Advice(entry["advice"]),
        )
        for entry in form.red_flags
    ]


def question_of(entry: dict[str, Any]) -> Question:
    return Question(
        code=entry["code"],
        text=entry["text"],
        kind=Kind(entry["kind"]),
        is_required=entry.get("required", True),
        options=tuple((option["code"], option["text"]) for option in entry.get("options", [])),
        least=entry.get("min", SCALE[0]),
        most=entry.get("max", SCALE[1]),
        unit=entry.get("unit", ""),
        max_length=entry.get("max_length", LONGEST_ANSWER),
    )


# What is wrong with a new form


def wrong_with(questions: Any, red_flags: Any) -> list[str]:
    """What is wrong with the questions and red flags of a draft, each in a sentence that says where; [] if nothing."""
    if not isinstance(questions, list) or not questions or len(questions) > MOST_QUESTIONS:
        return [f"The questions are a list of 1 to {MOST_QUESTIONS}."]
    if not isinstance(red_flags, list) or len(red_flags) > MOST_FLAGS:
        return [f"The red flags are a list of at most {MOST_FLAGS}."]
    problems = [
        f"Question {at}: {said}" for at, entry in enumerate(questions, 1) for said in wrong_with_question(entry)
    ]
    if problems:
        return problems
    asked = [question_of(entry) for entry in questions]
    twice = sorted({one.code for one in asked if [each.code for each in asked].count(one.code) > 1})
    if twice:
        return [f"Each question has a code of its own. More than once: {', '.join(twice)}."]
    known = {one.code: one for one in asked}
    return [f"Red flag {at}: {said}" for at, flag in enumerate(red_flags, 1) for said in wrong_with_flag(flag, known)]


def wrong_with_question(entry: Any) -> Iterator[str]:
    if not isinstance(entry, dict):
        yield 'it is an object, such as {"code": "fever", "text": "Do you have a fever?", "kind": "yes_no"}.'
        return
    if not is_code(entry.get("code")):
        yield "its code is small letters, digits and underscores, such as fever."
    if not is_text(entry.get("text"), LONGEST_QUESTION):
        yield f"its text is what the patient reads, at most {LONGEST_QUESTION} letters."
    if not isinstance(entry.get("required", True), bool):
        yield "required is true or false."
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in MORE:
        yield f"its kind is one of {', '.join(MORE)}."
        return
    must, may = MORE[kind]
    said = set(entry) - {"code", "text", "kind", "required"}
    if must - said:
        yield f"a {kind} needs {listed(must - said)}."
    if said - must - may:
        yield f"a {kind} has no {listed(said - must - may)}."
    if "options" in must & said:
        yield from wrong_with_options(entry["options"])
    if must <= said and kind == Kind.NUMBER:
        yield from wrong_with_bounds(entry["min"], entry["max"], entry.get("unit", ""))
    length = entry.get("max_length", LONGEST_ANSWER)
    if kind == Kind.TEXT and not (is_number(length) and length in range(1, LONGEST_ANSWER + 1)):
        yield f"max_length is a whole number from 1 to {LONGEST_ANSWER}."


def wrong_with_options(options: Any) -> Iterator[str]:
    if not isinstance(options, list) or not 2 <= len(options) <= MOST_OPTIONS:
        yield f"its options are a list of 2 to {MOST_OPTIONS}."
    elif not all(
        isinstance(one, dict) and set(one) == {"code", "text"} and is_code(one["code"]) and is_text(one["text"], 120)
        for one in options
    ):
        yield 'each option is a code and a text, such as {"code": "mild", "text": "Mild"}.'
    elif len({one["code"] for one in options}) < len(options):
        yield "each of its options has a code of its own."


def wrong_with_bounds(least: Any, most: Any, unit: Any) -> Iterator[str]:
    if not (is_number(least) and is_number(most) and -FURTHEST <= least < most <= FURTHEST):
        yield f"min and max are numbers up to {FURTHEST}, min below max."
    if unit != "" and not is_text(unit, 20):
        yield "its unit is a word, such as months."


def wrong_with_flag(flag: Any, known: dict[str, Question]) -> Iterator[str]:
    if not isinstance(flag, dict):
        yield 'it is an object, such as {"question": "fever", "is": true, "advice": "911"}.'
        return
    if flag.get("advice") not in Advice.values:
        yield f"its advice is one of {', '.join(Advice.values)}."
    tests = [name for name in TESTS if name in flag]
    if len(tests) != 1 or set(flag) - {"question", "advice", *tests}:
        yield f"it has question, advice and one of {', '.join(TESTS)}."
        return
    question = known.get(flag["question"]) if isinstance(flag.get("question"), str) else None
    if question is None:
        yield "it names a question by its code, and there is none of this code."
        return
    if not question.is_required:
        yield f"it rests on {question.code}, which may be left out: make that required."
    yield from wrong_with_test(question, tests[0], flag[tests[0]])


def wrong_with_test(question: Question, test: str, value: Any) -> Iterator[str]:
    """What keeps a red flag from ever being raised, or from being raised by what was meant."""
    match question.kind, test:
        case Kind.YES_NO, "is":
            if not isinstance(value, bool):
                yield f"the answer to {question.code} is true or false."
        case ((Kind.CHOICE | Kind.CHOICES), "is"):
            if value not in question.codes:
                yield f"the answers to {question.code} are {listed(question.codes)}."
        case ((Kind.CHOICE | Kind.CHOICES), "one_of"):
            if not isinstance(value, list) or not value or any(one not in question.codes for one in value):
                yield f"one_of is a list of answers to {question.code}: {listed(question.codes)}."
        case ((Kind.NUMBER | Kind.SCALE), word) if word in ("is", *COMPARED):
            if not is_number(value) or not question.least <= value <= question.most:
                yield f"{test} is a number that {question.code} can be, {question.least:g} to {question.most:g}."
        case _:
            yield f"{test} cannot be asked of {question.code}, which is a {question.kind}."


def is_code(value: Any) -> bool:
    return isinstance(value, str) and CODE.fullmatch(value) is not None


def is_text(value: Any, longest: int) -> bool:
    """Whether it says something, on one line. PostgreSQL keeps neither NUL nor half a surrogate pair."""
    return isinstance(value, str) and 0 < len(value.strip()) <= longest and value.isprintable()


def is_number(value: Any) -> bool:
    """Whether JSON has it as a number. To Python true is one, too."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def listed(words: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(words))
