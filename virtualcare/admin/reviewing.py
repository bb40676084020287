"""What the pages of forms and of consent texts have in common: versions, a second person who publishes, retiring."""

import uuid
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, ClassVar, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics import people
from clinics.admin import clock, doing, history_lines
from clinics.admin.doing import Done
from clinics.admin.places import Pages
from clinics.admin.staff import who
from clinics.admin.work import Work
from clinics.refusals import Refused
from virtualcare.intake import writing
from virtualcare.models import ConsentText, IntakeForm

TONES = {"draft": "warn", "published": "good", "retired": "bad", "superseded": ""}
PUBLISHED = "It is published: patients are asked it from now on."


class ReviewedPages(Pages):
    """Pages of versions of something, below the address of its list. Its own pages are a subclass's."""

    section = "Virtual care"
    roles = writing.ROLES
    template: ClassVar[str]  # of a version's page

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.versions),
            ("new/", "add", self.begin),
            ("<uuid:version_id>/", "change", self.version),
            ("<uuid:version_id>/edit/", "edit", self.edit),
            ("<uuid:version_id>/history/", "history", self.history),
            ("<uuid:version_id>/publish/", "publish", self.publish),
            ("<uuid:version_id>/discard/", "discard", self.discard),
            ("<uuid:version_id>/retire/", "retire", self.retire),
        ]

    # A subclass's

    def of_kind(self, version: Any) -> Any:
        """All versions of what `version` is one of, the newest first."""
        raise NotImplementedError

    def in_force(self, *, now: datetime) -> Any:
        raise NotImplementedError

    def seen_in(self, version: Any) -> dict[str, Any]:
        """What its page shows of it, besides what all pages show."""
        raise NotImplementedError

    def label(self, version: Any) -> str:
        """What it is a version of, in words."""
        raise NotImplementedError

    def versions(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    def begin(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    def edit(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        raise NotImplementedError

    # Common to both

    def found(self, version_id: uuid.UUID) -> Any:
        """Raises Http404."""
        version = self.model.objects.select_related("written_by", "published_by", "retired_by").filter(pk=version_id)
        found = version.first()
        if found is None:
            raise Http404
        return found

    def version(self, request: HttpRequest, version_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        version, zone = self.found(version_id), clock.zone_of(at)
        forces = set(self.in_force(now=now).values_list("pk", flat=True))
        versions = list(self.of_kind(version))
        today = people.today_at_home(now)
        state = state_of(version, forces, today=today)
        context = {
            "title": f"{self.label(version)}, version {version.version}",
            "version": version,
            "state": state,
            "tone": TONES[state],
            "written": clock.when(version.written_at, zone),
            "published": clock.when(version.published_at, zone) if version.published_at else "",
            "retired": clock.when(version.retired_at, zone) if version.retired_at else "",
            "seen": version.written_at.isoformat(),
            "is_draft": version.published_at is None,
            "is_in_force": version.pk in forces,
            "is_own": version.written_by_id == who(at).pk,
            "has_draft": any(one.published_at is None for one in versions),
            "versions": [(one, state_of(one, forces, today=today), self.address("change", one.pk)) for one in versions],
            "refused": refused,
            "urls": {
                name: self.address(name, version.pk) for name in ("edit", "history", "publish", "discard", "retire")
            },
            "list_url": self.address("changelist"),
            **self.seen_in(version),
        }
        return self.page(request, self.template, context, status=422 if refused else 200)

    def history(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        """Each save of a draft, its publication and its end, as the database kept them."""
        at = self.seen(request)
        version = self.found(version_id)
        context = {
            "title": f"History of {self.label(version)}, version {version.version}",
            "lines": history_lines.lines(version, clock.zone_of(at)),
            "back": self.address("change", version.pk),
            "back_to": "Back to this version",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def publish(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        def work(version: Any, at: Work, now: datetime) -> Done:
            writing.publish(version=version, seen=seen_by(request), actor=who(at), now=now)
            return Done(PUBLISHED, to=self.address("change", version.pk))

        return self.done(request, version_id, work)

    def discard(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        def work(version: Any, at: Work, now: datetime) -> Done:  # noqa: ARG001 - as for the others
            writing.discard(version=version, seen=seen_by(request), actor=who(at))
            return Done("The draft is thrown away.", to=self.address("changelist"))

        return self.done(request, version_id, work)

    def retire(self, request: HttpRequest, version_id: uuid.UUID) -> HttpResponse:
        def work(version: Any, at: Work, now: datetime) -> Done:
            writing.retire(version=version, actor=who(at), now=now)
            return Done("It is retired: nobody is asked it any more.", to=self.address("change", version.pk))

        return self.done(request, version_id, work)

    def done(
        self, request: HttpRequest, version_id: uuid.UUID, work: Callable[[Any, Work, datetime], Done]
    ) -> HttpResponse:
        at, now = self.seen(request), timezone.now()
        version = self.found(version_id)
        if request.method != "POST":
            raise Http404
        answer = doing.once(request, lambda: work(version, at, now))
        return answer if isinstance(answer, HttpResponse) else self.version(request, version_id, refused=answer.detail)

    def asked(
        self, request: HttpRequest, form: Any, write: Callable[[], IntakeForm | ConsentText], *, title: str, back: str
    ) -> HttpResponse:
        """A form for a draft, or what it asks for done: then the version's page is next."""
        problems: list[str] = []
        if request.method == "POST" and form.is_valid():

            def work() -> Done:
                to = self.address("change", write().pk)
                return Done("The draft is kept. Somebody else reads and publishes it.", to=to)

            answer = doing.once(request, work)
            if isinstance(answer, HttpResponse):
                return answer
            problems = problems_of(answer)
        context = {"title": title, "form": form, "problems": problems, "back": back}
        status = 422 if problems or form.errors else 200
        return self.page(request, "virtualcare/admin/write.html", context, status=status)

    def address(self, name: str, *ids: uuid.UUID) -> str:
        model = self.model._meta  # noqa: SLF001 - Django documents it
        return reverse(f"admin:{model.app_label}_{model.model_name}_{name}", args=ids)


def problems_of(refused: Refused) -> list[str]:
    return cast(list[str], refused.extra.get("problems")) or [refused.detail]


def state_of(version: Any, forces: set[uuid.UUID], *, today: date) -> str:
    """In a word: draft, retired, published (now or from a day to come), or superseded by a later version."""
    is_ahead = isinstance(version, ConsentText) and version.from_on > today
    if version.stage == "published" and version.pk not in forces and not is_ahead:
        return "superseded"
    return str(version.stage)


def seen_by(request: HttpRequest) -> datetime:
    """As which the draft was read by who sends a form. Raises DraftChanged for what cannot be."""
    try:
        seen = datetime.fromisoformat(request.POST.get("seen", ""))
    except ValueError:
        raise writing.DraftChanged from None
    if seen.tzinfo is None:
        raise writing.DraftChanged
    return seen
