"""What others' servers call: no session and no CSRF token, but a signature that only they can make."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from clinics import sms

Webhook = Callable[[HttpRequest], HttpResponse]


def from_twilio(view: Webhook) -> Webhook:
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
