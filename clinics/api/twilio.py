"""`POST /webhooks/twilio/status`: what Twilio tells later of a text that it took.

No Endpoint: it is called by Twilio, with a signature in place of a session, in a form.
"""

import uuid

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinics import webhooks
from clinics.messages import reconciling
from clinics.transports import Found
from clinics.transports.twilio import STATUSES, told


@webhooks.from_twilio
def status(request: HttpRequest) -> HttpResponse:
    """Twilio's word on a message. Told twice, late, or of what we don't know, it does nothing."""
    sid, said = request.POST.get("MessageSid", ""), STATUSES.get(request.POST.get("MessageStatus", ""))
    if said and sid.isascii() and sid.isalnum() and len(sid) <= 64:
        found = Found(sid, said, told(request.POST.get("ErrorCode")) if said == "failed" else "")
        reconciling.tell(found, message=ours(request), attempt=attempt(request), now=timezone.now())
    return HttpResponse(status=204)


def ours(request: HttpRequest) -> uuid.UUID | None:
    """The id of the message, as we put it into the callback's address."""
    try:
        return uuid.UUID(request.GET.get("message", ""))
    except ValueError:
        return None


def attempt(request: HttpRequest) -> int:
    given = request.GET.get("attempt", "")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 5 else 0
