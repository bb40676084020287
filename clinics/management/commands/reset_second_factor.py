"""`manage.py reset_second_factor EMAIL --reason "…"`: for somebody who lost phone, passkeys and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinics import acting, second_factor
from clinics.models import User
from clinics.refusals import Refused


class Command(BaseCommand):
    help = "Take every second factor from an account, and end its sessions. Make sure first that it is really them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--reason", required=True, help="Why, and how you know that it is them. It is kept.")

    def handle(self, *_: Any, email: str, reason: str, **__: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError("There is no such account.")
        try:
            with acting.acting(None, via="command"):
                second_factor.reset(user=user, actor=None, reason=reason, now=timezone.now())
        except Refused as refused:
            raise CommandError(refused.detail) from refused
        self.stdout.write("Done. They are told by e-mail, and set up a new one when they sign in.")
