"""Sample questions, red flags and consent texts, for trying Sameday out. NO CLINICIAN HAS REVIEWED ANY OF THIS.

They show what a form can do. Whoever opens to patients has clinicians write and review forms of their own, in the
admin: docs/decisions/0019-intake.md.
"""

from datetime import date, datetime
from typing import Any

from virtualcare.intake import questions
from virtualcare.models import Advice, ConsentText, IntakeForm

SINCE = date(2024, 1, 1)
CALL_911, CALL_988, GO = Advice.CALL_911, Advice.CALL_988, Advice.EMERGENCY_ROOM
MARK = "Sample text, not for use with patients."

TELEHEALTH = f"""{MARK}

You will be cared for by text or video, without a physical examination. A clinician who is licensed where you are reads
what you write, and may find that you need to be seen in person. Text and video are encrypted, and nothing is recorded;
what you write, and a summary, become part of your record. This is not for emergencies: in one, call 911. You may stop
at any time, and you may ask for a visit in person instead."""
TELEHEALTH_OH = f"""{TELEHEALTH}

In Ohio you may ask for the name and the licence of who cares for you, and have the summary sent to your physician."""


def asked(code: str, text: str, kind: str = "yes_no", **more: Any) -> dict[str, Any]:
    return {"code": code, "text": text, "kind": kind, **more}


def options(**texts: str) -> list[dict[str, str]]:
    return [{"code": code, "text": text} for code, text in texts.items()]


def flag(question: str, advice: Advice, **test: Any) -> dict[str, Any]:
    return {"question": question, **(test or {"is": True}), "advice": advice.value}


def perhaps(code: str, text: str) -> dict[str, Any]:
    """A question that may be left out."""
    return asked(code, text, required=False)


SINCE_WHEN = asked("since", "How many days ago did it begin?", "number", min=0, max=365, unit="days")
MORE = asked("more", "Is there anything else that we should know?", "text", max_length=1000, required=False)

