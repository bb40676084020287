"""Rows that hold for a period, as two days in a form: its first, and the first after it."""

from datetime import date
from typing import Any

from django import forms
from django.contrib.admin import display
from django.db.backends.postgresql.psycopg_any import DateRange
from unfold.widgets import UnfoldAdminDateWidget


class PeriodForm(forms.ModelForm):  # type: ignore[type-arg]
    """`during` as two days, the second of which may be left open."""

    first_day = forms.DateField(widget=UnfoldAdminDateWidget)
    first_day_after = forms.DateField(
        widget=UnfoldAdminDateWidget, required=False, help_text="The first day on which it no longer holds, if known."
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        during = getattr(self.instance, "during", None)
        if during is not None:
            self.initial.update(first_day=during.lower, first_day_after=during.upper)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        first, after = found.get("first_day"), found.get("first_day_after")
        if first is not None:
            if after is not None and after <= first:
                self.add_error("first_day_after", "This is after the first day.")
            else:
                self.instance.during = DateRange(first, after)
                self.require_new(found)
        return found

    def require_new(self, found: dict[str, Any]) -> None:
        """Adds an error where the very same row is there: a form sent twice adds one."""
        same = {name: value for name, value in found.items() if not name.startswith("first_day")}
        others = type(self.instance)._default_manager.exclude(pk=self.instance.pk)  # noqa: SLF001 - Django documents it
        if self.instance.pk is None and others.filter(**same, during=self.instance.during).exists():
            self.add_error(None, "This row is there already.")


class Periods:
    """The columns of a list of such rows."""

    @display(description="From", ordering="during")
    def since(self, row: Any) -> date | None:
        return row.during.lower  # type: ignore[no-any-return]

    @display(description="Until, without")
    def until(self, row: Any) -> date | None:
        return row.during.upper  # type: ignore[no-any-return]
