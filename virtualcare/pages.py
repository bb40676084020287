"""Pages of virtual care: shells with nothing of anybody in them. What they show they ask of the API."""

import uuid

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from clinics.models import User
from clinics.people import OF_AGE
from clinics.refusals import NotFound
from clinics.states import NAMES
from virtualcare import access
from virtualcare.access import NotAClinician
from virtualcare.models import Advice


def caller(request: HttpRequest) -> User:
    """Who is signed in, on a page that asks for it."""
    if not isinstance(request.user, User):
        raise Http404
    return request.user


@require_safe
def device_check(request: HttpRequest) -> HttpResponse:
    """`GET /consults/device-check`: camera and microphone, tried before a call. Nothing leaves the device."""
    return render(request, "virtualcare/device_check.html")


@require_safe
@login_required
@ensure_csrf_cookie
def ask(request: HttpRequest) -> HttpResponse:
    """`GET /consults`: asking for a clinician, and the consults there are."""
    return kept_by_nobody(render(request, "virtualcare/ask.html", {"states": NAMES, "of_age": OF_AGE}))


@require_safe
@login_required
@ensure_csrf_cookie
def consult(request: HttpRequest, consult_id: uuid.UUID) -> HttpResponse:
    """`GET /consults/{id}`: waiting, chat, call and summary, for the patient. 404 for everybody else."""
    now = timezone.now()
    try:
        found = access.taken_part(caller(request), consult_id, now=now)
    except NotFound as absent:
        raise Http404 from absent
    if not access.is_patients(caller(request), found, now=now):
        raise Http404
    return kept_by_nobody(render(request, "virtualcare/consult.html", {"consult": consult_id}))


@require_safe
@login_required
@ensure_csrf_cookie
def console(request: HttpRequest) -> HttpResponse:
    """`GET /console`: the clinician's work. 403 for who is none."""
    try:
        clinician = access.clinician(caller(request))
    except NotAClinician as refusal:
        page = {"heading": "For clinicians", "words": refusal.detail}
        return render(request, "clinics/staff/plain.html", page, status=403)
    return kept_by_nobody(
        render(request, "virtualcare/console.html", {"clinician": clinician, "advice": Advice.choices})
    )


def kept_by_nobody(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
