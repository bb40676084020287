"""SMS by Twilio's REST API (twilio.com/docs/messaging/api/message-resource).

Twilio has no idempotency key for messages. So what may have been taken is never sent again before Twilio's own list of
messages has been asked; and the address of the status callback names the message, which then tells, too.
"""

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Self
from urllib.parse import urlencode

import httpx
from django.conf import settings

from clinics.transports import Became, Found, Outcome, Outgoing, Unavailable

API = "https://api.twilio.com"
TIMEOUT = httpx.Timeout(10, connect=5)
AT_ONCE = 8
SKEW = timedelta(minutes=1)  # between their clock and ours
CALLBACK = "/webhooks/twilio/status"
# twilio.com/docs/api/errors: "Attempt to send to unsubscribed recipient".
UNSUBSCRIBED = 21610
# What Twilio says of a message, and what that is to us. `canceled` is for scheduled ones.
STATUSES = {
    "accepted": "sent", "scheduled": "sent", "queued": "sent", "sending": "sent", "sent": "sent",
    "delivered": "delivered", "read": "delivered",
    "undelivered": "failed", "failed": "failed", "canceled": "failed",
}  # fmt: skip


class Sender:
    def __init__(self, transport: httpx.BaseTransport | None = None) -> None:
        account = settings.TWILIO["ACCOUNT_SID"]
        name, secret = settings.TWILIO["API_KEY"] or account, settings.TWILIO["API_KEY_SECRET"]
        self.client = httpx.Client(
            auth=(name, secret or settings.TWILIO["AUTH_TOKEN"]),
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=transport,
        )
        self.messages = f"{API}/2010-04-01/Accounts/{account}/Messages.json"
        self.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="twilio")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.pool.shutdown()
        self.client.close()

    def send(self, batch: Sequence[Outgoing]) -> Iterator[tuple[Outgoing, Outcome]]:
        return zip(batch, self.pool.map(self.send_one, batch), strict=True)

    def send_one(self, outgoing: Outgoing) -> Outcome:
        form = {
            "To": outgoing.to,
            "Body": outgoing.body,
            "StatusCallback": f"{settings.PUBLIC_URL}{CALLBACK}?"
            + urlencode({"message": outgoing.id, "attempt": outgoing.attempt}),
        }
        if settings.TWILIO["MESSAGING_SERVICE_SID"]:
            form["MessagingServiceSid"] = settings.TWILIO["MESSAGING_SERVICE_SID"]
        else:
            form["From"] = settings.TWILIO["FROM"]
        try:
            answer = self.client.post(self.messages, data=form)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            return Outcome(Became.UNTRIED, error=f"No connection to Twilio: {type(error).__name__}.")
        except httpx.HTTPError as error:
            return Outcome(Became.UNCLEAR, error=f"Twilio did not answer: {type(error).__name__}.")
        return understood(answer)

    def find(self, *, to: str, fingerprint: str, since: datetime) -> list[Found]:
        """The newest hundred for `to` hold whatever we sent a minute ago. By DateSent it would miss what is queued."""
        try:
            answer = self.client.get(self.messages, params={"To": to, "PageSize": 100})
            listed = answer.raise_for_status().json()["messages"]
            return [
                Found(one["sid"], STATUSES.get(one["status"], "sent"), told(one.get("error_code")))
                for one in listed
                if one["direction"].startswith("outbound")
                and parsedate_to_datetime(one["date_created"]) >= since - SKEW
                and fingerprint_of(one["body"]) == fingerprint
            ]
        except (httpx.HTTPError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unavailable(f"Twilio's list cannot be read: {type(error).__name__}.") from error


def understood(answer: httpx.Response) -> Outcome:
    """What Twilio's answer means. A 5xx may come after the message was taken."""
    code = answer.status_code
    if code >= 500:
        return Outcome(Became.UNCLEAR, error=f"Twilio answered {code}.")
    try:
        said = answer.json()
    except ValueError:
        said = {}
    if answer.is_success:
        if not isinstance(said, dict) or not isinstance(said.get("sid"), str):
            return Outcome(Became.UNCLEAR, error="Twilio's answer cannot be read.")
        return Outcome(Became.SENT, provider_id=said["sid"])
    if code in (401, 403, 404):
        # Our account, not the message. (A number that may not be texted is a 400.)
        return Outcome(Became.UNTRIED, error=f"Twilio does not let us in ({code}).")
    if code == 400:
        number = said.get("code") if isinstance(said, dict) else None
        became = Became.STOPPED if number == UNSUBSCRIBED else Became.REFUSED
        return Outcome(became, error=told(number) or "Twilio refused it.")
    return Outcome(Became.LATER, error=f"Twilio answered {code}.")


def told(code: Any) -> str:
    """Twilio's error by its number alone: its words may repeat a phone number."""
    return f"Twilio's error {code}." if isinstance(code, int | str) and str(code).isdecimal() else ""


def fingerprint_of(body: str) -> str:
    return hashlib.sha256(body.strip().encode()).hexdigest()
