"""Showing what a change of hours would do, and doing it once that was accepted by its digest."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from clinics.admin import doing, work
from clinics.admin.doing import Done
from clinics.refusals import Refused
from scheduling.admin import hours_shown
from scheduling.admin.hours_shown import Shown
from scheduling.shifts import Diff, DiffChanged


@dataclass(frozen=True)
class Asked:
    """What is shown for a change that was not done: what it would do, or why it cannot be."""

    diff: Shown | None = None
    refused: str = ""
    is_outdated: bool = False

    @property
    def status(self) -> int:
        return 409 if self.is_outdated else 422 if self.refused else 200


def ask(
    request: HttpRequest, *, preview: Callable[[], Diff], change: Callable[[str], Diff], done: Callable[[Diff], Done]
) -> HttpResponse | Asked:
    """Do the change where the form accepts a diff's digest and that is what would happen; otherwise show what would.

    A form has two buttons: `do=look` and `do=confirm`. What was changed in it since the look has another digest.
    """
    outdated = False
    if request.POST.get("do") == "confirm":
        answer = doing.once(request, lambda: done(change(request.POST.get("accept", ""))))
        if isinstance(answer, HttpResponse):
            return answer
        if not isinstance(answer, DiffChanged):
            return Asked(refused=answer.detail)
        outdated = True
    try:
        return Asked(hours_shown.of(preview(), work.of(request)), is_outdated=outdated)
    except Refused as refused:
        return Asked(refused=refused.detail)
