"""What a clinician writes of a consult: notes as they go, and the summary that the patient reads.

Notes are saved as they are typed, and are the clinicians' own. A summary is released when the consult is completed, and
never changed: a correction is another version, and what was said before is kept.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from clinics import messages
from clinics.models import Clinician, User
from clinics.refusals import Refused
from virtualcare import care, following, news
from virtualcare.models import Consult, ConsultChange, Note, Summary
from virtualcare.queue import records

# Of a summary, in the order in which it is read; without the first three it is not released.
FIELDS = ("reason", "assessment", "plan", "come_back_if", "follow_up")
NEEDED = FIELDS[:3]
# A note has the same, as far as they are written, and what is for clinicians alone.
NOTE_FIELDS = (*FIELDS, "private")
LONGEST = 10_000  # characters of a field


class NoSummaryYet(Refused):
    code = "no_summary_yet"
    status = 404
    detail = "The summary of this consult is not written yet."


class SummaryIncomplete(Refused):
    code = "summary_incomplete"
    status = 400
    detail = "A summary says why the patient came, what you think it is and what to do. Fill in what is missing."


class NoteChanged(Refused):
    code = "note_changed"
    detail = "This note was saved from another window meanwhile. Look at what it says now, and save yours again."


class SummaryChanged(Refused):
    code = "summary_changed"
    detail = "This summary was corrected meanwhile. Look at what it says now, and correct that."


def save_note(
    *, consult: Consult, clinician: Clinician, version: int, fields: Mapping[str, str], actor: User, now: datetime
) -> Note:
    """Keep what is written so far, all of NOTE_FIELDS that there is of it, over the note's `version` (0: the first).

    The same saved again, because an answer was lost, changes nothing. Raises NoteChanged, with the note as it is, where
    somebody saved something else meanwhile; care.NoLongerYours and care.NotInHand.
    """
    kept = {name: fields[name] for name in NOTE_FIELDS if fields.get(name)}
    with transaction.atomic():
        was = care.locked(consult, clinician)
        note = Note.objects.filter(consult=was).first()
        if note is None and version == 0:
            return Note.objects.create(consult=was, fields=kept, version=1, saved_at=now, saved_by=actor)
        if note is not None and note.version == version:
            Note.objects.filter(pk=note.pk).update(fields=kept, version=F("version") + 1, saved_at=now, saved_by=actor)
            note.fields, note.version, note.saved_at, note.saved_by = kept, version + 1, now, actor
            return note
        if note is not None and (note.version, note.fields, note.saved_by_id) == (version + 1, kept, actor.pk):
            return note
        raise NoteChanged(note=shown_note(note))


def note_of(consult: Consult) -> Note | None:
    """What is written of `consult` so far, if anything."""
    return Note.objects.filter(consult=consult).first()


def handed_over(consult: Consult) -> list[dict[str, str]]:
    """What clinicians who handed the patient over wrote for whoever has them now, the first first."""
    changes = ConsultChange.objects.filter(consult=consult, what="transferred").select_related("clinician")
    return [
        {"note": one.note, "by": one.clinician.name if one.clinician else "", "at": one.at.isoformat()}
        for one in changes.order_by("id")
    ]


def shown_note(note: Note | None) -> dict[str, Any]:
    """A note in JSON: version 0 where nothing was saved yet."""
    if note is None:
        return {"version": 0, "fields": {}, "saved_at": None}
    return {"version": note.version, "fields": note.fields, "saved_at": note.saved_at.isoformat()}


def release(
    *, consult: Consult, clinician: Clinician, fields: Mapping[str, str], actor: User, now: datetime
) -> Summary:
    """Write the summary that the patient reads, and tell them that there is one. Part of the caller's transaction,
    which has `consult` locked and completes it. Needs its patient. Raises SummaryIncomplete.

    What they asked since the conversation was over, and nobody answered, is a question after the consult from now on.
    """
    del actor  # the change that completes the consult says who
    following.completed(consult=consult)
    return write(consult=consult, clinician=clinician, fields=fields, version=1, now=now)


def correct(
    *, consult: Consult, clinician: Clinician, version: int, fields: Mapping[str, str], actor: User, now: datetime
) -> Summary:
    """Release another version in place of `version`, as long as the patient may ask about it, and tell them.

    The same correction again, because an answer was lost, is the one of then. Raises SummaryChanged with the number of
    the latest version where it is not `version`; SummaryIncomplete, care.NoLongerYours and care.NotInHand.
    """
    with transaction.atomic():
        was = care.locked(consult, clinician, among=[Consult.Status.COMPLETED])
        last = latest(was)
        if last.version == version + 1 and content(last) == written(fields):
            return last
        if last.version != version:
            raise SummaryChanged(version=last.version)
        corrected = write(consult=was, clinician=clinician, fields=fields, version=version + 1, now=now)
        records.record(was, was.status, what="corrected", actor=actor, now=now, clinician=clinician.pk)
    return corrected


def latest(consult: Consult, version: int | None = None) -> Summary:
    """The summary of `consult` as it was last released, or that `version` of it, with its clinician.

    Raises NoSummaryYet.
    """
    summaries = Summary.objects.filter(consult=consult).select_related("clinician").order_by("-version")
    found = (summaries if version is None else summaries.filter(version=version)).first()
    if found is None:
        raise NoSummaryYet
    return found


def write(*, consult: Consult, clinician: Clinician, fields: Mapping[str, str], version: int, now: datetime) -> Summary:
    said = written(fields)
    missing = [name for name in NEEDED if not said[name]]
    if missing:
        raise SummaryIncomplete(missing=missing)
    summary = Summary.objects.create(consult=consult, version=version, clinician=clinician, released_at=now, **said)
    messages.queue(
        to=consult.patient,
        template="consult_summary",
        about=following.about(consult),
        dedupe_key=f"consult_summary:{consult.pk}:{version}",
        context={
            **following.context(consult, now=now),
            "is_corrected": version > 1,
            "ends_on": consult.patient.today(now=following.open_until(consult, now=now)).isoformat(),
        },
        now=now,
    )
    news.tell(consult.pk, "summary")
    return summary


def written(fields: Mapping[str, str]) -> dict[str, str]:
    """What a summary keeps of `fields`: nothing that is for clinicians alone."""
    return {name: fields.get(name, "").strip() for name in FIELDS}


def content(summary: Summary) -> dict[str, str]:
    """What a summary says, by field."""
    return {name: getattr(summary, name) for name in FIELDS}
