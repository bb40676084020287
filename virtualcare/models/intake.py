"""What is asked before somebody waits, what turns them away from waiting, and what they agree to."""

from datetime import date

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from clinics.ids import new_id
from clinics.models import User
from clinics.models.history import tracked
from virtualcare.models.duty import Modality


class Advice(models.TextChoices):
    """Where somebody is sent who must not wait for us, the most urgent first."""

    CALL_911 = "911", "Call 911 now"
    CALL_988 = "988", "Call or text 988 now"
    EMERGENCY_ROOM = "er", "Go to an emergency room now"


# Once published, a version only ever gains when and by whom it was retired. It is never deleted: consults refer to it.
FROZEN = """
    IF OLD.published_at IS NULL THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.retired_at IS NULL THEN
        OLD.retired_at := NEW.retired_at;
        OLD.retired_by_id := NEW.retired_by_id;
        IF OLD IS NOT DISTINCT FROM NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'A published version is not changed: write a new one.'
        USING ERRCODE = 'check_violation', CONSTRAINT = 'published_is_frozen', TABLE = TG_TABLE_NAME;
"""


class Reviewed(models.Model):
    """A version of something that counts once a second person has read and published it. From then on it is never
    changed: a change is a new version. It may be retired: then nothing of its kind is asked any more.
    """

    version = models.PositiveIntegerField()
    is_sample = models.BooleanField(
        default=False, help_text="Invented for trying Sameday out: nobody has reviewed it for use with patients."
    )
    written_at = models.DateTimeField(db_default=Now())
    written_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    published_at = models.DateTimeField(null=True, blank=True)
    published_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    retired_at = models.DateTimeField(null=True, blank=True)
    retired_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        abstract = True

    @property
    def stage(self) -> str:
        """In a word: draft, published or retired. Whether a later version has taken its place is not known here."""
        if self.retired_at is not None:
            return "retired"
        return "draft" if self.published_at is None else "published"


def reviewed(name: str) -> list[models.BaseConstraint]:
    """What the database holds of a Reviewed model's rows."""
    return [
        models.CheckConstraint(
            condition=Q(published_at__isnull=True)
            | Q(is_sample=True)
            | (Q(published_by__isnull=False) & ~Q(published_by=F("written_by"))),
            name=f"{name}_second_person",
        ),
        models.CheckConstraint(
            condition=Q(retired_at__isnull=True) | Q(published_at__isnull=False), name=f"{name}_retired_was_published"
        ),
    ]


def frozen() -> pgtrigger.Trigger:
    """No published version is changed or deleted, not by bare SQL either."""
    return pgtrigger.Trigger(
        name="published_is_frozen",
        when=pgtrigger.Before,
        operation=pgtrigger.Update | pgtrigger.Delete,
        func=FROZEN,
    )


class IntakeFormQuerySet(models.QuerySet["IntakeForm"]):
    def in_force(self) -> "IntakeFormQuerySet":
        """Of each complaint the last published version, where that is not retired."""
        later = IntakeForm.objects.filter(
            complaint=models.OuterRef("complaint"), version__gt=models.OuterRef("version"), published_at__isnull=False
        )
        return self.filter(~models.Exists(later), published_at__isnull=False, retired_at__isnull=True)


@tracked()
class IntakeForm(Reviewed):
    """A version of what is asked about a complaint, and the answers that are red flags.

    What `questions` and `red_flags` may hold is said in virtualcare.intake.questions. Any one red flag diverts.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    complaint = models.SlugField(max_length=40, help_text="What programs know the complaint by, such as sore_throat.")
    name = models.CharField(max_length=80, help_text="As patients read it: Sore throat.")
    questions = models.JSONField(default=list)
    red_flags = models.JSONField(default=list)
    acuity = models.PositiveSmallIntegerField(default=3, help_text="1 is seen soonest, 5 last (as the ESI has it).")

    objects = IntakeFormQuerySet.as_manager()

    class Meta:
        ordering = ["complaint", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["complaint", "version"], name="intake_form_once"),
            models.CheckConstraint(condition=Q(acuity__range=(1, 5)), name="intake_form_acuity"),
            *reviewed("intake_form"),
        ]
        triggers = [frozen()]

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


class ConsentTextQuerySet(models.QuerySet["ConsentText"]):
    def in_force(self, *, on: date) -> "ConsentTextQuerySet":
        """Of each code, modality and state the last version that is published and asked for on the day `on`, where
        that is not retired.
        """
        later = ConsentText.objects.filter(
            code=models.OuterRef("code"),
            modality=models.OuterRef("modality"),
            state=models.OuterRef("state"),
            version__gt=models.OuterRef("version"),
            published_at__isnull=False,
            from_on__lte=on,
        )
        return self.filter(~models.Exists(later), published_at__isnull=False, retired_at__isnull=True, from_on__lte=on)


@tracked()
class ConsentText(Reviewed):
    """What somebody agrees to before a consult, by how it is held and where they are. A new text is a new version.

    The text for their state goes before the one for all (state ""), and that for their modality before the one for
    both (modality "").
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.SlugField(max_length=40, help_text="What programs know it by, such as telehealth.")
    modality = models.CharField(max_length=5, choices=Modality, blank=True)
    state = models.CharField(max_length=2, blank=True, help_text="USPS code, such as OH.")
    body = models.TextField()
    from_on = models.DateField(help_text="First day on which it is asked for.")

    objects = ConsentTextQuerySet.as_manager()

    class Meta:
        ordering = ["code", "modality", "state", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["code", "modality", "state", "version"], name="consent_text_once"),
            *reviewed("consent_text"),
        ]
        triggers = [frozen()]

    def __str__(self) -> str:
        return f"{self.code} {self.version}"
