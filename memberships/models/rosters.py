"""Rosters as they come in, and what each would change."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from clinics.ids import new_id
from clinics.models import Organization, User
from clinics.models.history import tracked
from memberships.models.employers import Relationship, SponsoredPerson


@tracked()
class RosterMapping(models.Model):
    """How an employer's files call what we ask for. What it leaves out is called as we call it."""

    class Dates(models.TextChoices):
        """How dates are written, besides YYYY-MM-DD."""

        MONTH_FIRST = "mdy", "month/day/year"
        DAY_FIRST = "dmy", "day/month/year"

    employer = models.OneToOneField(Organization, on_delete=models.CASCADE, primary_key=True, related_name="+")
    columns = models.JSONField(default=dict, help_text="The file's column for each of ours.")
    relationships = models.JSONField(default=dict, help_text="Our relationship for each word of the file's.")
    dates = models.CharField(max_length=3, choices=Dates, default=Dates.MONTH_FIRST)

    def __str__(self) -> str:
        return f"of {self.employer_id}"


class RosterQuerySet(models.QuerySet["Roster"]):
    def open(self) -> "RosterQuerySet":
        return self.filter(status__in=Roster.OPEN)


@tracked(exclude=("rows_read", "families_applied", "leased_by", "leased_until"))
class Roster(models.Model):
    """A file from an employer, or the undoing of one, on its way from received to applied."""

    class Kind(models.TextChoices):
        FULL = "full", "Everybody: who is missing ends"
        CHANGES = "changes", "Changes alone"
        UNDO = "undo", "Undoes another"

    class Status(models.TextChoices):
        RECEIVED = "received"
        PARSED = "parsed"
        MATCHED = "matched"
        DIFFED = "diffed", "to be approved"
        APPROVED = "approved"
        APPLIED = "applied"
        REJECTED = "rejected"

    class Held(models.TextChoices):
        """Why it takes a second person."""

        EMPTY = "empty", "It has nobody in it."
        ENDS_MANY = "ends_many", "It would end more than 10 % of the people, and at least 5."
        HALVES = "halves", "It would leave half of the people or fewer."
        TRUNCATED = "truncated", "Its last line breaks off."
        OLDER = "older", "The very same file was applied before a later one: it may be an old one."

    # An employer has one at a time between these: what it would change is worked out against what is there.
    OPEN: ClassVar[list[str]] = [Status.RECEIVED, Status.PARSED, Status.MATCHED, Status.DIFFED, Status.APPROVED]
    TO_WORK_ON: ClassVar[list[str]] = [Status.RECEIVED, Status.PARSED, Status.MATCHED, Status.APPROVED]
    COUNTS: ClassVar[dict[str, str]] = {
        "add": "adds",
        "change": "changes",
        "end": "ends",
        "unchanged": "unchanged",
        "error": "errors",
    }

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    employer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="rosters", db_index=False)
    kind = models.CharField(max_length=7, choices=Kind)
    format = models.CharField(max_length=3, default="csv")
    status = models.CharField(max_length=8, choices=Status, default=Status.RECEIVED)
    as_of = models.DateField(help_text="The day that it speaks of: who is missing in a full one ends before it.")
    sha256 = models.CharField(max_length=64, help_text="Of the file.")
    size = models.PositiveIntegerField(help_text="Bytes.")
    encoding = models.CharField(max_length=12, default="utf-8-sig")
    mapping = models.JSONField(default=dict, help_text="The employer's RosterMapping, as it was when it came.")
    is_cut = models.BooleanField(default=False, help_text="Whether its last line breaks off.")
    is_repeated = models.BooleanField(
        default=False, help_text="Whether the very same file was applied, and another one after it."
    )
    undoes = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="undone_by")
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    received_at = models.DateTimeField()
    rows_read = models.PositiveIntegerField(default=0)
    rows_expected = models.PositiveIntegerField(default=0, help_text="Lines of the file.")
    adds = models.PositiveIntegerField(null=True)
    changes = models.PositiveIntegerField(null=True)
    ends = models.PositiveIntegerField(null=True)
    unchanged = models.PositiveIntegerField(null=True)
    errors = models.PositiveIntegerField(null=True)
    people_before = models.PositiveIntegerField(null=True, help_text="Who are on the roster on its day, or will be.")
    held_because = ArrayField(models.CharField(max_length=9, choices=Held), default=list)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    decided_at = models.DateTimeField(null=True)
    families_applied = models.PositiveIntegerField(default=0)
    applied_at = models.DateTimeField(null=True)
    leased_by = models.UUIDField(null=True, help_text="Who works on it, until the lease is over.")
    leased_until = models.DateTimeField(null=True)

    objects = RosterQuerySet.as_manager()

    class Meta:
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["employer", "-received_at", "-id"], name="roster_employer_received"),
            models.Index(fields=["employer", "sha256"], name="roster_file"),
            models.Index(
                fields=["received_at"],
                condition=Q(status__in=["received", "parsed", "matched", "approved"]),
                name="roster_to_work_on",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["employer"],
                condition=Q(status__in=["received", "parsed", "matched", "diffed", "approved"]),
                name="roster_one_open",
            ),
            models.UniqueConstraint(
                fields=["undoes"], condition=~Q(status="rejected"), name="roster_undone_once", nulls_distinct=True
            ),
            models.CheckConstraint(condition=Q(kind__in=["full", "changes", "undo"]), name="roster_kind"),
            models.CheckConstraint(
                condition=Q(kind="undo", undoes__isnull=False) | (~Q(kind="undo") & Q(undoes__isnull=True)),
                name="roster_undo_undoes",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["received", "parsed", "matched", "diffed", "approved", "applied", "rejected"]),
                name="roster_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.received_at:%Y-%m-%d %H:%M}"

    @property
    def is_held(self) -> bool:
        """Whether it takes somebody else than who sent it to approve it."""
        return bool(self.held_because)


