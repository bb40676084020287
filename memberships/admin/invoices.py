"""Invoices in the admin: finding one, its lines, what was paid and went back; for managers, taking in money and paying
it back.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock, doing
from clinics.admin.doing import Done
from clinics.admin.site import site
from clinics.admin.work import Role, Work
from clinics.models import StaffRole, User
from memberships import money, refunding, statements
from memberships.admin.billed import MoneyPages, billed, instant, names, patients_of, who, why_not
from memberships.admin.refunds import TONES as REFUND_TONES
from memberships.admin.refunds import to_refund
from memberships.billing import settling
from memberships.models import Charge, Dispute, Invoice, InvoiceLine, Refund

TONES = {"open": "warn", "paid": "good", "void": "", "uncollectible": "bad"}
A_PAGE = 50
LONGEST_NUMBER = 18  # digits that a number in the database has room for
CHARGE_TONES = {"pending": "warn", "succeeded": "good", "failed": "bad"}


class PayBackForm(forms.Form):
    amount = forms.DecimalField(min_value=0, max_digits=9, decimal_places=2, label="US dollars")
    reason = forms.CharField(max_length=200, label="Why", help_text="The payer reads it on the credit note.")


class PaidForm(forms.Form):
    amount = forms.DecimalField(min_value=0, max_digits=9, decimal_places=2, label="US dollars")
    reference = forms.CharField(max_length=80, label="What came in", help_text="The number of a check, a transfer.")

    def clean_amount(self) -> Any:
        amount = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError("How much came in?")
        return amount


@dataclass(frozen=True, slots=True)
class Paid:
    """A charge as the page shows it. `left`: cents that can still go back."""

    charge: Charge
    when: str
    tone: str
    left: int


@admin.register(Invoice, site=site)
class InvoiceAdmin(MoneyPages):
    section, icon = "Payments", "receipt_long"
    roles = StaffRole.CARE

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.invoices),
            ("<uuid:object_id>/change/", "change", self.invoice),
            ("<uuid:object_id>/history/", "history", self.history),
            ("<uuid:object_id>/paid/", "paid", self.paid),
            ("<uuid:object_id>/pay-back/<uuid:charge_id>/", "pay_back", self.pay_back),
        ]

    def called(self, row: Invoice) -> str:
        return f"Invoice {row}"

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return billed(at, *self.roles, now=now).select_related("payer").annotate(patients=patients_of(at, "pk"))

    def invoices(self, request: HttpRequest) -> HttpResponse:
        """Those that are to be paid, or in another state; or the one whose number somebody reads from paper."""
        self.seen(request)
        number, state = request.GET.get("number", "").strip(), request.GET.get("state", Invoice.Status.OPEN)
        found = self.get_queryset(request).filter(numbered(number) if number else in_state(state))
        page = Paginator(found.order_by("-number"), A_PAGE).get_page(request.GET.get("page"))
        rows = list(page.object_list)
        whose = names(rows)
        context = {
            "title": "Invoices",
            "rows": [(row, whose[row.pk], TONES[row.status]) for row in rows],
            "page": page,
            "number": number,
            "state": state,
            "states": Invoice.Status.choices,
        }
        seen = [row.patients for row in rows]
        return self.page(request, "memberships/admin/invoices.html", context, patients=seen, name="list")

    def invoice(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        found, at = self.one(request, object_id), self.seen(request)
        statement, zone = statements.read(found), clock.zone_of(at)
        refunds = Refund.objects.filter(charge__invoice=found).order_by("-id")
        disputes = Dispute.objects.filter(charge__invoice=found).order_by("-id")
        context = {
            "title": self.called(found),
            "invoice": found,
            "tone": TONES[found.status],
            "whose": names([found])[found.pk],
            "lines": [(named(line, found.patients), line.amount) for line in statement.lines],
            "notes": [(clock.when(note.at, zone), note) for note in statement.notes],
            "used": statement.used,
            "payments": [paid_of(one, zone) for one in statement.payments],
            "refunds": [(one, instant(one.created_at, zone), REFUND_TONES[one.status]) for one in refunds],
            "disputes": [(one, instant(one.created_at, zone)) for one in disputes],
            "manages": self.manages(request, found),
            "patient": found.patients[0],
        }
        return self.page(request, "memberships/admin/invoice.html", context, patients=[found.patients])

    def paid(self, request: HttpRequest, object_id: uuid.UUID) -> HttpResponse:
        """Say that money for an open invoice came in by hand."""
        found = self.managed(request, object_id)
        form = PaidForm(request.POST or None, initial={"amount": f"{found.due / 100:.2f}"})

        def do(actor: User, now: datetime) -> Done:
            wanted: dict[str, Any] = {"amount": cents(form), "reference": form.cleaned_data["reference"]}
            settling.paid_by_hand(found.pk, actor=actor, now=now, **wanted)
            return Done("It is booked as paid.", to=to_invoice(found.pk))

        facts = [("Due", money.dollars(found.due)), ("By", found.payer.email)]
        return self.form_page(request, found, form, do, title=f"Paid by hand: {found}", facts=facts, button="Book it")

    def pay_back(self, request: HttpRequest, object_id: uuid.UUID, charge_id: uuid.UUID) -> HttpResponse:
        """Ask for money of a charge to go back: at once, or above a limit when a second person agrees."""
        found = self.managed(request, object_id)
        charge = found.charges.filter(pk=charge_id, status=Charge.Status.SUCCEEDED).select_related("method").first()
        if charge is None:
            raise Http404
        left = refunding.left_of(charge)
        form = PayBackForm(request.POST or None, initial={"amount": f"{left / 100:.2f}"})

        def do(actor: User, now: datetime) -> Done:
            asked: dict[str, Any] = {"amount": cents(form), "reason": form.cleaned_data["reason"]}
            refund = refunding.ask(charge_id=charge.pk, actor=actor, now=now, **asked)
            return Done(said(refund, charge), to=to_refund(refund.pk))

        facts = [
            ("Paid", f"{money.dollars(charge.amount)} {by_what(charge)}"),
            ("Left of it", money.dollars(left)),
            ("To", found.payer.email),
        ]
        return self.form_page(request, found, form, do, title=f"Pay back of {found}", facts=facts, button="Pay back")

    def form_page(
        self,
        request: HttpRequest,
        invoice: Any,
        form: forms.Form,
        do: Callable[[User, datetime], Done],
        **context: Any,
    ) -> HttpResponse:
        """A form about an invoice's money, and what comes of it."""
        refused = ""
        if request.method == "POST" and form.is_valid():
            actor, now = who(self.seen(request)), timezone.now()
            answer = doing.once(request, lambda: do(actor, now))
            if isinstance(answer, HttpResponse):
                return answer
            refused = why_not(answer)
        shown = {**context, "form": form, "refused": refused, "back": to_invoice(invoice.pk)}
        status = 422 if refused or form.errors else 200
        template = "memberships/admin/money_form.html"
        return self.page(request, template, shown, patients=[invoice.patients], status=status)

    def managed(self, request: HttpRequest, object_id: uuid.UUID) -> Any:
        """Raises PermissionDenied for those who read it alone, Http404."""
        found = self.one(request, object_id)
        if not self.manages(request, found):
            raise PermissionDenied
        return found

    def manages(self, request: HttpRequest, invoice: Invoice) -> bool:
        return billed(self.seen(request), Role.MANAGER, now=timezone.now()).filter(pk=invoice.pk).exists()


