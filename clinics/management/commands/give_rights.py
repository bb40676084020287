from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from clinics import rights


class Command(BaseCommand):
    help = "Give the application's database role what it may do. Run as the owner, after each migrate."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("role", help="The role in the application's DATABASE_URL.")

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - an override
        rights.give(options["role"])
