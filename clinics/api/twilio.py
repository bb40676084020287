"""`POST /webhooks/twilio/status`: what Twilio tells later of a text that it took.

No Endpoint: it is called by Twilio, with a signature in place of a session, in a form.
"""

import uuid
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clinics import sms
from clinics.messages import reconciling
from clinics.transports import Found
from clinics.transports.twilio import STATUSES, told

Webhook = Callable[[HttpRequest], HttpResponse]


def signed(view: Webhook) -> Webhook:
    """A view for Twilio alone: a POST that its signature does not fit is a 403."""

    @csrf_exempt
    @require_POST
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        fields = [(name, value) for name, values in request.POST.lists() for value in values]
        # Where we are known to be, whatever the Host header says.
        url = settings.PUBLIC_URL + request.get_full_path()
        given = request.headers.get("X-Twilio-Signature", "")
        if not sms.is_from_twilio(given, url=url, fields=fields, auth_token=settings.TWILIO["AUTH_TOKEN"]):
            return HttpResponse(status=403)
        return view(request)

    return checked


@signed
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
