"""Employers in the admin: contracts, rosters and who is on them, for operators and the employer's benefit staff.

They show what the sponsor told us, never who claimed or was seen. Operators alone agree contracts.
"""

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from clinics import people
from clinics.admin import doing
from clinics.admin.doing import Done
from clinics.admin.places import Pages
from clinics.admin.site import Link, Panel, Site, site
from clinics.admin.work import Work
from clinics.models import Organization, User
from clinics.refusals import Refused
from memberships import access, rosters
from memberships.employers import contracts, enrollment
from memberships.employers.enrollment import Status
from memberships.models import Plan, Price, Roster, RosterRow, SponsorContract
from memberships.rosters import reporting

A_PAGE = 50
NEWEST = 20  # rosters
TONES = {"applied": "good", "rejected": "bad", "diffed": "warn", "add": "added", "end": "removed", "error": "bad"}
# What a form's button asks for, with what is said then. A small roster is applied by the time that it is approved.
Decide = Callable[..., Roster]
DECISIONS: dict[str, tuple[Decide, str]] = {
    "approve": (rosters.approve, "The roster is approved."),
    "reject": (rosters.reject, "The roster is rejected: nothing of it is done."),
    "undo": (rosters.undo, "This would take the roster back. Approve it to have that done."),
}


class DayInput(forms.DateInput):
    input_type = "date"


class ContractForm(forms.Form):
    from_on = forms.DateField(label="From", widget=DayInput)
    plan = forms.ModelChoiceField(Plan.objects.filter(audience=Plan.Audience.EMPLOYER), empty_label=None)
    covers = forms.ChoiceField(label="Pays for", choices=SponsorContract.Covers.choices)
    dependents_until_age = forms.IntegerField(label="Children until the age of", min_value=0, max_value=99, initial=26)
    amount = forms.DecimalField(label="US dollars for each person", min_value=0, max_digits=9, decimal_places=2)
    interval = forms.ChoiceField(label="Every", choices=Price.Interval.choices)
    end_rule = forms.ChoiceField(label="Who leaves is entitled", choices=SponsorContract.EndRule.choices)
    grace_days = forms.IntegerField(label="Days of grace", min_value=0, max_value=366, initial=0)
    conversion = forms.ModelChoiceField(
        Price.objects.filter(plan__audience=Plan.Audience.ANYONE).select_related("plan"),
        label="Then they are offered",
        required=False,
        empty_label="nothing",
    )

    def agreed(self) -> dict[str, Any]:
        """What `contracts.agree` takes."""
        asked = dict(self.cleaned_data)
        asked["amount"] = int(asked["amount"] * 100)
        return asked


