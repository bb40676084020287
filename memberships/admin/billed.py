"""What all pages about money have in common: whose invoices somebody sees at work, and that it is on record."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib.postgres.expressions import ArraySubquery
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef, QuerySet
from django.http import Http404, HttpRequest, HttpResponse

from clinics import people
from clinics.admin import clock, history_lines
from clinics.admin.history_lines import Field, Line
from clinics.admin.places import Pages
from clinics.admin.work import Role, Work
from clinics.models import AccessEvent, Patient, Registration, User
from clinics.refusals import Refused
from memberships import money
from memberships.models import Invoice, InvoiceLine

# What a history tells of, as it was named there, and what of it is cents.
TOLD = (
    "status",
    "stage",
    "amount",
    "due",
    "reason",
    "asked_by",
    "decided_by",
    "decided_because",
    "failure",
    "answer_by",
)
CENTS = {"Amount", "Due"}


class MoneyPages(Pages):
    """Pages of what was billed for patients of one's clinics: for who manages these, unless `roles` says otherwise."""

    for_operators = False
    roles: ClassVar[tuple[Role, ...]] = (Role.MANAGER,)
    what = dict.fromkeys(("list", "page", "history"), AccessEvent.What.MEMBERSHIPS)

    def one(self, request: HttpRequest, object_id: uuid.UUID) -> Any:
        """The row, with whom it is for as `patients`. Raises PermissionDenied, Http404."""
        self.seen(request)
        found = self.get_queryset(request).filter(pk=object_id).first()
        if found is None:
            raise Http404
        return found

    def called(self, row: Any) -> str:
        """The row in a title."""
        raise NotImplementedError

    def patient_of(self, row: Any) -> Any:
        return row.patients

    def shows(self, request: HttpRequest, patients: Iterable[Any], page: str) -> None:
        """Each row may be of several: a family's invoice."""
        super().shows(request, [patient for of_row in patients for patient in of_row or []], page)

    def history(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """What became of it, in dollars."""
        row = self.one(request, object_id)
        context = {
            "title": f"History: {self.called(row)}",
            "lines": lines(row, clock.zone_of(self.seen(request))),
            "back": request.path.removesuffix("history/") + "change/",
        }
        return self.page(request, "clinics/admin/history.html", context, patients=[row.patients], name="history")


def billed(at: Work, *roles: Role, now: datetime) -> QuerySet[Invoice]:
    """Invoices for patients of clinics where somebody has one of `roles`, but none of theirs or their family's."""
    if at.user is None:
        return Invoice.objects.none()
    today = people.today_of(at.user, now=now)
    here = Registration.objects.filter(clinic__in=at.at(*roles))
    ours = Patient.objects.visible_to(at.user, on=today).filter(pk__in=here.values("patient"))
    own = Patient.objects.acted_for_by(at.user, on=today)
    of = InvoiceLine.objects.filter(invoice=OuterRef("pk"))
    return (
        Invoice.objects.filter(Exists(of.filter(patient__in=ours.values("pk"))))
        .exclude(Exists(of.filter(patient__in=own.values("pk"))))
        .exclude(payer=at.user)
    )


def patients_of(at: Work, invoice: str) -> ArraySubquery:
    """Whom the invoice at `invoice` is for, as far as they are patients of clinics of who is at work."""
    here = Registration.objects.filter(clinic__in=list(at.clinics))
    lines = InvoiceLine.objects.filter(invoice=OuterRef(invoice), patient__in=here.values("patient"))
    return ArraySubquery(lines.order_by("patient").distinct("patient").values("patient"))


def names(rows: Sequence[Any]) -> dict[Any, str]:
    """For whom each of `rows` is, in one statement. Needs `patients`."""
    ids = {patient for row in rows for patient in row.patients}
    called = {patient.pk: patient.name for patient in Patient.objects.filter(pk__in=ids)}
    return {row.pk: ", ".join(sorted(called[patient] for patient in row.patients if patient in called)) for row in rows}


def who(at: Work) -> User:
    if at.user is None:
        raise PermissionDenied
    return at.user


def why_not(refused: Refused) -> str:
    """What a refusal says, with the most that it would have taken."""
    most = refused.extra.get("most")
    return f"{refused.detail} That is {money.dollars(most)}." if isinstance(most, int) else refused.detail


def lines(row: Any, zone: Any) -> list[Line]:
    """The history of a row about money, newest first."""
    kept = history_lines.history_of(type(row)).objects.filter(pgh_obj_id=row.pk).order_by("-pgh_id")
    told = history_lines.changes(list(kept[: history_lines.MOST]), zone, names=TOLD)
    shown = [Line(line.at, line.zone, line.by, line.what, [in_dollars(one) for one in line.fields]) for line in told]
    return [line for line in shown if line.fields or line.what != "changed"]


def in_dollars(told: Field) -> Field:
    if told.name not in CENTS:
        return told
    old, new = (money.dollars(int(text)) if text.isdigit() else text for text in (told.old, told.new))
    return Field(told.name, old, new)


def instant(at: datetime | None, zone: Any) -> str:
    return clock.when(at, zone) if at is not None else ""
