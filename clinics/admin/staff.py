"""Staff: who has which role where, given and taken through clinics.staffing."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.core.validators import validate_email
from django.forms import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics import second_factor, staffing
from clinics.admin import doing, staff_history
from clinics.admin.doing import Done
from clinics.admin.places import Pages
from clinics.admin.site import Link, site
from clinics.admin.work import Work
from clinics.models import Clinic, Organization, StaffRole, User
from clinics.refusals import Refused

A_PAGE = 50


@admin.register(User, site=site)
class StaffAdmin(Pages):
    """Accounts of people who work here. Those of patients alone are not in it."""

    roles = (StaffRole.Role.MANAGER,)

    def pages(self) -> Sequence[tuple[str, str, Any]]:
        return [
            ("", "changelist", self.people),
            ("give/", "give", self.give),
            ("<uuid:user_id>/", "change", self.account),
            ("<uuid:user_id>/switch/", "switch", self.switch),
            ("<uuid:user_id>/take/<int:role_id>/", "take", self.take),
            ("<uuid:user_id>/reset-second-factor/", "reset", self.reset),
            ("<uuid:user_id>/history/", "history", self.history),
        ]

    def people(self, request: HttpRequest) -> HttpResponse:
        at = self.seen(request)
        found = staffing.accounts(who(at)).prefetch_related("staff_roles__clinic", "staff_roles__organization")
        asked = request.GET.get("q", "").replace("\0", "")[:60].strip()
        if asked:
            found = found.filter(email__icontains=asked)
        page = Paginator(found.order_by("email"), A_PAGE).get_page(request.GET.get("page"))
        rows = [(user, [words(role) for role in self.shown(at, user)]) for user in page.object_list]
        return self.page(
            request, "clinics/admin/staff_list.html", {"title": "Staff", "rows": rows, "page": page, "q": asked}
        )

    def give(self, request: HttpRequest) -> HttpResponse:
        at = self.seen(request)
        refused = ""
        clinics = self.clinics(at)
        organizations = list(Organization.objects.order_by("name")) if at.is_operator else []
        asked = {name: request.POST.get(name, "").strip() for name in ("email", "role", "place")}
        if request.method == "POST":
            clinic = next((one for one in clinics if str(one.pk) == asked["place"]), None)
            organization = next((one for one in organizations if str(one.pk) == asked["place"]), None)
            try:
                validate_email(asked["email"])
            except ValidationError:
                refused = "Give an e-mail address."
            else:
                answer = doing.once(request, lambda: self.do_give(at, asked, clinic, organization))
                if isinstance(answer, HttpResponse):
                    return answer
                refused = answer.detail
        context = {
            "title": "Give a role",
            "clinics": clinics,
            "organizations": organizations,
            "role_choices": [
                (role.value, role.label) for role in (StaffRole.Role if at.is_operator else staffing.MANAGED)
            ],
            "asked": asked,
            "refused": refused,
        }
        return self.page(request, "clinics/admin/staff_give.html", context, status=422 if refused else 200)

    def do_give(
        self, at: Work, asked: dict[str, str], clinic: Clinic | None, organization: Organization | None
    ) -> Done:
        role = staffing.give(
            email=asked["email"], role=asked["role"], clinic=clinic, organization=organization, actor=who(at)
        )
        return Done(
            f"{asked['email'].lower()} is {words(role)}.", to=reverse("admin:clinics_user_change", args=[role.user_id])
        )

    def account(self, request: HttpRequest, user_id: uuid.UUID, *, refused: str = "") -> HttpResponse:
        at = self.seen(request)
        user = self.user(at, user_id)
        context = {
            "title": f"Account {user.email}",
            "account": user,
            "held": [(role, words(role), self.may_take(at, role)) for role in self.shown(at, user)],
            "is_own": user.pk == who(at).pk,
            "has_factor": second_factor.is_set_up(user),
            "may_reset": at.is_operator and user.pk != who(at).pk,
            "refused": refused,
        }
        return self.page(request, "clinics/admin/staff_account.html", context, status=422 if refused else 200)

    def switch(self, request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
        """Off: all sessions end at once. On again: nothing else changes."""
        at, now = self.seen(request), timezone.now()
        user = self.user(at, user_id)
        on = request.POST.get("on") == "1"

        def work() -> Done:
            ended = staffing.switch(user=user, on=on, actor=who(at), now=now)
            said = "The account is on again." if on else f"The account is off, and {counted(ended, 'session')} ended."
            return Done(said, to=reverse("admin:clinics_user_change", args=[user.pk]))

        return self.done(request, user_id, work)

    def take(self, request: HttpRequest, user_id: uuid.UUID, role_id: int) -> HttpResponse:
        at = self.seen(request)
        user = self.user(at, user_id)
        role = next((role for role in self.shown(at, user) if role.pk == role_id), None)
        if role is None:
            raise Http404

        def work() -> Done:
            staffing.take(role=role, actor=who(at))
            return Done("The role is taken away.", to=reverse("admin:clinics_user_changelist"))

        return self.done(request, user_id, work)

    def reset(self, request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
        """For somebody who lost phone, passkeys and codes: what it does, why it is done, and doing it."""
        at, now = self.seen(request), timezone.now()
        if not at.is_operator:
            raise PermissionDenied
        user = self.user(at, user_id)
        refused, reason = "", request.POST.get("reason", "").replace("\0", "").strip()[:300]
        if request.method == "POST" and request.POST.get("sure") != "on":
            refused = "Confirm that you made sure who asks for it."
        elif request.method == "POST":

            def work() -> Done:
                ended = second_factor.reset(user=user, actor=who(at), reason=reason, now=now)
                said = f"The second factors are taken away, {counted(ended, 'session')} ended, and they are told."
                return Done(said, to=reverse("admin:clinics_user_change", args=[user.pk]))

            answer = doing.once(request, work)
            if isinstance(answer, HttpResponse):
                return answer
            refused = answer.detail
        context = {
            "title": "Reset the second factor",
            "account": user,
            "is_own": user.pk == who(at).pk,
            "has_factor": second_factor.is_set_up(user),
            "reason": reason,
            "least": second_factor.LEAST_REASON,
            "refused": refused,
        }
        return self.page(request, "clinics/admin/staff_reset.html", context, status=422 if refused else 200)

    def history(self, request: HttpRequest, user_id: uuid.UUID) -> HttpResponse:
        at = self.seen(request)
        user = self.user(at, user_id)
        page = Paginator(staff_history.lines(user, at), A_PAGE).get_page(request.GET.get("page"))
        context = {
            "title": f"History of {user.email}",
            "lines": page.object_list,
            "page": page,
            "back": reverse("admin:clinics_user_change", args=[user.pk]),
            "back_to": "Back to the account",
            "about": "" if at.is_operator else "Roles at clinics that you do not manage are not listed.",
        }
        return self.page(request, "clinics/admin/history.html", context, name="history")

    def done(self, request: HttpRequest, user_id: uuid.UUID, work: Any) -> HttpResponse:
        if request.method != "POST":
            raise Http404
        answer: HttpResponse | Refused = doing.once(request, work)
        return answer if isinstance(answer, HttpResponse) else self.account(request, user_id, refused=answer.detail)

    def user(self, at: Work, user_id: uuid.UUID) -> User:
        seen = staffing.accounts(who(at)).prefetch_related("staff_roles__clinic", "staff_roles__organization")
        found = seen.filter(pk=user_id).first()
        if found is None:
            raise Http404
        return found

    def shown(self, at: Work, user: User) -> list[StaffRole]:
        """The roles of somebody that who is at work sees: a manager those at their clinics. Needs them loaded."""
        mine = set(at.at(StaffRole.Role.MANAGER))
        return [role for role in user.staff_roles.all() if at.is_operator or role.clinic_id in mine]

    def may_take(self, at: Work, role: StaffRole) -> bool:
        return role.user_id != who(at).pk and (at.is_operator or role.role in staffing.MANAGED)

    def clinics(self, at: Work) -> list[Clinic]:
        clinics = Clinic.objects.all() if at.is_operator else StaffRole.objects.managed_places(who(at))
        return list(clinics.order_by("name", "pk"))


def who(at: Work) -> User:
    if at.user is None:
        raise PermissionDenied
    return at.user


def counted(number: int, thing: str) -> str:
    """Such as `1 session is` and `2 sessions are`."""
    return f"{number} {thing} is" if number == 1 else f"{number} {thing}s are"


def words(role: StaffRole) -> str:
    """Such as `front desk at Avon`."""
    place = role.clinic or role.organization
    return f"{StaffRole.Role(role.role).label.lower()} at {place}"


site.links.append(  # type: ignore[attr-defined]
    Link(
        "Accounts",
        "Staff",
        "badge",
        "admin:clinics_user_changelist",
        lambda at: at.is_operator or bool(at.at(StaffRole.Role.MANAGER)),
    )
)
