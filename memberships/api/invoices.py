"""`invoices`: what somebody is billed, and paying it."""

import uuid
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from clinics.edge import Endpoint
from clinics.models import AccessEvent
from clinics.openapi import problems
from clinics.paging import Paged, page
from clinics.refusals import NotFound
from clinics.shapes import Shape, parse
from memberships import access, paying, receipts, statements
from memberships.api.payments import VISA, MethodShown
from memberships.api.payments import shown as shown_method
from memberships.billing.settling import NotOpen
from memberships.models import Charge, Invoice, InvoiceLine
from memberships.statements import BY_CARD, BY_HAND, NOTHING, Payment, Statement

PDF = "application/pdf"
OPEN: dict[str, Any] = {
    "id": "0193601a-7c1e-7000-8000-000000000014",
    "number": "INV-000123",
    "kind": "period",
    "status": "open",
    "total": 19_900,
    "due": 19_900,
    "issued_on": "2026-11-24",
    "due_on": "2026-11-24",
}
FULL: dict[str, Any] = OPEN | {
    "currency": "USD",
    "lines": [
        {
            "kind": "membership",
            "description": "Annual membership, a year",
            "amount": 19_900,
            "patient": "0193601a-7c1e-7000-8000-000000000003",
            "start": "2026-11-24",
            "end": "2027-11-24",
        }
    ],
    "credit_notes": [],
    "credit_used": 0,
    "payments": [
        {
            "id": "0193601a-7c1e-7000-8000-000000000015",
            "status": "failed",
            "amount": 19_900,
            "refunded": 0,
            "failure": "insufficient_funds",
            "method": VISA,
            "at": "2026-11-24T14:00:01+00:00",
        }
    ],
    "how": "card",
    "instructions": "Pay at any of our clinics, and name the invoice.",
    "action": None,
}


class InvoiceShown(serializers.Serializer[Any]):
    """Amounts are cents of US dollars. A total below 0 is credit, which the next invoices use up."""

    id = serializers.UUIDField()
    number = serializers.CharField()
    kind = serializers.ChoiceField(choices=Invoice.Kind.choices)
    status = serializers.ChoiceField(choices=Invoice.Status.choices)
    total = serializers.IntegerField()
    due = serializers.IntegerField()
    issued_on = serializers.DateField()
    due_on = serializers.DateField()


class InvoicesPage(serializers.Serializer[Any]):
    results = InvoiceShown(many=True)
    next = serializers.URLField(allow_null=True)


class InvoiceLineShown(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=InvoiceLine.Kind.choices)
    description = serializers.CharField()
    amount = serializers.IntegerField()
    patient = serializers.UUIDField(allow_null=True)
    start = serializers.DateField(allow_null=True)
    end = serializers.DateField(allow_null=True, help_text="The first day after it.")


class CreditNoteShown(serializers.Serializer[Any]):
    amount = serializers.IntegerField()
    reason = serializers.CharField()
    at = serializers.DateTimeField()


class PaymentShown(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Charge.Status.choices)
    amount = serializers.IntegerField()
    refunded = serializers.IntegerField(help_text="What has gone back of it, or is on its way.")
    failure = serializers.CharField(allow_blank=True, help_text="Why it failed, such as insufficient_funds.")
    method = MethodShown(allow_null=True, help_text="Null where it was paid by hand.")
    at = serializers.DateTimeField()


class ActionShown(serializers.Serializer[Any]):
    """A bank wants to see the payer (3-D Secure): the provider's client code goes on with these, within a day."""

    client_secret = serializers.CharField()
    public_key = serializers.CharField()


class InvoiceInFull(InvoiceShown):
    currency = serializers.CharField()
    lines = InvoiceLineShown(many=True)
    credit_notes = CreditNoteShown(many=True)
    credit_used = serializers.IntegerField(help_text="What earlier credit has paid of it.")
    payments = PaymentShown(many=True)
    how = serializers.ChoiceField([NOTHING, BY_HAND, BY_CARD], help_text="How what is due can be paid.")
    instructions = serializers.CharField(allow_blank=True, help_text="How it is paid without a card.")
    action = ActionShown(allow_null=True)


def shown(invoice: Invoice) -> dict[str, Any]:
    return {
        "id": str(invoice.pk),
        "number": str(invoice),
        "kind": invoice.kind,
        "status": invoice.status,
        "total": invoice.total,
        "due": invoice.due,
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
    }


