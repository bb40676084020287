"""How an employer's files are read, and inviting those on its roster: for its benefit staff and operators."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics.admin import doing
from clinics.admin.doing import Done
from clinics.admin.places import Pages
from clinics.admin.site import site
from clinics.admin.work import Work
from memberships import rosters
from memberships.admin.employers import served_one, to_employer
from memberships.employers import inviting
from memberships.models import Relationship, RosterMapping, SponsorInvitation
from memberships.rosters.reading import COLUMNS, REQUIRED

LONGEST = 100
CHOOSE = "Choose whom to invite, or invite everybody."


class MappingForm(forms.Form):
    """A field for each of our columns, named as it is; then words and dates."""

    dates = forms.ChoiceField(label="Dates, besides 2026-12-31, are", choices=RosterMapping.Dates.choices)
    words = forms.CharField(
        label="Words for relationships",
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 5, "cols": 40, "placeholder": "kin = child"}),
        help_text=f"One a line, with what it is: {', '.join(Relationship.values)}. Common words are known already.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in COLUMNS:
            needed = "" if name in REQUIRED else " (may be missing)"
            self.fields[name] = forms.CharField(
                label=f"{name}{needed}",
                required=False,
                max_length=LONGEST,
                widget=forms.TextInput(attrs={"placeholder": name}),
            )
        self.order_fields([*COLUMNS, "dates", "words"])

    def clean_words(self) -> dict[str, str]:
        """Our relationship for each word."""
        told = {}
        for line in filter(None, map(str.strip, self.cleaned_data["words"].splitlines())):
            word, _, what = (part.strip() for part in line.rpartition("="))
            if not word or what.lower() not in Relationship.values:
                raise forms.ValidationError(f"“{line[:60]}” is not a word = one of {', '.join(Relationship.values)}.")
            told[word] = what.lower()
        return told

    def wanted(self) -> dict[str, Any]:
        """What `rosters.set_mapping` takes."""
        asked = self.cleaned_data
        columns = {name: asked[name] for name in COLUMNS if asked[name]}
        return {"columns": columns, "relationships": asked["words"], "dates": asked["dates"]}


def begun_with(mapping: RosterMapping) -> dict[str, Any]:
    words = "\n".join(f"{word} = {what}" for word, what in mapping.relationships.items())
    return {**mapping.columns, "dates": mapping.dates, "words": words}


@admin.register(RosterMapping, site=site)
class MappingAdmin(Pages):
    def opens_to(self, at: Work) -> bool:
        return at.serves_employers

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [("<uuid:employer_id>/", "changelist", self.mapping)]

    def mapping(self, request: HttpRequest, employer_id: uuid.UUID) -> HttpResponse:
        """What an employer's files call our columns, to be changed."""
        employer = served_one(self.seen(request), employer_id)
        form = MappingForm(request.POST or None, initial=begun_with(rosters.mapping_of(employer)))
        refused = ""
        if request.method == "POST" and form.is_valid():

            def work() -> Done:
                rosters.set_mapping(employer=employer, **form.wanted())
                return Done("The next file is read so.", to=to_employer(employer.pk))

            answer = doing.once(request, work)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        context = {"title": f"How files of {employer.name} are read", "employer": employer, "form": form}
        status = 422 if refused or form.errors else 200
        template = "memberships/admin/mapping.html"
        return self.page(request, template, {**context, "refused": refused}, status=status)


@admin.register(SponsorInvitation, site=site)
class InvitationAdmin(Pages):
    def opens_to(self, at: Work) -> bool:
        return at.serves_employers

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [("<uuid:employer_id>/", "changelist", self.invite)]

    def invite(self, request: HttpRequest, employer_id: uuid.UUID) -> HttpResponse:
        """Ask for mails to those chosen on the page of who is on the roster, or to everybody.

        What is answered is the same whoever has claimed, and so is the time that it takes.
        """
        employer, now = served_one(self.seen(request), employer_id), timezone.now()
        chosen = chosen_in(request.POST.getlist("people"))
        everybody = request.POST.get("whom") == "everybody"
        if request.method not in ("GET", "HEAD", "POST"):
            raise Http404
        refused = CHOOSE if request.method == "POST" and not chosen and not everybody else ""
        if request.method == "POST" and not refused:

            def work() -> Done:
                count = inviting.ask(employer=employer, people_ids=None if everybody else chosen, now=now)
                return Done(said(count), to=reverse("admin:memberships_roster_enrollment", args=[employer.pk]))

            answer = doing.once(request, work)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        context = {"title": f"Invite people of {employer.name}", "employer": employer, "refused": refused}
        return self.page(request, "memberships/admin/invite.html", context, status=422 if refused else 200)


def chosen_in(texts: Sequence[str]) -> list[uuid.UUID]:
    """The ids among `texts`, as many as one page has, at most. What is none is left out."""
    found = []
    for text in texts[:LONGEST]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def said(count: int) -> str:
    people = "1 person" if count == 1 else f"{count} people"
    return f"{people} with an e-mail address: who had no mail this week gets one, also who has claimed."
