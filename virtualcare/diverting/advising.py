"""What somebody is shown who must not wait for us."""

from dataclasses import dataclass
from typing import Any

from rest_framework import serializers

from virtualcare.models import Advice, Consult


@dataclass(frozen=True, slots=True)
class Shown:
    """`phone` is what to dial, empty where it is a place; `links` are pairs of what a button says and what it opens."""

    title: str
    sentences: tuple[str, ...]
    phone: str
    links: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        return " ".join(self.sentences)


NURSE = "One of our nurses knows of this and may call you. Do not wait for that."
# 988 is the Suicide and Crisis Lifeline of the United States and its territories (National Suicide Hotline Designation
# Act of 2020): by call and by text. 911 takes texts in most places, not in all.
ADVICE = {
    Advice.CALL_911: Shown(
        "Call 911 now",
        (
            "What you told us can be an emergency. Do not wait for a clinician here.",
            "Call 911, and say where you are. If you cannot speak, send a text to 911.",
            "Do not drive yourself. Stay with somebody until help comes, if you can.",
            NURSE,
        ),
        "911",
        (("Call 911", "tel:911"), ("Text 911", "sms:911")),
    ),
    Advice.CALL_988: Shown(
        "Call or text 988 now",
        (
            "You are not alone with this. The 988 Suicide and Crisis Lifeline is there day and night, free of charge.",
            "Call or text 988 and talk with somebody now. In Spanish: call 988 and press 2.",
            "If you are about to hurt yourself, or have, call 911.",
            NURSE,
        ),
        "988",
        (("Call 988", "tel:988"), ("Text 988", "sms:988"), ("Call 911", "tel:911")),
    ),
    Advice.EMERGENCY_ROOM: Shown(
        "Go to an emergency room now",
        (
            "What you told us needs to be looked at in person, today, and soon.",
            "Go to the nearest emergency room. Have somebody take you, if you can.",
            "If it gets worse, or you cannot get there, call 911.",
            NURSE,
        ),
        "",
        (("Call 911", "tel:911"),),
    ),
}


class LinkShown(serializers.Serializer[Any]):
    text = serializers.CharField(help_text="What its button says.")
    href = serializers.CharField(help_text="Such as tel:911.")


class AdviceShown(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=Advice.choices)
    title = serializers.CharField()
    text = serializers.CharField(help_text="What to do, in a few sentences.")
    phone = serializers.CharField(allow_blank=True, help_text="What to dial; empty where it is a place to go to.")
    links = LinkShown(many=True)
    is_sample = serializers.BooleanField(help_text="By rules invented for trying Sameday out, which nobody reviewed.")
    acknowledged_at = serializers.DateTimeField(
        allow_null=True, help_text="When they said that they read it: POST consults/{id}/acknowledge."
    )


def advice(consult: Consult) -> dict[str, Any]:
    """What `consult`, which was diverted, shows its patient. Needs its form loaded."""
    shown = ADVICE[Advice(consult.advice)]
    return {
        "code": consult.advice,
        "title": shown.title,
        "text": shown.text,
        "phone": shown.phone,
        "links": [{"text": text, "href": href} for text, href in shown.links],
        "is_sample": consult.form.is_sample,
        "acknowledged_at": consult.acknowledged_at.isoformat() if consult.acknowledged_at else None,
    }


def sentence(sent: Advice) -> str:
    """An advice as a chat says it, where a clinician gives it."""
    return f"{ADVICE[sent].title}. {ADVICE[sent].text}"


EXAMPLE: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000011",
    "status": "diverted",
    "advice": {
        "code": "911",
        "title": "Call 911 now",
        "text": ADVICE[Advice.CALL_911].text,
        "phone": "911",
        "links": [{"text": "Call 911", "href": "tel:911"}],
        "is_sample": False,
        "acknowledged_at": None,
    },
}
