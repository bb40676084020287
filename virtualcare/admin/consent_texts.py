"""What patients agree to, in the admin: written by one person, published by another."""

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinics import people, states
from clinics.admin.site import site
from clinics.admin.staff import who
from virtualcare.admin.reviewing import TONES, ReviewedPages, seen_by, state_of
from virtualcare.intake import consents, writing
from virtualcare.models import ConsentText, Modality

KEY = ("code", "modality", "state")


class DayInput(forms.DateInput):
    input_type = "date"


class TextForm(forms.Form):
    code = forms.CharField(
        max_length=40, help_text=f"Such as {consents.ALWAYS}, without which nobody is taken in; others go beside it."
    )
    modality = forms.ChoiceField(choices=[("", "text and video"), *Modality.choices], required=False)
    state = forms.ChoiceField(choices=[("", "all"), *states.NAMES.items()], required=False)
    body = forms.CharField(max_length=writing.LONGEST_BODY, widget=forms.Textarea(attrs={"rows": 18}))
    from_on = forms.DateField(label="From", widget=DayInput, help_text="First day on which it is asked for.")
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


@admin.register(ConsentText, site=site)
class ConsentTextAdmin(ReviewedPages):
    icon = "contract"
    template = "virtualcare/admin/consent_text.html"

    def of_kind(self, version: ConsentText) -> Any:
        return ConsentText.objects.filter(**{name: getattr(version, name) for name in KEY}).order_by("-version")

    def in_force(self, *, now: datetime) -> Any:
        return ConsentText.objects.in_force(on=people.today_at_home(now))

    def label(self, version: ConsentText) -> str:
        return f"{version.code} for {where(version)}"

    def seen_in(self, version: ConsentText) -> dict[str, Any]:
        return {"where": where(version)}

    def versions(self, request: HttpRequest) -> HttpResponse:
        """All versions, by what they are one of: the newest first."""
        self.seen(request)
        now = timezone.now()
        today, forces = people.today_at_home(now), set(self.in_force(now=now).values_list("pk", flat=True))
        found = ConsentText.objects.order_by(*KEY, "-version")
        rows = [(text, where(text), state := state_of(text, forces, today=today), TONES[state]) for text in found]
        context = {"title": "What patients agree to", "rows": rows, "add_url": self.address("add")}
        return self.page(request, "virtualcare/admin/consent_texts.html", context, name="list")

    def begin(self, request: HttpRequest) -> HttpResponse:
        """The first draft of a text for its code, modality and state."""
        at, now = self.seen(request), timezone.now()
        form = TextForm(request.POST or None, initial={"code": consents.ALWAYS, "from_on": people.today_at_home(now)})

        def write() -> ConsentText:
            asked = {name: form.cleaned_data[name] for name in (*KEY, "body", "from_on")}
            return writing.draft_text(**asked, actor=who(at), now=now)

        return self.asked(request, form, write, title="A new consent text", back=self.address("changelist"))

    def edit(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        """A draft, changed; or a new draft that begins with what a published version says."""
        at, now = self.seen(request), timezone.now()
        version: ConsentText = self.found(version_id)
        is_draft = version.published_at is None
        today = people.today_at_home(now)
        begun = {
            **{name: getattr(version, name) for name in (*KEY, "body")},
            "from_on": version.from_on if is_draft else max(today, version.from_on),
            "seen": version.written_at.isoformat(),
        }
        form = TextForm(request.POST or None, initial=begun)
        for name in KEY:
            form.fields[name].disabled = True

        def write() -> ConsentText:
            said = {"body": form.cleaned_data["body"], "from_on": form.cleaned_data["from_on"]}
            if not is_draft:
                key = {name: getattr(version, name) for name in KEY}
                return writing.draft_text(**key, **said, actor=who(at), now=now)
            writing.revise_text(text=version, seen=seen_by(request), **said, actor=who(at), now=now)
            return version

        title = f"{self.label(version)}, {'draft' if is_draft else 'a new version'}"
        return self.asked(request, form, write, title=title, back=self.address("change", version.pk))


def where(text: ConsentText) -> str:
    """Such as `video in Ohio`."""
    how = text.modality or "text and video"
    return f"{how} in {states.NAMES[text.state]}" if text.state else f"{how} everywhere"
