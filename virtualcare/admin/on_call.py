"""On-call shifts of clinicians: entered, changed and taken away by those who plan them."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import clock, doing, history_lines
from clinics.admin.doing import Done
from clinics.admin.places import Pages
from clinics.admin.site import Link, site
from clinics.admin.work import Work
from clinics.models import Clinician, User
from scheduling.admin.hours import A_PAGE
from virtualcare import on_call
from virtualcare.admin import planning
from virtualcare.admin.planning import PLANS, OnCallForm, clinicians
from virtualcare.models import OnCallShift

USUAL = timedelta(hours=8)  # a shift, where a page that leads here says when it is to begin


@admin.register(OnCallShift, site=site)
class OnCallAdmin(Pages):
    roles = PLANS

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.shifts),
            ("add/", "add", self.add),
            ("<uuid:shift_id>/", "change", self.shift),
            ("<uuid:shift_id>/history/", "history", self.history),
        ]

    def shifts(self, request: HttpRequest) -> HttpResponse:
        """Those that are not over, the next first."""
        at, now = self.seen(request), timezone.now()
        zone = planning.zone_of(at)
        found = self.theirs(at).filter(during__endswith__gt=now).order_by("during", "pk")
        page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
        rows = [
            (shift, clock.span(shift.during.lower, shift.during.upper, zone), shift.during.lower <= now)
            for shift in page.object_list
        ]
        context = {"title": "On-call shifts", "shifts": rows, "page": page}
        return self.page(request, "virtualcare/admin/on_call.html", context, name="list")

    def add(self, request: HttpRequest) -> HttpResponse:
        """The form; where the map of hours leads here with a state and an hour, of those licensed there, from then."""
        at, now = self.seen(request), timezone.now()
        state = asked_state(request)
        zone = planning.zone_of(at, state)
        people = clinicians(at)
        if state:
            people = people.filter(licences__state=state, licences__during__contains=now.date()).distinct()
        choice = list(people.order_by("family_name", "given_name", "pk"))
        chosen = next((one for one in choice if str(one.pk) == request.POST.get("clinician")), None)
        form = OnCallForm(request.POST or None, initial=beginning(request, zone, now))
        refused = ""
        if request.method == "POST" and form.is_valid():
            if chosen is None:
                refused = "Choose a clinician."
            else:
                span = form.span(zone)
                answer = doing.once(request, lambda: self.do_add(at, chosen, span, form, now))
                if isinstance(answer, HttpResponse):
                    return answer
                refused = answer.detail
        context = {
            "title": "Put a clinician on call",
            "people": choice,
            "chosen": chosen,
            "form": form,
            "refused": refused,
            "zone": zone.key,
            "state": state,
        }
        return self.page(request, "virtualcare/admin/on_call_form.html", context, status=422 if refused else 200)

    def do_add(
        self, at: Work, clinician: Clinician, span: tuple[datetime, datetime], form: OnCallForm, now: datetime
    ) -> Done:
        on_call.add(
            clinician=clinician,
            start=span[0],
            end=span[1],
            modalities=form.cleaned_data["modalities"],
            capacity=form.cleaned_data["capacity"],
            actor=cast(User, at.user),
            now=now,
        )
        return Done(f"{clinician.name} is on call then.", to=reverse("admin:virtualcare_oncallshift_changelist"))

    def shift(self, request: HttpRequest, shift_id: uuid.UUID) -> HttpResponse:
        """A shift, to move, alter, take away or end now."""
        at, now = self.seen(request), timezone.now()
        shift = self.one(at, shift_id)
        zone = planning.zone_of(at)
        span = shift.during.lower, shift.during.upper
        is_over, refused = span[1] <= now, ""
        taking_away = request.POST.get("do") == "take_away"
        said = {"modalities": shift.modalities, "capacity": shift.capacity}
        form = OnCallForm(
            request.POST if request.method == "POST" and not taking_away else None,
            initial=planning.initial(*span, zone) | said,
        )
        if request.method == "POST" and (taking_away or form.is_valid()):
            work = self.do_take_away if taking_away else self.do_change
            answer = doing.once(request, lambda: work(at, shift, form, now))
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        context = {
            "title": f"{shift.clinician.name} on call",
            "shift": shift,
            "span": clock.span(*span, zone),
            "states": sorted(set(shift.clinician.licences.values_list("state", flat=True))),
            "form": form,
            "refused": refused,
            "zone": zone.key,
            "is_over": is_over,
            "has_begun": span[0] <= now,
        }
        return self.page(
            request, "virtualcare/admin/on_call_shift.html", context, name="shift", status=422 if refused else 200
        )

    def do_change(self, at: Work, shift: OnCallShift, form: OnCallForm, now: datetime) -> Done:
        start, end = form.span(planning.zone_of(at), (shift.during.lower, shift.during.upper))
        on_call.change(
            shift=shift,
            start=start,
            end=end,
            modalities=form.cleaned_data["modalities"],
            capacity=form.cleaned_data["capacity"],
            actor=cast(User, at.user),
            now=now,
        )
        return Done("The shift is changed.", to=reverse("admin:virtualcare_oncallshift_changelist"))

    def do_take_away(self, at: Work, shift: OnCallShift, form: OnCallForm, now: datetime) -> Done:  # noqa: ARG002 - as do_change
        on_call.take_away(shift=shift, actor=cast(User, at.user), now=now)
        said = "The shift ends now." if shift.during.lower < now else "The shift is taken away."
        return Done(said, to=reverse("admin:virtualcare_oncallshift_changelist"))

    def history(self, request: HttpRequest, shift_id: uuid.UUID) -> HttpResponse:
        at = self.seen(request)
        shift = self.one(at, shift_id)
        context = {
            "title": f"History of the shift of {shift.clinician.name}",
            "lines": history_lines.lines(shift, planning.zone_of(at)),
            "back": reverse("admin:virtualcare_oncallshift_change", args=[shift.pk]),
            "back_to": "Back to the shift",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def theirs(self, at: Work) -> QuerySet[OnCallShift]:
        return OnCallShift.objects.filter(clinician__in=clinicians(at).values("pk")).select_related("clinician")

    def one(self, at: Work, shift_id: uuid.UUID) -> OnCallShift:
        found = self.theirs(at).filter(pk=shift_id).first()
        if found is None:
            raise Http404
        return found


def asked_state(request: HttpRequest) -> str:
    """The state that the form is about, where it is about one."""
    state = request.POST.get("state") or request.GET.get("state") or ""
    return state if len(state) == 2 and state.isascii() and state.isupper() else ""


def beginning(request: HttpRequest, zone: Any, now: datetime) -> dict[str, Any]:
    """What a new form says: eight hours from the hour that is asked for on, or nothing."""
    try:
        start = datetime.fromisoformat(request.GET.get("start", ""))
    except ValueError:
        return {}
    if start.tzinfo is None or not now - USUAL < start.astimezone(UTC) < now + on_call.FURTHEST:
        return {}
    asked = request.GET.get("modality")
    said = {"modalities": [asked]} if asked else {}
    return planning.initial(start, start + USUAL, zone) | said


site.links.append(  # type: ignore[attr-defined]
    Link(
        "Virtual care",
        "On-call shifts",
        "support_agent",
        "admin:virtualcare_oncallshift_changelist",
        lambda at: at.is_operator or bool(at.at(*PLANS)),
    )
)
