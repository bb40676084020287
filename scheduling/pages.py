"""Pages behind the links of messages: GET shows what they do, POST does it. They work without a script."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone, translation
from django.views.decorators.http import require_http_methods

from clinics.refusals import NotFound
from scheduling import answers, notices
from scheduling.answers import Asked, State

# What a browser asks for a page: 404 for a link that never was, 410 for one whose time is over.
STATUS = {State.OPEN: 200, State.DONE: 200, State.MOVED: 410, State.CANCELLED: 410, State.OVER: 410}


@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """`/confirm/<token>`: the patient will come."""
    return answer(request, token, notices.CONFIRM)


@require_http_methods(["GET", "HEAD", "POST"])
def cancel(request: HttpRequest, token: str) -> HttpResponse:
    """`/cancel/<token>`: the patient will not come. Says before what that costs."""
    return answer(request, token, notices.CANCEL)


def answer(request: HttpRequest, token: str, purpose: str) -> HttpResponse:
    """What the link asks; for a POST, what came of doing it."""
    now = timezone.now()
    asked: Asked | None
    try:
        asked = answers.look(token=token, purpose=purpose, now=now)
    except NotFound:
        asked = None
    if asked and request.method == "POST":
        asked = answers.act(asked, now=now)
    language = "es" if asked and asked.visit.patient.language.startswith("es") else "en"
    with translation.override(language):
        response = render(
            request,
            f"scheduling/links/{language}/{purpose}.html",
            {"asked": asked, "visit": asked and asked.visit, "language": language},
            status=STATUS[asked.state] if asked else 404,
        )
    # Whoever has the address may act: it is nobody's to keep, to find, or to hear of from the next page. The policy is
    # not `no-referrer`, with which browsers send `Origin: null` and no form would get past Django's CSRF check.
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "same-origin"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
