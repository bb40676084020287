"""Organizations, clinics and rooms: whose are whose, and what may be changed of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path

from clinics.admin import work
from clinics.admin.scoped import ScopedAdmin
from clinics.admin.site import site
from clinics.admin.work import Role, Work
from clinics.models import Calendar, Clinic, Organization, Room, StaffRole, User


def places(at: Work, *roles: Role) -> QuerySet[Clinic]:
    """The clinics at which somebody has one of `roles`; for those who run the server all."""
    clinics = Clinic.objects.all()
    return clinics if at.is_operator else clinics.filter(pk__in=at.at(*roles))


class Pages(ScopedAdmin):
    """Pages of our own instead of Django's lists and forms, below the address of the list."""

    for_operators = True

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        """Route, name behind the model's, and view; the list's name is `changelist`."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        prefix = f"{self.model._meta.app_label}_{self.model._meta.model_name}"  # noqa: SLF001 - Django documents it
        return [
            path(route, self.admin_site.admin_view(view), name=f"{prefix}_{name}") for route, name, view in self.pages()
        ]

    def seen(self, request: HttpRequest) -> Work:
        """Who is at work. Raises PermissionDenied for those whom these pages are not for."""
        at = work.of(request)
        if not self.opens_to(at):
            raise PermissionDenied
        return at


class HouseAdmin(ScopedAdmin):
    """Records of the house, not of patients: those who run the server add them and change what is safe to change.

    `fixed` are fields that are right from the beginning or never: visits, shifts or bills rely on them.
    """

    for_operators = True
    fixed: ClassVar[tuple[str, ...]] = ()
    is_changed = True
    is_added = True

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.is_added and work.of(request).is_operator

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - an override
        return self.is_changed and work.of(request).is_operator

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002
        return self.fixed if obj is not None else ()

    def scoped(self, at: Work, *, user: User, now: datetime) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return self.in_house(at, places(at, *self.roles))

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:
        """The rows that belong to the clinics of who is at work."""
        raise NotImplementedError


@admin.register(Organization, site=site)
class OrganizationAdmin(HouseAdmin):
    section, icon = "Places", "corporate_fare"
    list_display = ("name", "kind", "slug")
    list_filter = ("kind",)
    search_fields = ("name",)
    ordering = ("name", "pk")
    fields = ("name", "kind", "slug")
    fixed = ("kind", "slug")

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:
        everything = Organization.objects.all()
        return everything if at.is_operator else everything.filter(pk__in=clinics.values("health_system"))


@admin.register(Clinic, site=site)
class ClinicAdmin(HouseAdmin):
    section, icon = "Places", "home_health"
    list_display = ("name", "health_system", "city", "state", "time_zone", "opens_on", "closes_on")
    list_select_related = ("health_system",)
    search_fields = ("name", "city", "postal_code")
    ordering = ("name", "pk")
    fields = (
        "name", "brand", "slug", "health_system", "street", "city", "state", "postal_code", "latitude", "longitude",
        "time_zone", "phone", "opens_on", "closes_on",
    )  # fmt: skip
    # Shifts were made in its zone and between its days, and clinicians are licensed for its state.
    fixed = ("slug", "health_system", "state", "time_zone", "opens_on", "closes_on")

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return clinics


@admin.register(Room, site=site)
class RoomAdmin(HouseAdmin):
    """Those who work at a clinic take its rooms out of use, and back; visits that have a room keep it."""

    section, icon = "Places", "meeting_room"
    list_display = ("name", "clinic", "kind", "in_use")
    list_filter = ("in_use", "kind")
    list_select_related = ("clinic",)
    search_fields = ("name", "clinic__name")
    ordering = ("clinic__name", "name", "pk")
    fields = ("clinic", "name", "kind", "in_use")
    fixed = ("clinic", "kind")
    uses: ClassVar[tuple[Role, ...]] = (StaffRole.Role.FRONT_DESK, StaffRole.Role.MANAGER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        at = work.of(request)
        return at.is_operator or (obj.clinic_id in at.at(*self.uses) if obj else bool(at.at(*self.uses)))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        is_operator = work.of(request).is_operator
        return super().get_readonly_fields(request, obj) if is_operator else (*self.fixed, "name")

    def in_house(self, at: Work, clinics: QuerySet[Clinic]) -> QuerySet[Any]:  # noqa: ARG002 - an override
        return Room.objects.filter(clinic__in=clinics.values("pk"))

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        if isinstance(obj, Room) and not change:
            obj.calendar = Calendar.objects.create(kind=Calendar.Kind.ROOM)
            obj.save(force_insert=True)
        else:
            super().save_model(request, obj, form, change)