def shown_in_full(statement: Statement) -> dict[str, Any]:
    action = statement.action
    return shown(statement.invoice) | {
        "currency": "USD",
        "lines": [shown_line(line) for line in statement.lines],
        "credit_notes": [
            {"amount": note.amount, "reason": note.reason, "at": note.at.isoformat()} for note in statement.notes
        ],
        "credit_used": statement.used,
        "payments": [shown_payment(payment) for payment in statement.payments],
        "how": statement.how,
        "instructions": statement.instructions,
        "action": {"client_secret": action.client_secret, "public_key": action.public_key} if action else None,
    }


def shown_line(line: InvoiceLine) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "description": line.description,
        "amount": line.amount,
        "patient": str(line.patient_id) if line.patient_id else None,
        "start": line.during.lower.isoformat() if line.during else None,
        "end": line.during.upper.isoformat() if line.during else None,
    }


def shown_payment(payment: Payment) -> dict[str, Any]:
    charge = payment.charge
    return {
        "id": str(charge.pk),
        "status": charge.status,
        "amount": charge.amount,
        "refunded": payment.refunded,
        "failure": payment.failure,
        "method": shown_method(charge.method) if charge.method else None,
        "at": (charge.settled_at or charge.created_at).isoformat(),
    }


class Invoices(Endpoint):
    """The newest first. They name nobody; each by itself says for whom it is."""

    shown_as = None

    class Asked(Paged):
        pass

    @extend_schema(
        operation_id="list_invoices",
        summary="My invoices",
        parameters=[Asked],
        responses=InvoicesPage,
        examples=[OpenApiExample("one", response_only=True, value={"results": [OPEN], "next": None})],
    )
    def get(self, request: Request) -> Response:
        asked = parse(self.Asked, request.query_params)
        return Response(page(request, access.invoices(self.caller), asked=asked, by=["-number"], show=shown))


class InvoiceById(Endpoint):
    shown_as = AccessEvent.What.MEMBERSHIPS

    @extend_schema(
        operation_id="read_invoice",
        summary="One invoice, with its lines and what was paid",
        responses={200: InvoiceInFull, **problems(NotFound)},
        examples=[OpenApiExample("one", response_only=True, status_codes=["200"], value=FULL)],
    )
    def get(self, _request: Request, invoice_id: uuid.UUID) -> Response:
        statement = statements.read(access.invoice(self.caller, invoice_id))
        self.shows(*statement.patients)
        return Response(shown_in_full(statement))


class ReceiptView(Endpoint):
    """The same on paper. Not paid yet, it is an invoice."""

    shown_as = AccessEvent.What.MEMBERSHIPS

    @extend_schema(
        operation_id="read_receipt",
        summary="An invoice as a PDF",
        responses={(200, PDF): OpenApiResponse(OpenApiTypes.BINARY, description="PDF"), **problems(NotFound)},
    )
    def get(self, _request: Request, invoice_id: uuid.UUID) -> HttpResponse:
        statement = statements.read(access.invoice(self.caller, invoice_id))
        self.shows(*statement.patients)
        name = f"{statement.invoice}.pdf"
        return HttpResponse(
            receipts.pdf_of(statement),
            content_type=PDF,
            headers={"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"},
        )


class PayView(Endpoint):
    """It is charged at once, but after this answer: read the invoice again to see what became of it."""

    shown_as = AccessEvent.What.MEMBERSHIPS

    class Wanted(Shape):
        method = serializers.UUIDField(help_text="One of my payment methods.")
        keep = serializers.BooleanField(
            required=False,
            default=False,
            help_text="Have its membership paid with this card from now on, and what else of it is overdue at once.",
        )

    @extend_schema(
        operation_id="pay_invoice",
        summary="Pay an invoice with one of my cards",
        request=Wanted,
        responses={200: InvoiceInFull, **problems(NotFound, NotOpen, paying.ChargeUnderWay, paying.NoMembershipToKeep)},
        examples=[
            OpenApiExample("with a card", request_only=True, value={"method": VISA["id"]}),
            OpenApiExample("and from now on", request_only=True, value={"method": VISA["id"], "keep": True}),
            OpenApiExample("one", response_only=True, status_codes=["200"], value=FULL),
        ],
    )
    def post(self, request: Request, invoice_id: uuid.UUID) -> Response:
        wanted = parse(self.Wanted, request.data)
        invoice = access.invoice(self.caller, invoice_id)
        method = access.method(self.caller, wanted["method"])
        paying.pay(invoice_id=invoice.pk, method=method, keep=wanted["keep"], actor=self.caller, now=timezone.now())
        statement = statements.read(access.invoice(self.caller, invoice_id))
        self.shows(*statement.patients)
        return Response(shown_in_full(statement))

    def kept(self, body: Any) -> Any:
        return {**body, "action": None}

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:  # noqa: ARG002 - as every view
        statement = statements.read(access.invoice(self.caller, kwargs["invoice_id"]))
        self.shows(*statement.patients)
        return body
