"""What every list and page of records has in common: who sees which rows, and that it is on record who saw them."""

import uuid
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Never

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import DateTimeField, Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from unfold.admin import ModelAdmin

from clinics import audit, people
from clinics.admin import clock, doing, history_lines, work
from clinics.admin.work import Role, Work
from clinics.audit import AccessEvent
from clinics.models import StaffRole, User


class ScopedAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that `visible_to` shows to who is at work, to read. Changes are pages and actions that call use cases.

    `roles` open it, at whatever clinic; `for_operators` opens it to those who run the server, who see no patients'
    data. `patient_of` says whose record a row is, so that reading it is on record.
    """

    section: ClassVar[str] = ""
    # What the pages show, in the access log's words, where that is not all of a record: by the page's name.
    what: ClassVar[dict[str, AccessEvent.What]] = {}
    icon: ClassVar[str] = "list"
    roles: ClassVar[tuple[Role, ...]] = StaffRole.CARE
    for_operators: ClassVar[bool] = False

    actions = None
    list_per_page = 50
    list_max_show_all = 50
    show_full_result_count = False
    list_filter_sheet = False
    list_disable_select_all = True
    view_on_site = False

    # Who may do what

    def opens_to(self, at: Work) -> bool:
        return (self.for_operators and at.is_operator) or bool(at.at(*self.roles))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.opens_to(work.of(request))

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - rows are scoped
        return self.opens_to(work.of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - an override
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - an override
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - an override
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:  # noqa: ARG002
        """Only by the filters that are shown: otherwise a column could be guessed that is not."""
        filters = self.get_list_filter(request) if request else self.list_filter
        names = (getattr(one, "parameter_name", one) for one in filters)
        return any(isinstance(name, str) and lookup in (name, f"{name}__exact") for name in names)

    # Which rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        at = work.of(request)
        if at.user is None or not self.opens_to(at):
            rows: QuerySet[Any] = self.model.objects.none()
        else:
            rows = self.scoped(at, user=at.user, now=timezone.now())
        ordering = self.get_ordering(request)
        return rows.order_by(*ordering) if ordering else rows

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - for those who narrow it
        """The rows that `user` sees at work. An override narrows this: by `at.clinics`, for example."""
        return self.model.objects.visible_to(user, on=people.today_of(user, now=now))  # type: ignore[no-any-return]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def _get_obj_does_not_exist_redirect(self, *_: Any) -> Never:
        raise Http404

    # That it was read

    def patient_of(self, row: Any) -> uuid.UUID | None:  # noqa: ARG002 - an override
        """Whose record `row` is, where it is somebody's."""
        return None

    def shows(self, request: HttpRequest, patients: Iterable[uuid.UUID | None], page: str) -> None:
        """Put on record that who is at work reads these patients' data, on this page. In the reading's transaction."""
        user = work.of(request).user
        shown = {patient for patient in patients if patient is not None}
        if user is not None and shown:
            record(user, shown, page=f"admin:{self.model._meta.model_name}:{page}", what=self.what.get(page))  # noqa: SLF001

    def zone_of(self, at: Work, row: Any) -> tzinfo:
        """The zone to show the times of `row` in."""
        return clock.zone_of(at, row)

    def get_list_display(self, request: HttpRequest) -> Any:
        """Instants are on a clinic's clock: Django would write them in UTC, without saying so."""
        at = work.of(request)
        instants = {field.name: field for field in self.model._meta.fields if isinstance(field, DateTimeField)}  # noqa: SLF001
        return [
            clock.column(instants[name], lambda row: self.zone_of(at, row)) if name in instants else name
            for name in super().get_list_display(request)
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        with transaction.atomic():
            response = super().changelist_view(request, extra_context)
            if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
                rows = list(response.context_data["cl"].result_list)
                self.shows(request, (self.patient_of(row) for row in rows), "list")
                response.render()
            return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        with transaction.atomic():
            response = super().changeform_view(request, object_id, form_url, extra_context)
            if isinstance(response, TemplateResponse) and response.context_data:
                row = response.context_data.get("original")
                self.shows(request, [self.patient_of(row)] if row else [], "page")
                response.render()
            return response

    def history_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:  # noqa: ARG002
        """Who changed what of a record, for those who see it: as the database kept it, not as Django's admin notes."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        with transaction.atomic():
            row = self.get_object(request, object_id)
            back = request.path.removesuffix("history/") + "change/"
            told = history_lines.lines(row, clock.zone_of(work.of(request), row))
            context = {"title": f"History of {row}", "lines": told, "back": back}
            return self.page(
                request, "clinics/admin/history.html", context, patients=[self.patient_of(row)], name="history"
            )

    def page(
        self,
        request: HttpRequest,
        template: str,
        context: dict[str, Any],
        *,
        patients: Iterable[uuid.UUID | None] = (),
        name: str = "page",
        status: int = 200,
    ) -> HttpResponse:
        """A page of our own, in the admin's frame, that shows these patients' data. `context` has its `title`."""
        with transaction.atomic():
            self.shows(request, patients, name)
            request.current_app = self.admin_site.name
            shown = {**self.admin_site.each_context(request), "opts": None, "once": doing.new_key(), **context}
            return TemplateResponse(request, template, shown, status=status).render()

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return super().log_addition(request, obj, message) if self.patient_of(obj) is None else None

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return super().log_change(request, obj, message) if self.patient_of(obj) is None else None


def record(user: User, patients: set[uuid.UUID], *, page: str, what: AccessEvent.What | None = None) -> None:
    """Put on record that `user` is shown these patients' data, by a page such as `admin:appointment:list`."""
    audit.shown(
        viewer=user,
        patients=patients,
        page=page,
        now=timezone.now(),
        via=AccessEvent.Via.ADMIN,
        what=what or AccessEvent.What.RECORD,
    )
