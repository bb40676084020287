"""Looking at a record in an emergency, without caring for the patient."""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Now
from django.db.models.lookups import GreaterThanOrEqual

from clinics.ids import new_id
from clinics.models.accounts import User
from clinics.models.history import tracked
from clinics.models.staff import StaffRole

LEAST_REASON = 20  # characters: a word is no reason


class BreakGlassQuerySet(models.QuerySet["BreakGlass"]):
    def open(self) -> "BreakGlassQuerySet":
        """Those that hold at this instant, by the database's clock, as a hold's end is."""
        return self.filter(during__contains=Now())

    def overseen_by(self, user: User) -> "BreakGlassQuerySet":
        """A user's own, and those about patients of the clinics that they manage."""
        if not user.is_active:
            return self.none()
        managed = StaffRole.objects.managed_places(user)
        return self.filter(Q(user=user) | Q(pk__in=self.of_patients_at(managed.values("pk")).values("pk")))

    def of_patients_at(self, clinics: Any) -> "BreakGlassQuerySet":
        """Those about patients who are registered at one of `clinics` (ids), whose managers answer for them."""
        known = self.model.objects.filter(patient__registrations__clinic__in=clinics)
        return self.filter(pk__in=known.values("pk"))


@tracked()
class BreakGlass(models.Model):
    """That somebody of the staff may read the record of a patient who is not theirs, for a reason and for a while."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    patient = models.ForeignKey("clinics.Patient", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=10, choices=StaffRole.Role, help_text="What they were when they asked.")
    reason = models.CharField(max_length=500)
    during = DateTimeRangeField(help_text="[opened, ends). Ended early, it is cut short.")

    objects = BreakGlassQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "break-glass accesses"
        constraints = [
            ExclusionConstraint(
                name="break_glass_once",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("patient", RangeOperators.EQUAL),
                    ("during", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(
                condition=GreaterThanOrEqual(Length("reason"), LEAST_REASON), name="break_glass_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} for {self.patient_id}"