def numbered(text: str) -> Q:
    """The invoice that is called `text`, as INV-000123, inv 123 or 123."""
    digits = text.upper().removeprefix("INV").lstrip("- #")
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= LONGEST_NUMBER
    return Q(number=int(digits)) if is_number else Q(pk__in=[])


def in_state(state: str) -> Q:
    return Q(status=state) if state in Invoice.Status.values else Q()


def named(line: InvoiceLine, patients: Sequence[uuid.UUID]) -> str:
    """What a line is for; of who is no patient of these clinics no name."""
    is_ours = line.patient_id is None or line.patient_id in patients
    return line.description if is_ours else f"{line.get_kind_display()}, of another clinic's patient"


def paid_of(payment: statements.Payment, zone: Any) -> Paid:
    charge = payment.charge
    is_paid = charge.status == Charge.Status.SUCCEEDED
    at = charge.settled_at or charge.created_at
    # What waits for a second person, or was taken back by a bank, is known to the use case, which says so.
    left = max(0, charge.amount - payment.refunded) if is_paid else 0
    return Paid(charge, clock.when(at, zone), CHARGE_TONES[charge.status], left)


def by_what(charge: Charge) -> str:
    return f"by {charge.method}" if charge.method else f"by hand: {charge.provider_id}"


def said(refund: Refund, charge: Charge) -> str:
    if refund.status == Refund.Status.PROPOSED:
        return "It waits for a second person."
    return "Pay it back, and say so here." if charge.provider == "manual" else "It is on its way."


def cents(form: forms.Form) -> int:
    return int(form.cleaned_data["amount"] * 100)


def to_invoice(invoice_id: uuid.UUID) -> str:
    return reverse("admin:memberships_invoice_change", args=[invoice_id])
