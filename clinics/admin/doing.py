"""Doing what a form asks for: by a use case, once however often it is sent, and saying what it refuses.

    refused = None
    if request.method == "POST":
        done = doing.once(request, lambda: Done("Closed.", to=reverse("admin:…")))
        if isinstance(done, HttpResponse):
            return done
        refused = done

A form carries `{% include "clinics/admin/once.html" %}`: its key, made when it is shown. A second click, or the form
sent again after the answer was lost, gets the answer of the first.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from clinics import edge, idempotency, uploads
from clinics.idempotency import Answer
from clinics.models import User
from clinics.refusals import Refused

# What a form carries besides what it asks.
KEY, CSRF = "once", "csrfmiddlewaretoken"


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, in a sentence that names nobody, and the address to go on from."""

    said: str
    to: str


def new_key() -> str:
    """The key of a form that is shown anew."""
    return str(uuid.uuid4())


def once(request: HttpRequest, work: Callable[[], Done]) -> HttpResponse | Refused:
    """Do `work`, which owns its transaction or is given one here, and go on; or the refusal, to be shown.

    Deadlocks are tried again. The key is the first lock taken, as for the API.
    """
    user = cast(User, request.user)
    asked = sorted((name, values) for name, values in request.POST.lists() if name not in (KEY, CSRF))
    # The same form with another file asks for something else.
    asked += sorted((name, [uploads.digest(file) for file in files]) for name, files in request.FILES.lists())

    def answer() -> Answer:
        done = work()
        return Answer(200, {"said": done.said, "to": done.to})

    try:
        given = edge.again(
            lambda: idempotency.once(
                user=user, path=request.path, key=request.POST.get(KEY) or new_key(), asked=asked, work=answer
            )
        )
    except Refused as refused:
        return refused
    messages.success(request, given.body["said"])
    return HttpResponseRedirect(given.body["to"])
