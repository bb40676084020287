"""What somebody agrees to before a consult, by how it is held and where they are, and that they did."""

import logging
from collections.abc import Iterable
from datetime import date, datetime

from clinics.models import User
from clinics.refusals import Refused
from virtualcare.models import ConsentText, Consult, ConsultConsent

log = logging.getLogger(__name__)

# Nobody is treated without having agreed to be treated from afar.
ALWAYS = "telehealth"


class ConsentRequired(Refused):
    """`consents` holds each text that is lacking: `{code, version, body}`, to be shown and agreed to."""

    code = "consent_required"
    status = 400
    detail = "Please read what is in consents, and send their codes if you agree."


class NoConsentText(Refused):
    """Nobody has published what patients here agree to."""

    code = "not_open_here"
    status = 503
    detail = "We cannot take consults there now. If this is urgent, call 911 or go to an emergency room."


def texts(*, modality: str, state: str, on: date) -> list[ConsentText]:
    """What is asked for on the day `on` of who is in `state`, for a consult by `modality`: of each code one text.

    The one for the state and the modality goes before that for the state, that before the one for the modality, and
    that before the one for all. "" is no state, or modality, in particular.
    """
    found = ConsentText.objects.in_force(on=on).filter(modality__in=["", modality], state__in=["", state])
    closest: dict[str, ConsentText] = {}
    for text in sorted(found, key=lambda text: (text.code, text.state == "", text.modality == "")):
        closest.setdefault(text.code, text)
    return list(closest.values())


def required(*, modality: str, state: str, on: date) -> list[ConsentText]:
    """The texts to be agreed to before a consult, as `texts` has them. Raises NoConsentText without one of ALWAYS."""
    found = texts(modality=modality, state=state, on=on)
    if not any(text.code == ALWAYS for text in found):
        log.error("There is no consent text of %s in force for %s in %s", ALWAYS, modality, state)
        raise NoConsentText
    return found


def agreed(*, modality: str, state: str, codes: Iterable[str], on: date) -> list[ConsentText]:
    """The texts that are required, all of which `codes` agree to. Further codes change nothing.

    A code alone is for today's text of it. With a version, as in `telehealth:2`, it is for that version of a text, and
    does not agree to a later one that came between reading and sending. Raises ConsentRequired and NoConsentText.
    """
    wanted = required(modality=modality, state=state, on=on)
    require(wanted, codes)
    return wanted


def require(texts: Iterable[ConsentText], codes: Iterable[str]) -> None:
    """Raises ConsentRequired with each of `texts` that `codes` do not agree to."""
    given = set(codes)
    lacking = [text for text in texts if not given & {text.code, f"{text.code}:{text.version}"}]
    if lacking:
        raise ConsentRequired(consents=[shown(text) for text in lacking])


def given(*, consult: Consult, texts: Iterable[ConsentText], user: User, now: datetime) -> None:
    """Keep that `user` agreed to `texts` before `consult`. In the caller's transaction."""
    ConsultConsent.objects.bulk_create(
        ConsultConsent(consult=consult, text=text, given_by=user, given_at=now) for text in texts
    )


def shown(text: ConsentText) -> dict[str, object]:
    """A text as a client shows it."""
    return {"code": text.code, "version": text.version, "body": text.body, "is_sample": text.is_sample}
