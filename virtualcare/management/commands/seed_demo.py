"""`manage.py seed_demo`: the demo network, up to today."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from scheduling.demo import patients, scale, seeding, staff
from virtualcare.demo import seeding as virtual

WIDTH = 40


class Command(BaseCommand):
    help = "Makes the demo network with invented people, or brings it up to today. Run it as often as you like."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--scale",
            action="store_true",
            help="Beside it 20 systems, 500 clinics, 2,000 clinicians, a million patients and as many past visits.",
        )

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - as Django calls it
        if settings.PRODUCTION:
            raise CommandError(
                "seed_demo makes accounts with a public password: it does not run in production. "
                "For a demo, set SAMEDAY_MODE=demo and another database."
            )
        now = timezone.now()
        seeded = seeding.seed(now=now, say=self.stderr.write)
        virtual.seed(now=now)
        if options["scale"]:
            scale.seed(now=now, tell=self.bar)
            seeding.analyze()
        self.stdout.write(f"Added {seeded.shifts} shifts and {seeded.visits} visits. All people are invented.\n\n")
        logins = [*patients.LOGINS, *staff.STAFF_LOGINS]
        width = max(len(login.email) for login in logins)
        for login in logins:
            self.stdout.write(f"  {login.email:{width}}  {login.who}")
        self.stdout.write(f"\n  Password of all of them: {staff.PASSWORD}")

    def bar(self, what: str, part: float) -> None:
        """How far it is: one line that grows on a terminal, a line a step elsewhere."""
        done = round(part * WIDTH)
        line = f"[{'#' * done}{'.' * (WIDTH - done)}] {part:4.0%} {what}"
        ending = "\n" if part == 1 or not sys.stderr.isatty() else "\r"
        self.stderr.write(f"{line:{WIDTH + 40}}", ending=ending)
