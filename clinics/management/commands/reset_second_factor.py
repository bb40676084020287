"""`manage.py reset_second_factor EMAIL`: for somebody who lost phone, passkeys and recovery codes."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from clinics import second_factor
from clinics.models import User


class Command(BaseCommand):
    help = "Take every second factor from an account, and end its sessions. Make sure first that it is really them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *_: Any, email: str, **__: Any) -> None:
        user = User.objects.filter(email=email.lower()).first()
        if user is None:
            raise CommandError("There is no such account.")
        second_factor.reset(user=user)
        self.stdout.write("Done. They set up a new one when they sign in.")
