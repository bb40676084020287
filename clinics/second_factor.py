"""The second step of signing in (allauth.mfa): an app's codes, passkeys, recovery codes; and who must take it.

Staff must, where STAFF_MFA_REQUIRED is on: without it they reach the pages that set it up, and nothing else. Staff are
those who may open the admin, and those who have a role somewhere. `is_lacking` is asked by clinics.edge for the API and
by config.second_factor for everything else.
"""

import logging
from datetime import datetime
from typing import Any

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.db import transaction
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from clinics import encryption, messages, staffing
from clinics.models import SecondFactorReset, Session, User
from clinics.refusals import Refused
from clinics.sessions import SignIn

log = logging.getLogger(__name__)

SET_UP_AT = "/staff/security"
LEAST_REASON = 10  # characters, of why it is reset


class SecondFactorRequired(Refused):
    code = "mfa_required"
    status = 403
    detail = (
        f"Staff sign in with a second step. Set it up at {SET_UP_AT} or by /auth/app/v1/account/authenticators/totp; "
        "if you have done so, confirm it there or by /auth/app/v1/auth/2fa/reauthenticate."
    )

    def help(self) -> dict[str, Any]:
        return {"set_up_at": SET_UP_AT}


def is_lacking(signed_in: SignIn) -> bool:
    """Whether somebody who signed in must take the second step before anything else."""
    return settings.STAFF_MFA_REQUIRED and signed_in.is_staff and not (signed_in.has_factor and signed_in.used_factor)


class NotYoursToReset(Refused):
    code = "reset_not_yours"
    status = 403
    detail = "Only those who run the server reset somebody's second factor."


class ResetReason(Refused):
    code = "reset_reason"
    status = 400
    detail = f"Say in {LEAST_REASON} letters or more why it is reset, and how you know that it is really them."


class NothingToReset(Refused):
    code = "nothing_to_reset"
    detail = "This account has no second factor. They set one up when they sign in."


def is_set_up(user: User) -> bool:
    """Whether `user` has a second factor."""
    return bool(Authenticator.objects.filter(user=user).exists())


def reset(*, user: User, actor: User | None, reason: str, now: datetime) -> int:
    """Take every second factor from `user`, who lost them, end their sessions, and tell them by e-mail.

    `actor` is an operator, and not `user`: a second person always has to. None is somebody at the server itself, by
    manage.py. Who did it and why is kept as a SecondFactorReset. Returns how many sessions ended.
    Raises OwnAccount, NotYoursToReset, ResetReason and NothingToReset.
    """
    if actor is not None and actor.pk == user.pk:
        raise staffing.OwnAccount
    if actor is not None and not staffing.is_operator(actor):
        raise NotYoursToReset
    if len(reason.strip()) < LEAST_REASON:
        raise ResetReason
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if not Authenticator.objects.filter(user=user).delete()[0]:
            raise NothingToReset
        ended: int = Session.objects.filter(user=user).delete()[0]
        kept = SecondFactorReset.objects.create(user=user, at=now, actor=actor, reason=reason.strip())
        messages.queue(
            to=user,
            template="second_factor_reset",
            about=f"second_factor_reset:{kept.pk}",
            dedupe_key=f"second_factor_reset:{kept.pk}",
            context={"brand": "Sameday", "to_account": True, "who": actor.email if actor else ""},
            now=now,
        )
    log.warning("Second factor reset %s by %s", kept.pk, "an operator" if actor else "manage.py")
    return ended


def reencrypt() -> int:
    """Encrypt by the first key what an earlier one encrypted. Returns how many second factors that were.

    Sessions need none of it: staff's last for half a day, and a session that cannot be read is over.
    """
    changed = 0
    for pk in Authenticator.objects.exclude(type=Authenticator.Type.WEBAUTHN).values_list("pk", flat=True):
        with transaction.atomic():
            # Locked as allauth locks it while a recovery code is used up.
            kept = Authenticator.objects.select_for_update().filter(pk=pk).first()
            name = "secret" if kept and kept.type == Authenticator.Type.TOTP else "seed"
            if kept is None or encryption.is_current(kept.data[name]):
                continue
            kept.data[name] = encryption.encrypt(encryption.decrypt(kept.data[name]))
            kept.save(update_fields=["data"])
            changed += 1
    return changed


def is_credential(value: Any, *, is_new: bool) -> bool:
    """Whether `value` has the form of what navigator.credentials makes (`is_new`) or gets: all else allauth trips over.

    Says nothing of whether it is right: that is for allauth to see.
    """
    try:
        if is_new:
            made = RegistrationResponse.from_dict(value)
            return made.response.attestation_object.auth_data.credential_data is not None
        AuthenticationResponse.from_dict(value)
        # fido2 reads it strictly, but it says so by whichever exception it comes to.
    except Exception:
        return False
    return True


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """What allauth.mfa leaves to the project (MFA_ADAPTER)."""

    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Whom passkeys are for: the name people type, without the port (WebAuthn takes localhost, no IP address)."""
        return {"id": context.request.get_host().partition(":")[0], "name": "Sameday"}
