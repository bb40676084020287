"""`POST /webhooks/stripe`: what Stripe tells by itself (docs.stripe.com/webhooks).

No Endpoint: it is called by Stripe, with a signature in place of a session. It is kept and answered at once.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from memberships import provider_events
from memberships.payments.port import Forged


@csrf_exempt
@require_POST
def event(request: HttpRequest) -> HttpResponse:
    """An event of Stripe's. One that is forged, or was signed more than five minutes ago, is a 403."""
    if not settings.STRIPE["WEBHOOK_SECRET"]:
        return HttpResponse(status=403)
    try:
        provider_events.receive(provider="stripe", body=request.body, headers=request.headers, now=timezone.now())
    except Forged:
        return HttpResponse(status=403)
    return HttpResponse(status=204)