# Complaint, name, acuity, questions, red flags.
FORMS: list[tuple[str, str, int, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        "sore_throat",
        "Sore throat",
        4,
        [
            perhaps("fever", "Do you have a fever?"),
            perhaps("white_patches", "Do you see white patches at the back of your throat?"),
            perhaps("contact", "Were you near somebody with strep throat in the last two weeks?"),
        ],
        [],
    ),
    (
        "chest_pain",
        "Chest pain",
        2,
        [
            asked("pain_now", "Do you have pain, pressure or tightness in your chest right now?"),
            asked("spreading", "Does it spread to your arm, jaw, neck or back?"),
            asked("breathing", "Is it hard to breathe?"),
            asked("faint", "Did you faint, or do you feel as if you were about to?"),
            asked("touch", "Does it hurt more when you press on the spot?"),
        ],
        [
            flag("pain_now", CALL_911),
            flag("spreading", CALL_911),
            flag("breathing", CALL_911),
            flag("faint", CALL_911),
        ],
    ),
    (
        "low_mood",
        "Low mood, or worry",
        3,
        [
            asked("harmed", "Have you hurt yourself today, or taken too much of something?"),
            asked("suicide", "Are you thinking of ending your life, or of hurting yourself?"),
            asked("others", "Are you afraid that you might hurt somebody else?"),
            asked("how_bad", "How bad has it been this week, from 0 to 10?", "scale"),
            MORE,
        ],
        [flag("harmed", CALL_911), flag("suicide", CALL_988), flag("others", CALL_911)],
    ),
    (
        "stomach_pain",
        "Stomach pain",
        3,
        [
            asked("how_bad", "How bad is the pain, from 0 to 10?", "scale"),
            asked(
                "where",
                "Where does it hurt most?",
                "choice",
                options=options(
                    upper="Upper belly", lower_right="Lower right", lower_left="Lower left", all_over="All over"
                ),
            ),
            asked(
                "also",
                "Which of these do you have, too?",
                "choices",
                options=options(
                    vomiting="Vomiting",
                    diarrhea="Diarrhea",
                    fever="Fever",
                    blood="Blood in what you vomit or pass",
                    black="Black stools",
                ),
            ),
            asked("pregnant", "Are you pregnant, or could you be?"),
            SINCE_WHEN,
            MORE,
        ],
        [
            flag("how_bad", GO, at_least=9),
            flag("also", GO, one_of=["blood", "black"]),
            flag("pregnant", GO),
        ],
    ),
    (
        "rash",
        "Rash",
        4,
        [
            asked("swelling", "Are your face, lips or tongue swollen, or is it hard to breathe?"),
            asked("spots", "Are there purple spots that stay when you press a glass on them?"),
            asked(
                "where",
                "Where is it?",
                "choices",
                options=options(face="Face", body="Chest, belly or back", arms="Arms", legs="Legs", other="Elsewhere"),
            ),
            asked("itches", "Does it itch?"),
            SINCE_WHEN,
            MORE,
        ],
        [flag("swelling", CALL_911), flag("spots", CALL_911)],
    ),
    (
        "child_fever",
        "Fever of a child",
        2,
        [
            asked("age", "How old is the child?", "number", min=0, max=215, unit="months"),
            asked(
                "temperature", "What is the highest temperature that you took?", "number", min=95, max=110, unit="°F"
            ),
            asked("limp", "Is the child limp, hard to wake, or not answering?"),
            asked("fit", "Did the child have a fit (a seizure)?"),
            asked("breathing", "Is it hard for the child to breathe?"),
            asked("spots", "Are there purple spots that stay when you press a glass on them?"),
            asked("drinking", "Does the child drink?"),
            MORE,
        ],
        [
            flag("limp", CALL_911),
            flag("fit", CALL_911),
            flag("breathing", CALL_911),
            flag("spots", CALL_911),
            flag("age", GO, less_than=3),
            flag("temperature", GO, at_least=104),
        ],
    ),
    (
        "headache",
        "Headache",
        3,
        [
            asked("sudden", "Did it come within a minute, the worst of your life?"),
            asked("stroke", "Is your face drooping, an arm weak, or your speech unclear?"),
            asked("injury", "Did you hit your head in the last three days?"),
            asked("neck", "Do you have a fever and a stiff neck?"),
            SINCE_WHEN,
            MORE,
        ],
        [flag("sudden", CALL_911), flag("stroke", CALL_911), flag("injury", GO), flag("neck", GO)],
    ),
    (
        "medication_question",
        "Question about a medicine",
        5,
        [
            asked("reaction", "Since you took it, is it hard to breathe, or are your face, lips or tongue swollen?"),
            asked("too_much", "Did somebody take too much, or the wrong medicine, today?"),
            asked(
                "about",
                "What is it about?",
                "choice",
                options=options(side_effect="A side effect", how="How to take it", refill="A refill", other="Other"),
            ),
            asked("which", "Which medicine is it?", "text", max_length=200),
            MORE,
        ],
        [flag("reaction", CALL_911), flag("too_much", CALL_911)],
    ),
]
CONSENTS = [("", "", TELEHEALTH), ("", "OH", TELEHEALTH_OH)]


def seed(*, now: datetime) -> None:
    """Publish the samples that are missing. A complaint or a text that there is, in whatever state, is left alone."""
    there = set(IntakeForm.objects.values_list("complaint", flat=True))
    IntakeForm.objects.bulk_create(
        IntakeForm(
            complaint=complaint,
            version=1,
            name=name,
            acuity=acuity,
            questions=good(complaint, wanted, flags),
            red_flags=flags,
            is_sample=True,
            written_at=now,
            published_at=now,
        )
        for complaint, name, acuity, wanted, flags in FORMS
        if complaint not in there
    )
    texts = set(ConsentText.objects.values_list("code", "modality", "state"))
    ConsentText.objects.bulk_create(
        ConsentText(
            code="telehealth",
            modality=modality,
            state=state,
            version=1,
            body=body,
            from_on=SINCE,
            is_sample=True,
            written_at=now,
            published_at=now,
        )
        for modality, state, body in CONSENTS
        if ("telehealth", modality, state) not in texts
    )


def good(complaint: str, wanted: list[dict[str, Any]], flags: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions of a form. Raises ValueError where the form would not be taken from anybody else."""
    if problems := questions.wrong_with(wanted, flags):
        raise ValueError(f"{complaint}: {' '.join(problems)}")
    return wanted
