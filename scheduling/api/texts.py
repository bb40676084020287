"""`POST /webhooks/twilio/sms`: a text that somebody sent us.

No Endpoint: it is called by Twilio, with a signature in place of a session, in a form. What we answer is a message like
any other, on record and sent by a worker, so the response says nothing.
"""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from rest_framework.response import Response

from clinics import webhooks
from clinics.edge import Busy, again
from scheduling import replies

NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response></Response>'


@webhooks.from_twilio
def sms(request: HttpRequest) -> HttpResponse:
    """Take in a text, once by its MessageSid."""

    def work() -> Response:
        replies.take_in(
            from_number=request.POST.get("From", ""),
            body=request.POST.get("Body", ""),
            provider_id=request.POST.get("MessageSid", ""),
            now=timezone.now(),
        )
        return Response()

    try:
        again(work)
    except Busy:
        return HttpResponse(status=503, headers={"Retry-After": "1"})
    return HttpResponse(NOTHING, content_type="text/xml")
