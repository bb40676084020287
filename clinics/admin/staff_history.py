"""What became of a staff account: roles given and taken, switched off and on, second factors reset."""

from datetime import tzinfo
from typing import Any

from django.db.models import QuerySet

from clinics.admin import clock, history_lines
from clinics.admin.history_lines import SYSTEM, Actors, Field, Line, history_of
from clinics.admin.work import Role, Work
from clinics.models import Clinic, Organization, SecondFactorReset, StaffRole, User

# What is told of the account itself. That somebody may open the admin, or runs the server, is for those who run it.
OF_ACCOUNT = ("is_active",)
TO_OPERATORS = ("email", "is_active", "is_staff", "is_superuser")
SAID = {"Is active": "Switched on", "Is staff": "May open the admin", "Is superuser": "Runs the server"}
MADE = Field("Account")


def lines(user: User, at: Work) -> list[Line]:
    """All of it, newest first: a manager is told of roles at the clinics they manage, an operator of every role."""
    zone = clock.zone_of(at)
    found = [*roles(user, at, zone), *account(user, at, zone), *resets(user, zone)]
    return sorted(found, key=lambda line: line.at, reverse=True)


def roles(user: User, at: Work, zone: tzinfo) -> list[Line]:
    kept: QuerySet[Any] = history_of(StaffRole).objects.filter(user=user.pk).order_by("-pgh_id")
    if not at.is_operator:
        kept = kept.filter(clinic__in=at.at(Role.MANAGER))
    events = list(kept)
    who = Actors(events)
    places = dict(Clinic.objects.filter(pk__in={event.clinic_id for event in events}).values_list("pk", "name"))
    systems = {event.organization_id for event in events}
    places |= dict(Organization.objects.filter(pk__in=systems).values_list("pk", "name"))

    def said(event: Any) -> str:
        place = places.get(event.clinic_id or event.organization_id, "")
        return f"{StaffRole.Role(event.role).label.capitalize()} at {place}"

    listed = []
    for number, event in enumerate(events):
        what = history_lines.KINDS[event.pgh_label]
        changed = Field(said(event))
        if what == "changed":
            before = next((one for one in events[number + 1 :] if one.pgh_obj_id == event.pgh_obj_id), None)
            changed = Field("Role", said(before) if before else "", said(event))
        listed.append(Line(event.pgh_created_at, zone, who.of(event), what, [changed]))
    return listed


def account(user: User, at: Work, zone: tzinfo) -> list[Line]:
    events = list(history_of(User).objects.filter(pgh_obj_id=user.pk).order_by("-pgh_id"))
    told = history_lines.changes(events, zone, names=TO_OPERATORS if at.is_operator else OF_ACCOUNT)
    listed = []
    for line in told:
        changed = line.what == "changed"
        fields = [Field(SAID.get(name, name), old, new) for name, old, new in line.fields] if changed else [MADE]
        if fields:
            listed.append(Line(line.at, zone, line.by, line.what, fields))
    return listed


def resets(user: User, zone: tzinfo) -> list[Line]:
    rows = SecondFactorReset.objects.filter(user=user).select_related("actor")
    return [
        Line(
            row.at,
            zone,
            row.actor.email if row.actor else SYSTEM,
            "removed",
            [Field("Second factors"), Field("Because", new=row.reason)],
        )
        for row in rows
    ]
