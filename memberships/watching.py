"""How payments do, for those who watch over them."""

from datetime import datetime
from typing import TypedDict

from django.db import connection

# Each is read from what is open, by an index of its own.
PAYMENTS = """
SELECT (SELECT count(*) FROM memberships_charge
         WHERE status = 'pending' AND client_secret = '' AND sent_at <= %(now)s::timestamptz - interval '1 hour'),
       (SELECT count(*) FROM memberships_refund
         WHERE status = 'pending' AND sent_at <= %(now)s::timestamptz - interval '1 hour'),
       (SELECT count(*) FROM memberships_providerevent
         WHERE handled_at IS NULL AND received_at <= %(now)s::timestamptz - interval '1 hour'),
       (SELECT count(*) FROM memberships_dispute WHERE stage IN ('inquiry', 'open'))
"""


class Facts(TypedDict):
    charges_unclear: int
    refunds_unclear: int
    events_late: int
    disputes_open: int


def facts(*, now: datetime) -> Facts:
    """Charges and refunds whose outcome is not known after an hour, events not looked into, disputes to be answered."""
    with connection.cursor() as cursor:
        cursor.execute(PAYMENTS, {"now": now})
        charges, refunds, events, disputes = cursor.fetchone()
    return Facts(charges_unclear=charges, refunds_unclear=refunds, events_late=events, disputes_open=disputes)
