"""The site itself: who may enter, how they sign in, what stands in the sidebar and on the first page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, URLResolver, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from unfold.sites import UnfoldAdminSite

from clinics.admin import work
from clinics.admin.work import Work

# In the order of the sidebar. Records that name no section stand in none, and are reached from others.
SECTIONS = [
    *("Front desk", "Virtual care", "Payments", "Hours", "Messages", "Employers", "Places", "Accounts"),
    "History",
]
# What Django's site has and nothing here needs: it leads to any object's own page by type and id.
UNUSED = {"view_on_site"}


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the sidebar for a page that is no list of records. `to` names its address."""

    section: str
    title: str
    icon: str
    to: str
    is_for: Callable[[Work], bool]


@dataclass(frozen=True, slots=True)
class Panel:
    """A part of the first page: a template, and what it needs to know for who is at work."""

    template: str
    context: Callable[[HttpRequest, Work], dict[str, Any]]


class Asking(NamedTuple):
    """What asks for somebody on the first page: how many of which thing (one of them), and the list of just these."""

    number: int
    thing: str
    said: str
    address: str


class Site(UnfoldAdminSite):  # type: ignore[misc]  # unfold ships no types
    site_title = site_header = "Sameday"
    index_title = "Today"
    index_template = "clinics/admin/index.html"
    empty_value_display = "-"

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.links: list[Link] = []
        self.panels: list[Panel] = []
        # What stands under "Look at these" besides this app's own, for who is at work at an instant.
        self.asking: list[Callable[[Work, datetime], Sequence[Asking]]] = []

    def has_permission(self, request: HttpRequest) -> bool:
        return work.of(request).may_enter

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Where `admin_view` sends those who may not enter: to the pages where staff sign in (clinics.entrance)."""
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"))

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """On the pages where staff sign in: there guessing is capped, and the owner told."""
        return HttpResponseRedirect(reverse("account_change_password"))

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        return HttpResponseRedirect(reverse("mfa_index"))

    def get_urls(self) -> list[URLPattern | URLResolver]:
        return [entry for entry in super().get_urls() if getattr(entry, "name", None) not in UNUSED]

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002
        """Nothing: Unfold's search over all records keeps what somebody found, after they may no longer see it."""
        return HttpResponse()

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        # Unfold writes colours as a <style> into each page, which our policy refuses: ours stand in a file.
        return {**super().each_context(request), "colors": None, "work": work.of(request)}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        at_work = work.of(request)
        with transaction.atomic():  # what it shows is on record with the showing
            panels = [(panel.template, panel.context(request, at_work)) for panel in self.panels]
            return super().index(request, {**(extra_context or {}), "panels": panels}).render()

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The records and pages that are for who is at work, in SECTIONS."""
        entries: dict[str, list[dict[str, Any]]] = {section: [] for section in SECTIONS}
        for model, model_admin in self._registry.items():
            section = getattr(model_admin, "section", "")
            if section and model_admin.has_view_permission(request):
                name = f"{self.name}:{model._meta.app_label}_{model._meta.model_name}_changelist"  # noqa: SLF001 - documented
                title = str(model._meta.verbose_name_plural).capitalize()  # noqa: SLF001 - documented
                entries[section].append(self.entry(request, title, model_admin.icon, reverse(name)))
        for link in self.links:
            if link.is_for(work.of(request)):
                entries[link.section].append(self.entry(request, link.title, link.icon, reverse(link.to)))
        today = {"title": "", "items": [self.entry(request, "Today", "today", reverse(f"{self.name}:index"))]}
        return [today, *({"title": section, "items": items} for section, items in entries.items() if items)]

    def entry(self, request: HttpRequest, title: str, icon: str, link: str) -> dict[str, Any]:
        is_here = request.path == link or (link != reverse(f"{self.name}:index") and request.path.startswith(link))
        return {"title": title, "icon": icon, "link": link, "active": is_here, "has_permission": True}

    def app_index(
        self,
        request: HttpRequest,  # noqa: ARG002 - an override
        app_label: str,  # noqa: ARG002
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse(f"{self.name}:index"))

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:  # noqa: ARG002
        """Nothing: the sidebar lists what there is, and lists by app are Django's way of seeing it."""
        return []


site: AdminSite = Site()


def panels_of(registered: AdminSite) -> Sequence[Panel]:
    """What stands on the first page, for tests."""
    return registered.panels if isinstance(registered, Site) else ()
