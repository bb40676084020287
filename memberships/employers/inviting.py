"""Mailing those on a roster a secret by which they claim: their employer asks, or they do by number and birth date.

Who has claimed is written to like everybody else: HR says which address is written to, and may read the mail that comes
there, or miss one that does not.
"""

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from clinics import links, messages, people
from clinics.ids import new_id
from clinics.messages import kicking
from clinics.models import Organization
from memberships.employers import granting
from memberships.models import SponsoredPeriod, SponsoredPerson, SponsorInvitation

TASK = "memberships.tasks.send_invitations"
PURPOSE = "benefit"
LASTS = timedelta(days=30)
AGAIN_AFTER = timedelta(days=7)
# The same for who gave their number and birth date.
CONFIRM_LASTS, CONFIRM_AGAIN_AFTER = timedelta(days=3), timedelta(days=1)
NOBODY = UUID(int=0)
BATCH = 50


def ask(*, employer: Organization, people_ids: list[UUID] | None, now: datetime) -> int:
    """Have people on the roster invited, or all of them where None. Returns how many there are with an e-mail address.

    Each is written to once a week at most, and by a worker: this takes as long whoever has claimed.
    """
    today = people.today_at_home(now)
    on_it = SponsoredPeriod.objects.filter(person=OuterRef("pk"), during__contains=today)
    asked = SponsoredPerson.objects.filter(Exists(on_it), employer=employer).exclude(email="")
    if people_ids is not None:
        asked = asked.filter(pk__in=people_ids)
    with transaction.atomic():
        count = asked.update(invite_since=now)
        transaction.on_commit(partial(kicking.ask, TASK))
    return count


def ask_to_confirm(people_ids: list[UUID], *, now: datetime) -> None:
    """Have people on the roster mailed a code, by which whoever gave their number and birth date shows that it is them.

    Each is written to once a day at most, and by a worker: this is one statement, though there be nobody.
    """
    with transaction.atomic():
        SponsoredPerson.objects.filter(pk__in=people_ids or [NOBODY]).update(confirm_since=now)
        transaction.on_commit(partial(kicking.ask, TASK))


def send_invitations(*, now: datetime) -> int:
    """Write to those who are to be invited, and to those who asked for a code. Returns how many mails there are."""
    return send("invite_since", is_asked_for=False, now=now) + send("confirm_since", is_asked_for=True, now=now)


def send(since: str, *, is_asked_for: bool, now: datetime) -> int:
    """Write to those who wait by `since`, a batch at a time."""
    sent = 0
    while True:
        with transaction.atomic():
            waiting = SponsoredPerson.objects.filter(**{f"{since}__isnull": False}).order_by(since, "pk")
            batch = list(waiting.select_for_update(skip_locked=True, no_key=True)[:BATCH])
            wanted = paid_for(batch, now=now) if is_asked_for else batch
            sent += invite(wanted, is_asked_for=is_asked_for, now=now)
            SponsoredPerson.objects.filter(pk__in=[person.pk for person in batch]).update(**{since: None})
        if len(batch) < BATCH:
            return sent


def paid_for(batch: list[SponsoredPerson], *, now: datetime) -> list[SponsoredPerson]:
    """Of `batch` those for whom anything is left of what their employer pays for."""
    today = people.today_at_home(now)
    periods = granting.periods_of([person.pk for person in batch])
    terms = granting.terms_of([person.employer_id for person in batch])
    return [
        person
        for person in batch
        if granting.is_anything_left(granting.spans(person, periods[person.pk], terms[person.employer_id]), today=today)
    ]


def invite(batch: list[SponsoredPerson], *, is_asked_for: bool, now: datetime) -> int:
    """Write to those of `batch` who have an address, and got no such mail of late. Returns to how many."""
    ids = [person.pk for person in batch]
    lasts, again_after = (CONFIRM_LASTS, CONFIRM_AGAIN_AFTER) if is_asked_for else (LASTS, AGAIN_AFTER)
    recent = SponsorInvitation.objects.filter(
        person__in=ids, is_asked_for=is_asked_for, created_at__gt=now - again_after
    )
    written = set(recent.values_list("person", flat=True))
    employers = Organization.objects.in_bulk({person.employer_id for person in batch})
    wanted = [person for person in batch if person.email and person.pk not in written]
    made = []
    for person in wanted:
        pk = new_id()
        made.append(
            SponsorInvitation(
                pk=pk,
                person=person,
                digest=links.digest(links.derived(pk)),
                created_at=now,
                expires_at=now + lasts,
                is_asked_for=is_asked_for,
            )
        )
    SponsorInvitation.objects.bulk_create(made)
    messages.queue_all(
        [
            messages.Wanted(
                to=messages.Stranger(invitation.person.email),
                template="benefit_confirmation" if is_asked_for else "benefit_invitation",
                about=f"invitation:{invitation.pk}",
                dedupe_key=f"invitation:{invitation.pk}",
                context={
                    "employer": employers[invitation.person.employer_id].name,
                    "links": {PURPOSE: str(invitation.pk)},
                },
                expires_at=invitation.expires_at,
            )
            for invitation in made
        ],
        now=now,
    )
    return len(made)
