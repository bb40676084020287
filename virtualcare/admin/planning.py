"""What the pages of who is on call have in common: who plans them, on whose clock, and their form."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import QuerySet

from clinics import people
from clinics.admin.places import places
from clinics.admin.work import Role, Work
from clinics.models import Clinician, StaffRole, User
from scheduling import intervals
from scheduling.admin.hours import clinicians_at
from scheduling.admin.hours_forms import ClockInput, DayField
from virtualcare import gaps
from virtualcare.models import Modality, OnCallShift
from virtualcare.on_call import CAPACITIES

# Who is on call is planned by managers, for the clinicians of their clinics, and by those who run the server.
PLANS: tuple[Role, ...] = (StaffRole.Role.MANAGER,)


def clinicians(at: Work) -> QuerySet[Clinician]:
    """The clinicians whose on-call shifts somebody plans: those of their clinics, who have accounts."""
    found = Clinician.objects.all() if at.is_operator else clinicians_at(places(at, *PLANS))
    return found.filter(user__is_active=True)


def nurses(at: Work) -> QuerySet[User]:
    """Who may be told of patients whom red flags turned away: those who care for patients at the planner's clinics."""
    ours = places(at, *PLANS)
    roles = StaffRole.objects.filter(role__in=StaffRole.CARE)
    here = roles.filter(clinic__in=ours.values("pk")) | roles.filter(organization__in=ours.values("health_system"))
    return User.objects.filter(pk__in=here.values("user"), is_active=True)


def zone_of(at: Work, state: str = "") -> ZoneInfo:
    """The clock to plan on: that of `state`, or of the first clinic of who is at work."""
    if state:
        return gaps.zones_of([state])[state]
    clinic = next(iter(at.clinics.values()), None)
    return clinic.zone if clinic else people.HOME


class ShiftForm(forms.Form):
    """From one local time to another, on the clock of a zone."""

    first_day = DayField(label="From day")
    starts = forms.TimeField(widget=ClockInput, label="From")
    last_day = DayField(label="To day")
    ends = forms.TimeField(widget=ClockInput, label="To")

    def span(self, zone: ZoneInfo, was: tuple[datetime, datetime] | None = None) -> tuple[datetime, datetime]:
        """The instants, for which the form must be valid.

        An edge that reads as it did is the one it `was`: in the hour that autumn repeats a clock does not say which.
        """
        found = self.cleaned_data
        edges = [
            intervals.instant(found[day], found[clock], zone)
            for day, clock in (("first_day", "starts"), ("last_day", "ends"))
        ]
        for number, before in enumerate(was or ()):
            if local(before, zone) == local(edges[number], zone):
                edges[number] = before
        return edges[0], edges[1]


class OnCallForm(ShiftForm):
    modalities = forms.MultipleChoiceField(
        choices=Modality.choices, widget=forms.CheckboxSelectMultiple, label="Takes", initial=Modality.values
    )
    capacity = forms.IntegerField(
        min_value=CAPACITIES[0], max_value=CAPACITIES[-1], initial=OnCallShift.CAPACITY, label="Text consults at once"
    )


def local(instant: datetime, zone: ZoneInfo) -> datetime:
    """An instant as the clock of `zone` reads it to the minute."""
    return instant.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)


def initial(start: datetime, end: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """What a form says of a shift."""
    first, last = local(start, zone), local(end, zone)
    return {"first_day": first.date(), "starts": first.time(), "last_day": last.date(), "ends": last.time()}