class RosterPart(models.Model):
    """A piece of a file, as it came. Added with its roster and never changed."""

    append_only = True  # clinics.rights

    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, related_name="parts", db_index=False)
    number = models.PositiveSmallIntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["roster", "number"], name="roster_part_once")]

    def __str__(self) -> str:
        return f"{self.number} of {self.roster_id}"


class RosterRow(models.Model):
    """A line of a file, or somebody who is missing in it: what it says, and what it would change.

    `before` is who the person was until then: facts, and the period that changes; NULL for somebody new. `ends_on` is
    the last day; one before `starts_on` says that the period is not to be.
    """

    class Action(models.TextChoices):
        READ = "", "not worked out yet"
        ADD = "add"
        CHANGE = "change"
        END = "end"
        UNCHANGED = "unchanged"
        ERROR = "error"

    CHANGING: ClassVar[list[str]] = [Action.ADD, Action.CHANGE, Action.END]

    roster = models.ForeignKey(Roster, on_delete=models.PROTECT, related_name="rows", db_index=False)
    line = models.PositiveIntegerField(null=True, help_text="Where it stands; NULL for who is missing.")
    member_number = models.CharField(max_length=40)
    relationship = models.CharField(max_length=8, choices=Relationship)
    first_name = models.CharField(max_length=60)
    last_name = models.CharField(max_length=60)
    first_key = models.CharField(max_length=120)
    last_key = models.CharField(max_length=120)
    birth_date = models.DateField(null=True)
    email = models.CharField(max_length=254, blank=True)
    starts_on = models.DateField(null=True)
    ends_on = models.DateField(null=True)
    person = models.ForeignKey(SponsoredPerson, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    action = models.CharField(max_length=9, choices=Action, default=Action.READ)
    before = models.JSONField(null=True)
    error = models.CharField(max_length=20, blank=True)
    column = models.CharField(max_length=20, blank=True, help_text="Where the error is.")
    raw = models.JSONField(null=True, help_text="What stood in a line with an error.")
    applied_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["roster", "member_number"], name="roster_row_number"),
            models.Index(fields=["roster", "action", "id"], name="roster_row_action"),
            models.Index(
                fields=["roster", "member_number"],
                condition=Q(action__in=["add", "change", "end"], applied_at__isnull=True),
                name="roster_row_to_apply",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.line or ''}"
