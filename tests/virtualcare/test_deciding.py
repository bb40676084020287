"""Red flags, and reading answers: any flag diverts, the most urgent advice holds, and nothing is read loosely."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.problems import by_field
from virtualcare import intake
from virtualcare.intake import questions
from virtualcare.models import Advice, IntakeForm

QUESTIONS: list[dict[str, Any]] = [
    {"code": "breathing", "text": "Is it hard to breathe?", "kind": "yes_no"},
    {"code": "harm", "text": "Do you think of harming yourself?", "kind": "yes_no"},
    {"code": "pain", "text": "How bad is the pain?", "kind": "scale"},
    {
        "code": "where",
        "text": "Where does it hurt?",
        "kind": "choice",
        "options": [{"code": "chest", "text": "Chest"}, {"code": "arm", "text": "Arm"}, {"code": "leg", "text": "Leg"}],
    },
    {
        "code": "also",
        "text": "What else?",
        "kind": "choices",
        "options": [
            {"code": "fever", "text": "Fever"},
            {"code": "rash", "text": "Rash"},
            {"code": "fits", "text": "Fits"},
        ],
    },
    {"code": "age", "text": "How old?", "kind": "number", "min": 0, "max": 36, "unit": "months"},
    {"code": "since", "text": "Since when?", "kind": "text", "max_length": 20, "required": False},
]
FLAGS = [
    {"question": "breathing", "is": True, "advice": "911"},
    {"question": "harm", "is": True, "advice": "988"},
    {"question": "pain", "at_least": 9, "advice": "er"},
    {"question": "where", "one_of": ["chest", "arm"], "advice": "911"},
    {"question": "also", "is": "fits", "advice": "er"},
    {"question": "age", "less_than": 3, "advice": "er"},
]
# What a client may send in place of an answer.
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text("yesno10", max_size=5),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=3,
)
WELL = {"breathing": False, "harm": False, "pain": 3, "where": "leg", "also": [], "age": 24}


@pytest.fixture
def form():
    return IntakeForm(complaint="anything", version=1, name="Anything", questions=QUESTIONS, red_flags=FLAGS)


def errors_of(form, answers):
    with pytest.raises(intake.BadAnswers) as refused:
        intake.decide(form, answers)
    return {path: error["code"] for path, [error] in by_field(refused.value.detail)}


class TestRedFlags:
    def test_it_lets_wait_who_raises_none(self, form):
        decision = intake.decide(form, WELL)

        assert decision.advice is None
        assert decision.flags == ()
        assert decision.answers == WELL

    @pytest.mark.parametrize(
        ("said", "advice"),
        [
            ({"breathing": True}, "911"),
            ({"harm": True}, "988"),
            ({"pain": 9}, "er"),
            ({"pain": 10}, "er"),
            ({"where": "arm"}, "911"),
            ({"also": ["rash", "fits"]}, "er"),
            ({"age": 2.9}, "er"),
            ({"age": 0}, "er"),
        ],
    )
    def test_each_alone_diverts(self, form, said, advice):
        decision = intake.decide(form, WELL | said)

        assert decision.advice == Advice(advice)
        assert [flag.question for flag in decision.flags] == list(said)

    @pytest.mark.parametrize("said", [{"pain": 8}, {"age": 3}, {"also": ["fever", "rash"]}, {"where": "leg"}])
    def test_what_is_just_short_of_one_does_not(self, form, said):
        assert intake.decide(form, WELL | said).advice is None

    @pytest.mark.parametrize(
        ("said", "advice"),
        [
            ({"pain": 10, "harm": True}, "988"),
            ({"harm": True, "breathing": True}, "911"),
            ({"age": 1, "where": "chest"}, "911"),
        ],
    )
    def test_the_most_urgent_advice_holds(self, form, said, advice):
        decision = intake.decide(form, WELL | said)

        assert decision.advice == Advice(advice)
        assert {flag.question for flag in decision.flags} == {*said}

    def test_one_diverts_whatever_else_is_missing_or_wrong(self, form):
        decision = intake.decide(form, {"breathing": True, "pain": "awful", "no_such": 1})

        assert decision.advice == Advice.CALL_911
        assert decision.answers == {"breathing": True}

    def test_yes_in_words_is_as_good(self, form):
        assert intake.decide(form, {"breathing": "Yes"}).advice == Advice.CALL_911

    @given(
        said=st.fixed_dictionaries(
            {
                "breathing": st.booleans(),
                "harm": st.booleans(),
                "pain": st.integers(0, 10),
                "where": st.sampled_from(["chest", "arm", "leg"]),
                "also": st.lists(st.sampled_from(["fever", "rash", "fits"]), unique=True),
                "age": st.floats(0, 36),
            }
        )
    )
    def test_nobody_waits_with_a_flag_and_nobody_is_sent_away_without(self, said):
        form = IntakeForm(questions=QUESTIONS, red_flags=FLAGS)
        calls_911 = said["breathing"] or said["where"] != "leg"
        goes = said["pain"] >= 9 or "fits" in said["also"] or said["age"] < 3

        advice = intake.decide(form, said).advice

        assert advice == ("911" if calls_911 else "988" if said["harm"] else "er" if goes else None)


class TestAnswers:
    def test_missing_ones_are_named(self, form):
        assert errors_of(form, {"pain": 1}) == {
            f"answers.{code}": "required" for code in ("breathing", "harm", "where", "also", "age")
        }

    def test_null_is_no_answer(self, form):
        assert errors_of(form, WELL | {"pain": None}) == {"answers.pain": "required"}
        assert intake.decide(form, WELL | {"since": None}).answers == WELL

    def test_unknown_ones_are_named(self, form):
        assert errors_of(form, WELL | {"pian": 3}) == {"answers.pian": "unknown_field"}

    @pytest.mark.parametrize(
        ("code", "value"),
        [
            ("breathing", 0),
            ("breathing", "maybe"),
            ("breathing", []),
            ("pain", -1),
            ("pain", 11),
            ("pain", 2.5),
            ("pain", True),
            ("pain", "3"),
            ("pain", float("nan")),
            ("pain", float("inf")),
            ("where", "head"),
            ("where", ["leg"]),
            ("where", {}),
            ("also", "rash"),
            ("also", ["rash", "rash"]),
            ("also", [["rash"]]),
            ("age", 36.5),
            ("age", False),
            ("since", 3),
            ("since", "x" * 21),
        ],
    )
    def test_wrong_ones_are_named(self, form, code, value):
        assert errors_of(form, WELL | {code: value}) == {f"answers.{code}": "invalid"}

    def test_they_are_kept_in_one_form(self, form):
        said = WELL | {"breathing": "no", "also": ["rash", "fever"], "pain": 4.0, "age": 7.5, "since": "  Monday \n"}

        answers = intake.decide(form, said).answers

        assert answers == {**WELL, "also": ["fever", "rash"], "pain": 4, "age": 7.5, "since": "Monday"}
        assert isinstance(answers["pain"], int)

    @given(answers=st.dictionaries(st.sampled_from([*WELL, "since", "other"]), ODD))
    def test_whatever_is_sent_is_decided_or_refused(self, answers):
        form = IntakeForm(questions=QUESTIONS, red_flags=FLAGS)
        known, named = {question["code"] for question in QUESTIONS}, set()

        try:
            named = set(intake.decide(form, answers).answers)
        except intake.BadAnswers as refused:
            named = {path.removeprefix("answers.") for path, _ in by_field(refused.detail)}

        assert named <= known | {"other"}


class TestWrongForms:
    def test_a_good_one_is_said_to_be(self):
        assert questions.wrong_with(QUESTIONS, FLAGS) == []

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"code": "Fever!"}, "its code is small letters"),
            ({"code": 5}, "its code is small letters"),
            ({"text": "  "}, "its text is what the patient reads"),
            ({"kind": "guess"}, "its kind is one of yes_no"),
            ({"kind": ["yes_no"]}, "its kind is one of yes_no"),
            ({"required": "no"}, "required is true or false"),
            ({"options": []}, "a yes_no has no options"),
            ({"kind": "choice"}, "a choice needs options"),
            ({"kind": "choice", "options": [{"code": "a", "text": "A"}]}, "its options are a list of 2"),
            ({"kind": "choice", "options": [{"code": "a"}, {"code": "b"}]}, "each option is a code and a text"),
            ({"kind": "choices", "options": [{"code": "a", "text": "A"}] * 2}, "each of its options has a code"),
            ({"kind": "number", "min": 3}, "a number needs max"),
            ({"kind": "number", "min": 3, "max": 3}, "min below max"),
            ({"kind": "number", "min": float("nan"), "max": 3}, "min below max"),
            ({"kind": "number", "min": False, "max": 3}, "min below max"),
            ({"kind": "number", "min": 0, "max": 3, "unit": 5}, "its unit is a word"),
            ({"kind": "text", "max_length": 0}, "max_length is a whole number"),
            ({"kind": "text", "max_length": 1.5}, "max_length is a whole number"),
        ],
    )
    def test_what_is_wrong_with_a_question_is_said(self, change, said):
        question = {"code": "fever", "text": "Fever?", "kind": "yes_no"} | change

        [problem] = questions.wrong_with([question], [])

        assert problem.startswith("Question 1: ")
        assert said in problem

    @pytest.mark.parametrize(
        ("flag", "said"),
        [
            ("fever", "it is an object"),
            ({"question": "breathing", "is": True, "advice": "112"}, "its advice is one of 911, 988, er"),
            ({"question": "breathing", "advice": "911"}, "one of is, one_of, at_least"),
            ({"question": "breathing", "is": True, "one_of": [True], "advice": "911"}, "one of is, one_of"),
            ({"question": "breathing", "is": True, "advice": "911", "or": 1}, "one of is, one_of"),
            ({"question": "brething", "is": True, "advice": "911"}, "there is none of this code"),
            ({"question": ["breathing"], "is": True, "advice": "911"}, "there is none of this code"),
            ({"question": "breathing", "is": "yes", "advice": "911"}, "the answer to breathing is true or false"),
            ({"question": "breathing", "is": 1, "advice": "911"}, "the answer to breathing is true or false"),
            ({"question": "breathing", "at_least": 1, "advice": "911"}, "at_least cannot be asked of breathing"),
            ({"question": "where", "is": "head", "advice": "911"}, "the answers to where are arm, chest, leg"),
            ({"question": "where", "one_of": [], "advice": "911"}, "one_of is a list of answers to where"),
            ({"question": "also", "one_of": ["fits", "cough"], "advice": "er"}, "one_of is a list of answers to also"),
            ({"question": "pain", "at_least": 11, "advice": "er"}, "a number that pain can be, 0 to 10"),
            ({"question": "pain", "is": True, "advice": "er"}, "a number that pain can be, 0 to 10"),
            ({"question": "since", "is": "now", "advice": "er"}, "may be left out"),
        ],
    )
    def test_what_is_wrong_with_a_red_flag_is_said(self, flag, said):
        problems = questions.wrong_with(QUESTIONS, [flag])

        assert problems
        assert problems[0].startswith("Red flag 1: ")
        assert said in problems[0]

    def test_two_questions_of_one_code_are_refused(self):
        assert "More than once: breathing." in questions.wrong_with(QUESTIONS + QUESTIONS[:1], FLAGS)[0]

    @pytest.mark.parametrize("odd", [None, {}, [], "questions", [1] * 41])
    def test_something_else_than_a_list_is_refused(self, odd):
        assert questions.wrong_with(odd, []) == ["The questions are a list of 1 to 40."]
