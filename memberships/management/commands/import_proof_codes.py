"""`manage.py import_proof_codes FILE --batch NAME`: codes that prove eligibility for the discount, one a line."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from memberships.proving import codes


class Command(BaseCommand):
    help = "Keep the codes of a list as HMACs. Safe to run twice: a code is kept once. Then delete the file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="UTF-8 text, one code a line.")
        parser.add_argument("--batch", required=True, help="Whose list it is: by this name it can be withdrawn.")
        parser.add_argument("--until", type=date.fromisoformat, help="First day on which the codes prove nothing.")
        parser.add_argument("--withdraw", action="store_true", help="Let the codes of this batch prove nothing now.")

    def handle(self, *_: Any, file: Path | None, batch: str, until: date | None, withdraw: bool, **__: Any) -> None:
        if withdraw:
            self.stdout.write(f"{codes.withdraw(batch=batch, now=timezone.now())} codes withdrawn.")
            return
        if file is None:
            raise CommandError("Name the file, or --withdraw.")
        try:
            with file.open(encoding="utf-8-sig") as lines:
                new, wrong = codes.take_in(lines, batch=batch, valid_until=until)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"This file cannot be read: {type(error).__name__}.") from error
        self.stdout.write(f"{new} codes are new.")
        if wrong:
            shortest = codes.SHORTEST
            self.stdout.write(f"No code (letters and digits, {shortest} or more): lines {', '.join(map(str, wrong))}.")
