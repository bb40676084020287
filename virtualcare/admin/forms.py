"""What patients are asked about each complaint, in the admin: written by one person, published by another."""

import json
import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from clinics.admin.site import site
from clinics.admin.staff import who
from virtualcare.admin.reviewing import TONES, ReviewedPages, seen_by
from virtualcare.intake import deciding, questions, writing
from virtualcare.intake.questions import Kind, Question, RedFlag
from virtualcare.models import IntakeForm

EXAMPLE_QUESTIONS = [
    {"code": "breathing", "text": "Is it hard to breathe?", "kind": "yes_no"},
    {"code": "how_bad", "text": "How bad is the pain, from 0 to 10?", "kind": "scale"},
]
EXAMPLE_FLAGS = [
    {"question": "breathing", "is": True, "advice": "911"},
    {"question": "how_bad", "at_least": 9, "advice": "er"},
]
HOW = {
    Kind.YES_NO: "yes or no",
    Kind.CHOICE: "one of",
    Kind.CHOICES: "any of",
    Kind.SCALE: "0 to 10",
    Kind.TEXT: "in their own words",
}
TESTED = {"at_least": "at least", "at_most": "at most", "more_than": "more than", "less_than": "less than"}


class JsonField(forms.CharField):
    """A list as JSON in a text, with where it cannot be read."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return []
        try:
            return json.loads(text)
        except json.JSONDecodeError as error:
            where = f"line {error.lineno}, column {error.colno}"
            raise forms.ValidationError(f"This is not JSON: {where}: {error.msg}.") from error
        except (ValueError, RecursionError) as error:  # a number too long, or nested too deep
            raise forms.ValidationError("This cannot be read.") from error


class FormForm(forms.Form):
    complaint = forms.CharField(max_length=40, help_text="Small letters, digits and underscores, such as sore_throat.")
    name = forms.CharField(max_length=80, help_text="As patients read it, such as Sore throat.")
    acuity = forms.IntegerField(min_value=1, max_value=5, help_text="1 is seen soonest, 5 last.")
    questions = JsonField(
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false"}),
        help_text="A list of {code, text, kind}; kinds: yes_no, choice and choices (options), number (min, max, unit), "
        'scale, text (max_length). "required": false for what may be left out.',
    )
    red_flags = JsonField(
        max_length=60_000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
        help_text="A list of {question, advice} and one of is, one_of, at_least, at_most, more_than, less_than; advice "
        "is 911, 988 or er. Any one of them sends the patient there.",
    )
    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def fields_of_a_form(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("name", "acuity", "questions", "red_flags")}


@admin.register(IntakeForm, site=site)
class IntakeFormAdmin(ReviewedPages):
    icon = "quiz"
    template = "virtualcare/admin/form.html"

    def of_kind(self, version: IntakeForm) -> Any:
        return IntakeForm.objects.filter(complaint=version.complaint).order_by("-version")

    def in_force(self, **_: Any) -> Any:
        return IntakeForm.objects.in_force()

    def label(self, version: IntakeForm) -> str:
        return version.name

    def seen_in(self, version: IntakeForm) -> dict[str, Any]:
        asked = questions.asked_by(version)
        return {
            "questions": [(question, answered(question)) for question in asked],
            "flags": [
                (told(flag, asked), flag.advice.label)
                for flag in sorted(questions.flags_of(version), key=deciding.urgency)
            ],
        }

    def versions(self, request: HttpRequest) -> HttpResponse:
        """Each complaint, with the version in force and its draft."""
        self.seen(request)
        rows: dict[str, dict[str, Any]] = {}
        forces = set(IntakeForm.objects.in_force().values_list("pk", flat=True))
        for form in IntakeForm.objects.order_by("complaint", "-version"):
            row = rows.setdefault(form.complaint, {"last": form, "draft": None, "published": None, "state": "draft"})
            if form.published_at is None:
                row["draft"] = form
            elif row["published"] is None:
                row["published"] = form
                row["state"] = "in force" if form.pk in forces else "retired"
        for row in rows.values():
            row["tone"] = {"in force": "good", "retired": "bad"}.get(row["state"], TONES["draft"])
        context = {"title": "What patients are asked", "rows": list(rows.values()), "add_url": self.address("add")}
        return self.page(request, "virtualcare/admin/forms.html", context, name="list")

    def begin(self, request: HttpRequest) -> HttpResponse:
        """The first draft of a new complaint."""
        at, now = self.seen(request), timezone.now()
        begun = {"questions": pretty(EXAMPLE_QUESTIONS), "red_flags": pretty(EXAMPLE_FLAGS), "acuity": 3}
        form = FormForm(request.POST or None, initial=begun)

        def write() -> IntakeForm:
            return writing.draft_form(
                complaint=form.cleaned_data["complaint"], actor=who(at), now=now, **form.fields_of_a_form()
            )

        return self.asked(request, form, write, title="A new complaint", back=self.address("changelist"))

    def edit(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        """A draft, changed; or a new draft that begins with what a published version says."""
        at, now = self.seen(request), timezone.now()
        version: IntakeForm = self.found(version_id)
        is_draft = version.published_at is None
        begun = {
            "complaint": version.complaint,
            "name": version.name,
            "acuity": version.acuity,
            "questions": pretty(version.questions),
            "red_flags": pretty(version.red_flags),
            "seen": version.written_at.isoformat(),
        }
        form = FormForm(request.POST or None, initial=begun)
        form.fields["complaint"].disabled = True

        def write() -> IntakeForm:
            if not is_draft:
                return writing.draft_form(
                    complaint=version.complaint, actor=who(at), now=now, **form.fields_of_a_form()
                )
            writing.revise_form(form=version, seen=seen_by(request), actor=who(at), now=now, **form.fields_of_a_form())
            return version

        title = f"{version.name}, {'draft' if is_draft else 'a new version'}"
        return self.asked(request, form, write, title=title, back=self.address("change", version.pk))


def pretty(value: Any) -> str:
    """JSON as people edit it: an entry of the list on each line or two."""
    lines = ",\n".join(f"  {json.dumps(entry, ensure_ascii=False)}" for entry in value)
    return f"[\n{lines}\n]" if value else "[]"


def answered(question: Question) -> str:
    """How a question is answered, in words."""
    match question.kind:
        case Kind.CHOICE | Kind.CHOICES:
            said = f"{HOW[question.kind]}: {', '.join(text for _, text in question.options)}"
        case Kind.NUMBER:
            said = f"{question.least:g} to {question.most:g} {question.unit}".rstrip()
        case _:
            said = HOW[question.kind]
    return said if question.is_required else f"{said}; may be left out"


def told(flag: RedFlag, asked: list[Question]) -> str:
    """When a red flag is raised, in words."""
    question = next(one for one in asked if one.code == flag.question)
    texts = dict(question.options)
    match flag.test:
        case "is" if isinstance(flag.value, bool):
            value = "yes" if flag.value else "no"
        case "is":
            value = texts.get(flag.value, f"{flag.value}")
        case "one_of":
            value = " or ".join(texts[code] for code in flag.value)
        case _:
            value = f"{TESTED[flag.test]} {flag.value:g} {question.unit}".rstrip()
    return f"{question.text} {value}"
