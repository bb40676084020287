"""Signing up and in, where allauth asks the project (ACCOUNT_ADAPTER, ACCOUNT_SIGNUP_FORM_CLASS)."""

import unicodedata
from datetime import date
from typing import Any, ClassVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.stages import LoginStage
from django import forms
from django.conf import settings
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from clinics import own_accounts, people, sessions
from clinics.models import StaffRole, User
from clinics.refusals import Refused

NAME_LENGTH = 60
# American Samoa, where days begin last of all places in the United States, eleven hours after UTC's.
LAST_TO_BEGIN = ZoneInfo("Pacific/Pago_Pago")


def earliest_today() -> date:
    """Today for somebody who has not said where they live: whoever is of age on it is of age everywhere."""
    return timezone.now().astimezone(LAST_TO_BEGIN).date()


class Day(forms.DateField):
    """A date as YYYY-MM-DD. Python would read the digits of every script."""

    def to_python(self, value: Any) -> date | None:
        if isinstance(value, str) and not value.isascii():
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class PersonForm(forms.Form):
    """What signing up asks besides e-mail and password: who somebody is or, of a teenager, the code of an invitation.

    Who that is says the record which they are invited to.
    """

    WHO: ClassVar = ("given_name", "family_name", "birth_date")

    invitation = forms.CharField(max_length=30, required=False)
    given_name = forms.CharField(max_length=NAME_LENGTH, required=False)
    family_name = forms.CharField(max_length=NAME_LENGTH, required=False)
    birth_date = Day(input_formats=["%Y-%m-%d"], required=False)

    def signup(self, request: HttpRequest, user: User) -> None:
        """Nothing: allauth wants it here, the adapter did it in the account's transaction."""

    def clean(self) -> Any:
        """By a code nobody learns more than that it is not one for this address."""
        cleaned = super().clean() or self.cleaned_data
        code = cleaned.get("invitation")
        if not code:
            for name in self.WHO:
                if name not in self.errors and not cleaned.get(name):
                    self.add_error(name, ValidationError(self.fields[name].error_messages["required"], "required"))
        elif not own_accounts.is_open(code=code, email=cleaned.get("email") or "", now=timezone.now()):
            self.add_error("invitation", ValidationError("There is no such invitation for this address.", "not_found"))
        return cleaned

    def clean_birth_date(self) -> Any:
        birth_date = self.cleaned_data["birth_date"]
        if birth_date is None or self.data.get("invitation"):
            return None
        try:
            people.check_adult(birth_date, today=earliest_today())
        except Refused as refusal:
            raise ValidationError(refusal.detail, refusal.code) from refusal
        return birth_date


class Begins(LoginStage):  # type: ignore[misc]  # allauth ships no types
    """Before all other steps of a sign-in: remembers which password it was."""

    key = "begins"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        self.state["password"] = user.get_session_auth_hash() if user else ""
        return None, True


class Ends(LoginStage):  # type: ignore[misc]
    """After all other steps: a sign-in that waited while the password was changed is over, as a session would be."""

    key = "ends"

    def handle(self) -> tuple[HttpResponse | None, bool]:
        begun = self.login.state["stages"].get(Begins.key, {}).get("data", {}).get("password", "")
        if self.login.user and sessions.is_of_password(begun, self.login.user):
            return None, True
        return self.abort(), False


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """What allauth leaves to the project."""

    def save_user(self, request: HttpRequest, user: User, form: forms.Form, commit: bool = True) -> User:
        """Make the account and the patient's record together, or neither. Whoever is invited has a record already."""
        asked = form.cleaned_data
        with transaction.atomic():
            super().save_user(request, user, form, commit)
            if asked.get("invitation"):
                own_accounts.sign_up(user=user, code=asked["invitation"], now=timezone.now())
                return user
            people.register(
                user=user,
                given_name=asked["given_name"],
                family_name=asked["family_name"],
                birth_date=asked["birth_date"],
                email=user.email,
                today=earliest_today(),
            )
        return user

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:  # noqa: ARG002 - an override
        """By what wrong passwords are counted. allauth adds the Host header, whose port anybody makes up."""
        return unicodedata.normalize("NFKC", credentials.get("email", "")).casefold()

    def get_login_stages(self) -> list[str]:
        name = __name__
        return [f"{name}.{Begins.__name__}", *super().get_login_stages(), f"{name}.{Ends.__name__}"]

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where the pages of clinics.entrance lead to, where nobody said where to: to the admin, if it is for them."""
        user = request.user
        works_there = user.is_staff and (
            user.is_superuser
            or StaffRole.objects.care_places(user).exists()
            or StaffRole.objects.filter(user=user, role=StaffRole.Role.BENEFITS).exists()
        )
        return reverse("admin:index" if works_there else "mfa_index")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that names us as people know us, not by whatever address the request came to."""
        site = get_current_site(self.request)
        site.name, site.domain = "Sameday", urlsplit(settings.PUBLIC_URL).netloc
        super().send_mail(template_prefix, email, {**context, "current_site": site})

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner. Takes as long as making the account would have, so that the time tells nobody else."""
        User().set_password("as long as a password takes")
        super().send_account_already_exists_mail(email)
