"""An invoice as a PDF, for a payer's employer, health account or drawer (docs/decisions/0014).

Text is drawn as it is, never read as markup: names and reasons are other people's words.
"""

import unicodedata
from io import BytesIO
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.units import inch
from reportlab.lib.utils import simpleSplit
from reportlab.platypus import SimpleDocTemplate, Spacer, Table, TableStyle

from memberships.models import Charge, Invoice
from memberships.money import dollars
from memberships.statements import Statement

FONT, BOLD, SIZE = "Helvetica", "Helvetica-Bold", 10
WIDE, NARROW = 5.2 * inch, 1.5 * inch
# The codec of PDF's own fonts (ISO 32000-1, annex D).
CODEC = "cp1252"


def pdf_of(statement: Statement) -> bytes:
    """The receipt, or the invoice where it is not settled, on as many pages as it takes."""
    invoice = statement.invoice
    title = "Receipt" if invoice.status == Invoice.Status.PAID else "Invoice"
    paper = BytesIO()
    document = SimpleDocTemplate(
        paper, pagesize=LETTER, title=f"{title} {invoice}", author="Sameday", invariant=1, lang="en-US",
        leftMargin=0.9 * inch, rightMargin=0.9 * inch, topMargin=0.8 * inch, bottomMargin=0.8 * inch,
    )  # fmt: skip
    document.build([
        Table([["Sameday"], [f"{title} {invoice}"]], colWidths=[WIDE + NARROW], style=HEADING),
        Spacer(1, 0.15 * inch),
        Table(heading(statement), colWidths=[NARROW, WIDE], style=PLAIN),
        Spacer(1, 0.25 * inch),
        Table(amounts(statement), colWidths=[WIDE, NARROW], style=AMOUNTS, repeatRows=1),
    ])  # fmt: skip
    return paper.getvalue()


def heading(statement: Statement) -> list[list[str]]:
    invoice = statement.invoice
    patient = getattr(invoice.payer, "patient", None)
    rows = [
        ["Billed to", drawn(f"{patient.name}, {invoice.payer.email}" if patient else invoice.payer.email)],
        ["Issued on", invoice.issued_on.isoformat()],
    ]
    if invoice.due:
        rows += [["Due on", invoice.due_on.isoformat()], ["How to pay", drawn(statement.instructions)]]
    return rows


def amounts(statement: Statement) -> list[list[Any]]:
    """What it says, row by row: each amount stands where its sign is read."""
    invoice = statement.invoice
    rows = [["", "US dollars"]]
    for line in statement.lines:
        days = f" ({line.during.lower} to {line.during.upper}, that day not included)" if line.during else ""
        rows.append([drawn(line.description + days), dollars(line.amount)])
    rows.append(["Total", dollars(invoice.total)])
    rows += [[drawn(f"Credit note: {note.reason}"), dollars(-note.amount)] for note in statement.notes]
    if statement.used:
        rows.append(["Paid by credit", dollars(-statement.used)])
    for payment in statement.payments:
        charge = payment.charge
        if charge.status != Charge.Status.SUCCEEDED or charge.settled_at is None:
            continue
        by = f"{charge.method.brand} ending in {charge.method.last4}" if charge.method else "cheque, transfer or cash"
        rows.append([drawn(f"Paid on {charge.settled_at.date()} by {by}"), dollars(-charge.amount)])
        if payment.refunded:
            rows.append(["Paid back", dollars(payment.refunded)])
    rows.append(["Due", dollars(invoice.due)])
    return rows


def drawn(text: str) -> str:
    """`text` in lines that fit, in letters that PDF's own fonts have: others lose their accents, or are a ?."""
    letters = "".join(letter if encodable(letter) else bare(letter) for letter in text)
    return "\n".join(simpleSplit(letters, FONT, SIZE, WIDE - 12))


def encodable(letter: str) -> bool:
    return letter.isprintable() and bool(letter.encode(CODEC, "ignore"))


def bare(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", {"ł": "l", "Ł": "L", "đ": "d", "Đ": "D"}.get(letter, letter))
    kept = "".join(part for part in plain if encodable(part))
    return kept or ("" if unicodedata.combining(letter) else " " if letter.isspace() else "?")


PLAIN = TableStyle([("FONT", (0, 0), (-1, -1), FONT, SIZE), ("VALIGN", (0, 0), (-1, -1), "TOP")])
HEADING = TableStyle([
    ("FONT", (0, 0), (-1, 0), BOLD, 18),
    ("FONT", (0, 1), (-1, 1), FONT, 14),
    ("LEADING", (0, 0), (-1, -1), 22),
])  # fmt: skip
AMOUNTS = TableStyle([
    ("FONT", (0, 0), (-1, -1), FONT, SIZE),
    ("FONT", (0, -1), (-1, -1), BOLD, SIZE),
    ("ALIGN", (1, 0), (1, -1), "RIGHT"),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LINEBELOW", (0, 0), (-1, 0), 0.5, colors.grey),
    ("LINEABOVE", (0, -1), (-1, -1), 0.5, colors.black),
])  # fmt: skip
