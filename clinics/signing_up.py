"""Signing up and in, where allauth asks the project (ACCOUNT_ADAPTER, ACCOUNT_SIGNUP_FORM_CLASS)."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from allauth.account.adapter import DefaultAccountAdapter
from django import forms
from django.contrib.sites.shortcuts import get_current_site
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from clinics import people
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
    """What signing up asks besides e-mail and password."""

    given_name = forms.CharField(max_length=NAME_LENGTH)
    family_name = forms.CharField(max_length=NAME_LENGTH)
    birth_date = Day(input_formats=["%Y-%m-%d"])

    def signup(self, request: HttpRequest, user: User) -> None:
        """Nothing: allauth wants it here, the adapter did it in the account's transaction."""

    def clean_birth_date(self) -> Any:
        birth_date = self.cleaned_data["birth_date"]
        try:
            people.check_adult(birth_date, today=earliest_today())
        except Refused as refusal:
            raise ValidationError(refusal.detail, refusal.code) from refusal
        return birth_date


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """What allauth leaves to the project."""

    def save_user(self, request: HttpRequest, user: User, form: forms.Form, commit: bool = True) -> User:
        """Make the account and the patient's record together, or neither."""
        asked = form.cleaned_data
        with transaction.atomic():
            super().save_user(request, user, form, commit)
            people.register(
                user=user,
                given_name=asked["given_name"],
                family_name=asked["family_name"],
                birth_date=asked["birth_date"],
                email=user.email,
                today=earliest_today(),
            )
        return user

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Where the pages of clinics.entrance lead to, where nobody said where to: to the admin, if it is for them."""
        user = request.user
        works_there = user.is_staff and (user.is_superuser or StaffRole.objects.care_places(user).exists())
        return reverse("admin:index" if works_there else "mfa_index")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail that names us as people know us, not by the server's address."""
        site = get_current_site(self.request)
        site.name = "Sameday"
        super().send_mail(template_prefix, email, {**context, "current_site": site})

    def send_account_already_exists_mail(self, email: str) -> None:
        """Tell the owner. Takes as long as making the account would have, so that the time tells nobody else."""
        User().set_password("as long as a password takes")
        super().send_account_already_exists_mail(email)
