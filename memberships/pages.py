"""The pages behind what is mailed to strangers: what to do with the code in the address.

They tell nobody whether the code is one.
"""

from contextlib import suppress
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from clinics.refusals import NotFound
from memberships.changing import inviting

LONGEST = 60


@require_safe
def benefit(request: HttpRequest, token: str) -> HttpResponse:
    """`/benefit/<token>`: what to do with the code. Nothing is looked up."""
    response = page(request, "benefit", code=token[:LONGEST])
    response["Referrer-Policy"] = "no-referrer"
    return response


@require_http_methods(["GET", "HEAD", "POST"])
def family(request: HttpRequest, token: str) -> HttpResponse:
    """`/family/<token>`: what to do with the code, which nothing looks up. POST declines, and says so of any code."""
    if request.method == "POST":
        with suppress(NotFound):  # whoever tries codes learns nothing
            inviting.decline(token=token[:LONGEST], now=timezone.now())
    response = page(request, "family", code=token[:LONGEST], is_declined=request.method == "POST")
    # Not `no-referrer`: with it no form would get past Django's CSRF check (scheduling.pages).
    response["Referrer-Policy"] = "same-origin"
    return response


def page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    """In the language that the browser asks for. It is nobody's to keep or to find."""
    language = "es" if request.headers.get("Accept-Language", "").lower().startswith("es") else "en"
    response = render(request, f"memberships/{name}_{language}.html", context)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
