"""Writing what patients are asked and agree to: a draft by one person, read and published by another.

Whoever cares for patients as a clinician, or manages those who do, writes and reviews; so do those who run the server.
"""

from datetime import date, datetime
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Max

from clinics import people, staffing, states
from clinics.faults import violates
from clinics.models import StaffRole, User
from clinics.refusals import Refused
from virtualcare.intake import questions
from virtualcare.models import ConsentText, IntakeForm, Modality

ROLES = (StaffRole.Role.MANAGER, StaffRole.Role.CLINICIAN)
LONGEST_BODY = 20_000
V = TypeVar("V", IntakeForm, ConsentText)


class NotAnAuthor(Refused):
    code = "not_an_author"
    status = 403
    detail = "Clinicians, managers and those who run the server write what patients are asked."


class BadForm(Refused):
    """`problems` are sentences."""

    code = "bad_intake_form"
    status = 400
    detail = "This form cannot be used as it is."


class BadText(Refused):
    code = "bad_text"
    status = 400
    detail = "A consent text has a code, a body, and a state and modality that there are, or none."


class SecondReaderNeeded(Refused):
    code = "second_reader_needed"
    status = 403
    detail = "Whoever wrote a draft last does not publish it: ask somebody else to read it."


class DraftExists(Refused):
    code = "draft_exists"
    detail = "There is a draft already: change that one, or discard it."


class DraftChanged(Refused):
    code = "draft_changed"
    detail = "Somebody changed, published or discarded this draft meanwhile. Read it again."


class NotInForce(Refused):
    code = "not_in_force"
    detail = "Only the version that is in force can be retired."


def may_write(user: User) -> bool:
    if staffing.is_operator(user):
        return True
    return StaffRole.objects.filter(user=user, user__is_active=True, role__in=ROLES).exists()


def draft_form(*, complaint: str, actor: User, now: datetime, **fields: Any) -> IntakeForm:
    """Begin a new version of what is asked about `complaint`, or the first. `fields`: name, acuity, questions and
    red_flags.

    Raises NotAnAuthor, BadForm, and DraftExists.
    """
    require_author(actor)
    if not questions.is_code(complaint):
        raise BadForm(problems=["A complaint's code is small letters, digits and underscores, such as sore_throat."])
    require_good(fields)
    return begun(IntakeForm(complaint=complaint, **fields), actor=actor, now=now, key={"complaint": complaint})


def draft_text(
    *, code: str, modality: str, state: str, body: str, from_on: date, actor: User, now: datetime
) -> ConsentText:
    """Begin a new version of a consent text, or the first. Raises NotAnAuthor, BadText, and DraftExists."""
    require_author(actor)
    key = {"code": code, "modality": modality, "state": state}
    if not questions.is_code(code) or modality not in ("", *Modality.values) or state not in ("", *states.NAMES):
        raise BadText
    require_body(body)
    return begun(ConsentText(body=body, from_on=from_on, **key), actor=actor, now=now, key=key)


def begun(version: V, *, actor: User, now: datetime, key: dict[str, str]) -> V:
    """`version`, stored as a draft behind the versions of the same `key`. Raises DraftExists."""
    model = type(version)
    with transaction.atomic():
        of_key = model._default_manager.filter(**key)  # noqa: SLF001 - Django documents it
        if of_key.filter(published_at__isnull=True).exists():
            raise DraftExists
        version.version = (of_key.aggregate(last=Max("version"))["last"] or 0) + 1
        version.written_by, version.written_at = actor, now
        try:
            with transaction.atomic():
                version.save(force_insert=True)
        except IntegrityError as error:
            if violates(error, "intake_form_once") or violates(error, "consent_text_once"):
                raise DraftExists from error
            raise
    return version


def revise_form(*, form: IntakeForm, seen: datetime, actor: User, now: datetime, **fields: Any) -> None:
    """Change a draft, as it was when `seen` was its `written_at`. Raises NotAnAuthor, BadForm, and DraftChanged."""
    require_author(actor)
    require_good(fields)
    change(form, seen, written_by=actor, written_at=now, **fields)


def revise_text(*, text: ConsentText, seen: datetime, body: str, from_on: date, actor: User, now: datetime) -> None:
    """Change a draft, as it was when `seen` was its `written_at`. Raises NotAnAuthor, BadText, and DraftChanged."""
    require_author(actor)
    require_body(body)
    change(text, seen, written_by=actor, written_at=now, body=body, from_on=from_on)


def publish(*, version: V, seen: datetime, actor: User, now: datetime) -> None:
    """Publish a draft which `actor` has read, as it was when `seen` was its `written_at`: from now on it counts.

    Raises NotAnAuthor, SecondReaderNeeded where `actor` wrote it last, BadForm, and DraftChanged.
    """
    require_author(actor)
    if version.written_by_id == actor.pk:
        raise SecondReaderNeeded
    if isinstance(version, IntakeForm):
        require_good({"questions": version.questions, "red_flags": version.red_flags})
    change(version, seen, published_by=actor, published_at=now)


def discard(*, version: V, seen: datetime, actor: User) -> None:
    """Throw a draft away; its history stays. Raises NotAnAuthor and DraftChanged."""
    require_author(actor)
    if not drafts(version, seen).delete()[0]:
        raise DraftChanged


def retire(*, version: V, actor: User, now: datetime) -> None:
    """Take a version out of use, and with it what it is a version of: nobody is asked it from now on.

    It takes no second person: whoever sees that a question harms stops it at once. A new version brings it back.
    Raises NotAnAuthor, and NotInForce for any other than the version in force.
    """
    require_author(actor)
    if isinstance(version, IntakeForm):
        in_force: Any = IntakeForm.objects.in_force()
    else:
        in_force = ConsentText.objects.in_force(on=people.today_at_home(now))
    if not in_force.filter(pk=version.pk).update(retired_at=now, retired_by=actor):
        raise NotInForce


def change(version: V, seen: datetime, **fields: Any) -> None:
    """Raises DraftChanged where it is no draft any more, or not as it was."""
    if not drafts(version, seen).update(**fields):
        raise DraftChanged


def drafts(version: V, seen: datetime) -> Any:
    return type(version)._default_manager.filter(pk=version.pk, published_at__isnull=True, written_at=seen)  # noqa: SLF001 - Django documents it


def require_author(actor: User) -> None:
    if not may_write(actor):
        raise NotAnAuthor


def require_good(fields: dict[str, Any]) -> None:
    problems = questions.wrong_with(fields["questions"], fields["red_flags"])
    if problems:
        raise BadForm(" ".join(problems), problems=problems)


def require_body(body: str) -> None:
    if not body.strip() or len(body) > LONGEST_BODY or "\0" in body:
        raise BadText
