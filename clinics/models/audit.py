"""Who looked at whose record. Rows are added, never changed: the application's database role can do no more.

No column here is a database reference. A constraint would lock, and mark as read, the rows of everybody who is shown
in a list; and what an event says must outlive them.
"""

from django.db import models

from clinics.models.accounts import User
from clinics.models.patients import Patient
from clinics.models.places import Clinic, Organization
from clinics.models.staff import StaffRole


class AccessEvent(models.Model):
    """One answer that showed somebody's record to another person.

    The same answer to the same viewer within 15 minutes is an AccessRepeat of it. Nobody's looking at their own record
    is an event.
    """

    append_only = True

    class Via(models.TextChoices):
        API = "api"
        ADMIN = "admin"
        PAGE = "page"
        FEED = "feed"
        EXPORT = "export"
        TASK = "task"

    class Basis(models.TextChoices):
        """Why the viewer may look."""

        CARE = "care"
        PROXY = "proxy"
        BREAK_GLASS = "break_glass"

    class What(models.TextChoices):
        """What was shown, in words for the patient. They outlive the routes that showed it."""

        RECORD = "record", "record"
        VISIT = "visit", "appointment"
        VISITS = "visits", "appointments"
        VISIT_HISTORY = "visit_history", "appointment's history"
        HOLD = "hold", "time on hold"
        FREE_TIME = "free_time", "free times and prices"
        CALENDAR = "calendar", "appointments, by a calendar subscription"
        MESSAGES = "messages", "messages"
        MEMBERSHIPS = "memberships", "memberships and what they cost"
        CONSULT = "consult", "request for a clinician"
        CONSULTS = "consults", "requests for a clinician"
        CHAT = "chat", "messages of a consult"
        NOTE = "note", "clinician's notes of a consult"
        SUMMARY = "summary", "summary of a consult"
        FOLLOW_UPS = "follow_ups", "questions after consults"
        ACCESS_LOG = "access_log", "list of who saw the record"

    viewer = models.ForeignKey(User, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+")
    at = models.DateTimeField()
    page = models.CharField(max_length=120, help_text="A route such as GET appointments/{id}: no ids, no values.")
    via = models.CharField(max_length=6, choices=Via)
    basis = models.CharField(max_length=11, choices=Basis)
    what = models.CharField(max_length=13, choices=What)
    shown = models.UUIDField(help_text="Stands for whom it showed: the patient, or a digest of several.")
    # In what role the viewer looked, as it was then.
    role = models.CharField(max_length=10, blank=True, choices=StaffRole.Role)
    clinic = models.ForeignKey(
        Clinic, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    organization = models.ForeignKey(
        Organization, on_delete=models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["viewer", "at"], name="access_event_viewer_at")]

    def __str__(self) -> str:
        return f"{self.viewer_id} {self.page} {self.at:%Y-%m-%d %H:%M}"


class PatientSeen(models.Model):
    """Whom an event showed. The key's order is that of "who saw my record": one patient's events, by time."""

    append_only = True

    pk = models.CompositePrimaryKey("patient_id", "event_id")
    patient = models.ForeignKey(
        Patient, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    event = models.ForeignKey(
        AccessEvent, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="patients"
    )

    class Meta:
        verbose_name_plural = "patients seen"

    def __str__(self) -> str:
        return f"{self.patient_id} in {self.event_id}"


class AccessRepeat(models.Model):
    """That an event's viewer was shown the same again, at most 15 minutes after it."""

    append_only = True

    event = models.ForeignKey(AccessEvent, on_delete=models.DO_NOTHING, db_constraint=False, related_name="repeats")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.event_id} at {self.at:%Y-%m-%d %H:%M}"