@admin.register(Roster, site=site)
class EmployerAdmin(Pages):
    """Pages below /admin/memberships/roster/: of an employer, and of a roster of one."""

    def opens_to(self, at: Work) -> bool:
        return at.serves_employers

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.employers),
            ("<uuid:employer_id>/", "employer", self.employer_page),
            ("<uuid:employer_id>/contract/", "contract", self.contract),
            ("<uuid:employer_id>/enrollment/", "enrollment", self.enrollment),
            ("<uuid:employer_id>/send/", "send", self.send),
            ("of/<uuid:roster_id>/", "change", self.roster_page),
            ("of/<uuid:roster_id>/errors.csv", "errors", self.errors),
            *((f"of/<uuid:roster_id>/{what}/", what, self.decided_by(what)) for what in DECISIONS),
        ]

    def employers(self, request: HttpRequest) -> HttpResponse:
        at = self.seen(request)
        served = served_by(at)
        if len(served) == 1 and not at.is_operator:
            return HttpResponseRedirect(to_employer(served[0].pk))
        return self.page(request, "memberships/admin/employers.html", {"title": "Employers", "employers": served})

    def employer_page(self, request: HttpRequest, employer_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        at = self.seen(request)
        employer = served_one(at, employer_id)
        today = people.today_at_home(timezone.now())
        versions = contracts.versions(employer)
        in_force = contracts.in_force(versions, on=today)
        context = {
            "title": employer.name,
            "employer": employer,
            "is_operator": at.is_operator,
            "versions": [(one, one == in_force) for one in reversed(versions)],
            "rosters": [(one, TONES.get(one.status, "")) for one in access.rosters_of(employer)[:NEWEST]],
            "kinds": [kind for kind in Roster.Kind.choices if kind[0] != Roster.Kind.UNDO],
            "kind": request.POST.get("kind", Roster.Kind.FULL),
            "as_of": request.POST.get("as_of") or today.isoformat(),
            "refused": refused,
        }
        return self.page(request, "memberships/admin/employer.html", context, status=422 if refused else 200)

    def contract(self, request: HttpRequest, employer_id: uuid.UUID) -> HttpResponse:
        """A new version of the employer's contract, begun with what the latest says."""
        at = self.seen(request)
        if not at.is_operator:
            raise PermissionDenied
        employer, now = served_one(at, employer_id), timezone.now()
        today = people.today_at_home(now)
        form = ContractForm(request.POST or None, initial=begun_with(contracts.versions(employer), today))
        refused = ""
        if request.method == "POST" and form.is_valid():

            def work() -> Done:
                contracts.agree(employer=employer, actor=who(at), today=today, now=now, **form.agreed())
                return Done("The contract has a new version.", to=to_employer(employer.pk))

            answer = doing.once(request, work)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        context = {"title": f"Contract of {employer.name}", "employer": employer, "form": form, "refused": refused}
        status = 422 if refused or form.errors else 200
        return self.page(request, "memberships/admin/contract.html", context, status=status)

    def enrollment(self, request: HttpRequest, employer_id: uuid.UUID) -> HttpResponse:
        employer = served_one(self.seen(request), employer_id)
        on = day_of(request.GET.get("on", "")) or people.today_at_home(timezone.now())
        status = request.GET.get("status", "")
        text = request.GET.get("q", "").replace("\0", "")[:80]
        found = enrollment.found(employer, on=on, status=status, text=text).order_by(*enrollment.ORDER)
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
        versions = contracts.versions(employer)
        context = {
            "title": f"On the roster of {employer.name}",
            "employer": employer,
            "rows": [enrollment.shown(row, versions, on=on) for row in page.object_list],
            "page": page,
            "q": text,
            "on": on.isoformat(),
            "status": status,
            "statuses": Status.choices,
        }
        return self.page(request, "memberships/admin/enrollment.html", context)

    def send(self, request: HttpRequest, employer_id: uuid.UUID) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        employer = served_one(at, employer_id)
        if request.method != "POST":
            raise Http404
        file, kind, today = request.FILES.get("file"), request.POST.get("kind", ""), people.today_at_home(now)
        as_of = day_of(request.POST.get("as_of", ""))
        if file is None or file.file is None or as_of is None or kind not in (Roster.Kind.FULL, Roster.Kind.CHANGES):
            said = "Choose a file, what it is, and the day that it speaks of."
            return self.employer_page(request, employer_id, refused=said)
        receive = partial(
            rosters.receive, employer=employer, content=file.file, kind=kind, as_of=as_of, by=who(at), today=today
        )

        def work() -> Done:
            sent = receive(now=now)
            return Done("The file is taken in. This is what it would change.", to=to_roster(sent.pk))

        return self.answered(
            doing.once(request, work), lambda said: self.employer_page(request, employer_id, refused=said)
        )

    def roster_page(self, request: HttpRequest, roster_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        roster = served_roster(self.seen(request), roster_id)
        action = request.GET.get("action", "")
        rows = reporting.rows(roster, action=action if action in RosterRow.Action.values else "").order_by("id")
        page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
        is_waiting = roster.status == Roster.Status.DIFFED
        may_undo = roster.status == Roster.Status.APPLIED
        context = {
            "title": f"Roster of {roster.employer.name}",
            "roster": roster,
            "tone": TONES.get(roster.status, ""),
            "counts": [(name, getattr(roster, column)) for name, column in Roster.COUNTS.items()],
            "held": [Roster.Held(code).label for code in roster.held_because] if is_waiting else [],
            "rows": [shown(row) for row in page.object_list],
            "page": page,
            "action": action,
            "is_waiting": is_waiting,
            "is_worked_on": roster.status in Roster.TO_WORK_ON,
            "may_reject": roster.status in Roster.OPEN and roster.status != Roster.Status.APPROVED,
            "may_undo": may_undo and not roster.undone_by.exclude(status=Roster.Status.REJECTED).exists(),
            "refused": refused,
        }
        return self.page(request, "memberships/admin/roster.html", context, status=422 if refused else 200)

    def errors(self, request: HttpRequest, roster_id: uuid.UUID) -> HttpResponse:
        roster = served_roster(self.seen(request), roster_id)
        headers = {"Content-Disposition": 'attachment; filename="errors.csv"', "X-Content-Type-Options": "nosniff"}
        lines = "".join(reporting.errors_file(roster))
        return HttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)

    def decided_by(self, what: str) -> Callable[..., HttpResponse]:
        """The page to which a button of `what` leads."""
        decide, said = DECISIONS[what]

        def decided(request: HttpRequest, roster_id: uuid.UUID) -> HttpResponse:
            at, now = self.seen(request), timezone.now()
            roster = served_roster(at, roster_id)
            if request.method != "POST":
                raise Http404

            def work() -> Done:
                return Done(said, to=to_roster(decide(roster=roster, actor=who(at), now=now).pk))

            return self.answered(
                doing.once(request, work), lambda refusal: self.roster_page(request, roster_id, refused=refusal)
            )

        return decided

    def answered(self, answer: HttpResponse | Refused, refuse: Callable[[str], HttpResponse]) -> HttpResponse:
        return answer if isinstance(answer, HttpResponse) else refuse(answer.detail)


def who(at: Work) -> User:
    if at.user is None:
        raise PermissionDenied
    return at.user


def served_by(at: Work) -> list[Organization]:
    """The employers whose pages are for who is at work: for operators all."""
    if at.is_operator:
        return list(Organization.objects.filter(kind=Organization.Kind.EMPLOYER).order_by("name", "pk"))
    return sorted(at.employers.values(), key=lambda one: (one.name, str(one.pk)))


def served_one(at: Work, employer_id: uuid.UUID) -> Organization:
    """Raises Http404."""
    found = next((one for one in served_by(at) if one.pk == employer_id), None)
    if found is None:
        raise Http404
    return found


def served_roster(at: Work, roster_id: uuid.UUID) -> Roster:
    """Raises Http404."""
    known = Roster.objects.select_related("employer", "uploaded_by", "decided_by")
    found = known.filter(pk=roster_id, employer__in=[one.pk for one in served_by(at)]).first()
    if found is None:
        raise Http404
    return found


def shown(row: RosterRow) -> dict[str, Any]:
    told = reporting.shown(row)
    changed = [(name.replace("_", " "), one["from"], one["to"]) for name, one in told["changed"].items()]
    return {**told, "tone": TONES.get(row.action, "changed"), "changed": changed}


def begun_with(versions: list[SponsorContract], today: date) -> dict[str, Any]:
    """What a new version's form begins with."""
    if not versions:
        return {"from_on": today.isoformat()}
    latest = versions[-1]
    kept = ("plan", "covers", "dependents_until_age", "interval", "end_rule", "grace_days", "conversion")
    return {
        "from_on": max(today, latest.from_on).isoformat(),
        "amount": f"{latest.amount / 100:.2f}",
        **{name: getattr(latest, name) for name in kept},
    }


def day_of(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 - a date
    except ValueError:
        return None


def to_employer(employer_id: uuid.UUID) -> str:
    return reverse("admin:memberships_roster_employer", args=[employer_id])


def to_roster(roster_id: uuid.UUID) -> str:
    return reverse("admin:memberships_roster_change", args=[roster_id])


def panel(_request: HttpRequest, at: Work) -> dict[str, Any]:
    """The employers that somebody serves, on the first page."""
    return {"employers": sorted(at.employers.values(), key=lambda one: one.name)}


cast(Site, site).links.append(
    Link(
        "Employers",
        "Employers and rosters",
        "business_center",
        "admin:memberships_roster_changelist",
        lambda at: at.serves_employers,
    )
)
cast(Site, site).panels.append(Panel("memberships/admin/panel.html", panel))
