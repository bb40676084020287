"""The forms of hours: blocks of a weekday, and one day's shift."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import QueryDict

from clinics.models import Clinic
from scheduling import intervals
from scheduling.admin.days import FIRST, LAST
from scheduling.intervals import Block
from scheduling.models import VisitType
from scheduling.shifts import WeeklyBlock
from scheduling.shifts.weekly import WEEKDAYS

SPARE = 3  # empty rows behind those there are
MOST = 60  # rows of one form


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class DayField(forms.DateField):
    """A day that can be reckoned with."""

    widget = DayInput
    default_validators = [MinValueValidator(FIRST), MaxValueValidator(LAST)]


class ClockInput(forms.TimeInput):
    input_type = "time"

    def __init__(self) -> None:
        super().__init__(format="%H:%M")


class BlockForm(forms.Form):
    """A block of a weekday. Without times it is no block: that is how one is taken away."""

    weekday = forms.TypedChoiceField(coerce=int, choices=list(enumerate(WEEKDAYS)))
    starts = forms.TimeField(required=False, widget=ClockInput, label="From")
    ends = forms.TimeField(required=False, widget=ClockInput, label="To")

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        if (found.get("starts") is None) != (found.get("ends") is None) and not self.errors:
            raise forms.ValidationError("Give both times, or none to take this block away.")
        return found

    @property
    def is_block(self) -> bool:
        return self.cleaned_data.get("starts") is not None


class ClinicianBlockForm(BlockForm):
    """A clinician's block: also where, and for what."""

    clinic = forms.TypedChoiceField(coerce=uuid.UUID)
    visit_types = forms.TypedMultipleChoiceField(
        coerce=int, required=False, widget=forms.CheckboxSelectMultiple, label="Visits"
    )

    def __init__(self, *args: Any, clinics: Sequence[Clinic], visit_types: Sequence[VisitType], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["clinic"].choices = [(clinic.pk, clinic.name) for clinic in clinics]  # type: ignore[attr-defined]
        self.fields["visit_types"].choices = [(kind.pk, kind.name) for kind in visit_types]  # type: ignore[attr-defined]

    def block(self) -> WeeklyBlock:
        found = self.cleaned_data
        return WeeklyBlock(
            found["clinic"], found["weekday"], found["starts"], found["ends"], tuple(sorted(found["visit_types"]))
        )


class FromForm(forms.Form):
    from_on = DayField(label="From this day on")


class Rows:
    """Rows of BlockForms, some of them empty, numbered in their names."""

    def __init__(
        self,
        form: type[BlockForm],
        *,
        data: QueryDict | None,
        initial: Iterable[dict[str, Any]] = (),
        spare: int = SPARE,
        **options: Any,
    ) -> None:
        if data is None:
            self.forms = [
                form(prefix=f"row{number}", initial=row, **options)
                for number, row in enumerate([*initial, *([{}] * spare)])
            ]
        else:
            count = data.get("rows", "")
            rows = min(int(count), MOST) if count.isascii() and count.isdigit() and len(count) < 4 else 0
            self.forms = [form(data, prefix=f"row{number}", **options) for number in range(rows)]

    def __iter__(self) -> Any:
        return iter(self.forms)

    def __len__(self) -> int:
        return len(self.forms)

    def is_valid(self) -> bool:
        return not any(form.errors for form in self.forms)

    @property
    def blocks(self) -> list[Any]:
        return [form for form in self.forms if form.is_block]


def doors(rows: Rows) -> list[Block]:
    """What a form of opening hours says."""
    return [
        Block(form.cleaned_data["weekday"], form.cleaned_data["starts"], form.cleaned_data["ends"])
        for form in rows.blocks
    ]


class DayForm(forms.Form):
    """One shift of one day, on the clinic's clock. `ends` at or before `starts` is on the next day."""

    on = DayField(label="Day")
    starts = forms.TimeField(widget=ClockInput, label="From")
    ends = forms.TimeField(widget=ClockInput, label="To")
    visit_types = forms.TypedMultipleChoiceField(coerce=int, widget=forms.CheckboxSelectMultiple, label="Visits")

    def __init__(self, *args: Any, visit_types: Sequence[VisitType], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["visit_types"].choices = [(kind.pk, kind.name) for kind in visit_types]  # type: ignore[attr-defined]


def as_words(starts: time, ends: time) -> str:
    if starts == ends:
        return "all day"
    return f"{starts:%H:%M}–{ends:%H:%M}"  # noqa: RUF001


def day_words(day: date) -> str:
    return f"{day:%a}, {day:%b} {day.day}, {day.year}"


class SpanForm(forms.Form):
    """From one local time to another, as its clinic's clock has them."""

    first_day = DayField(label="From day")
    starts = forms.TimeField(widget=ClockInput, label="From")
    last_day = DayField(label="To day")
    ends = forms.TimeField(widget=ClockInput, label="To")
    reason = forms.CharField(max_length=200, label="Reason")

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """The instants, for which the form must be valid."""
        found = self.cleaned_data
        return (
            intervals.instant(found["first_day"], found["starts"], zone),
            intervals.instant(found["last_day"], found["ends"], zone),
        )
