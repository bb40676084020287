"""What messages say (promise 18): every template in every language, with whatever of a patient it could be given."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from clinics import sms
from clinics.messages import rendering
from tests.cast import NOW

ROOT = Path(__file__).resolve().parent.parent.parent.parent
FILES = sorted(ROOT.glob("*/templates/messages/*/*.txt"))
NAMES = sorted({path.name for path in FILES} - {"frame.email.txt"})
LANGUAGES = sorted({path.parent.name for path in FILES})
CANARY = "Canaria"
# Whatever a use case might give a template by mistake, under any name that it might have.
HEALTH = dict.fromkeys(
    [
        "reason", "diagnosis", "specialty", "visit_type", "clinician", "clinician_name", "name", "family_name",
        "last_name", "surname", "patient", "patient_name", "full_name", "birth_date", "member_id", "notes",
    ],
    CANARY,
)  # fmt: skip


# The longest that there may reasonably be, for texts to fit.
LONG: dict[str, object] = {
    "brand": "Sameday",
    "clinic": "North Ridgeville Crossing",
    "address": "12345 North Ridgeville Crossing Boulevard, North Ridgeville, OH 44039",
    "phone": "+1 440-555-0123",
    "child": "Maximiliana",
    "start": NOW.isoformat(),
    "until": NOW.isoformat(),
    "page": "https://sameday.example/consults/0193601a-7c1e-7000-8000-000000000006",
    "consult": "0193601a-7c1e-7000-8000-000000000006",
    "zone": "America/New_York",
    "time_zone": "America/New_York",
    "plan": "Sameday Complete Family",
    "amount": 123_456,
    "was": 9_900,
    "number": "INV-000123",
    "interval": "month",
    "due_on": "2026-12-24",
    "ends_on": "2026-12-31",
    "renews_on": "2027-11-24",
    "from_on": "2026-12-24",
    "since": "2026-11-24",
    "today": "2026-11-24",
    "options": {
        code: {"from_on": "2027-11-24", "by": "2027-11-23", "costs": 19_900, "credit": 9_900, "owed_less": 9_900}
        for code in ("keep", "pause", "leave", "cancel")
    },
    "others": "Maximiliana",
    "inviter": "Maximiliana",
    "invited": "sam@example.com",
    "expires_on": "2026-12-08",
    "links": {
        "confirm": "0193601a-7c1e-7000-8000-000000000002",
        "cancel": "0193601a-7c1e-7000-8000-000000000003",
        "family": "0193601a-7c1e-7000-8000-000000000004",
    },
}
FLAGS: list[dict[str, object]] = [
    {},
    {"is_late": True, "is_confirmed": True, "is_cancel": True},
    {"is_trial": True, "is_reminder": True, "retry_on": "2026-12-27", "is_dearer": True, "is_unpaid": True},
    {"is_dearer": True, "is_lapsed": True, "is_payer": True, "is_accepted": True},
    {"is_again": True, "is_nurse": True, "is_escalated": True},
    {
        "is_escalated": True,
        "more": 3,
        "gaps": [],
    },
    {"child": "", "is_cancel": True},
    {"child": "", "is_confirmed": True, "is_late": True},
]


def all_written() -> Iterator[tuple[str, str, str]]:
    for name in NAMES:
        template, channel, _ = name.split(".")
        for language in LANGUAGES:
            for flags in FLAGS:
                context = HEALTH | LONG | flags
                written = rendering.write(template=template, channel=channel, language=language, context=context)
                yield f"{language}/{name} {flags}", channel, f"{written.subject}\n{written.body}"


def test_there_are_templates():
    assert len(NAMES) >= 3
    assert {"en", "es"} <= set(LANGUAGES)


def test_every_template_is_there_in_every_language():
    for name in NAMES:
        assert [
            language for language in LANGUAGES if (language, name) not in {(p.parent.name, p.name) for p in FILES}
        ] == []


def test_no_template_says_anything_of_somebodys_health():
    assert [name for name, _, text in all_written() if CANARY in text] == []


def test_no_template_leaves_anything_out():
    for name, channel, text in all_written():
        assert "{{" not in text, name
        assert channel == "sms" or len(text.splitlines()[0]) > 5, name


def test_every_text_fits_into_one():
    lengths = {name: sms.length(text.strip()) for name, channel, text in all_written() if channel == "sms"}

    assert {name: length for name, length in lengths.items() if length is None or length > sms.LONGEST} == {}


@pytest.mark.parametrize(
    ("text", "plain"),
    [("Olá, ação", "Olà, açao"), ("“Hi” — it\u2019s…", '"Hi" - it\'s...'), ("Łódź 🙂", "?odz ?"), ("ñ à é", "ñ à é")],
)
def test_it_writes_texts_in_their_own_letters(text: str, plain: str):
    written = rendering.simple(text)

    assert sms.length(written) is not None
    assert len(written) <= len(text) + 4
    if "Ł" in text or "“" in text:
        assert written == plain
