"""`manage.py seed_demo`: the demo network, up to today."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from scheduling.demo import patients, seeding, staff


class Command(BaseCommand):
    help = "Makes the demo network with invented people, or brings it up to today. Run it as often as you like."

    def handle(self, *args: Any, **options: Any) -> None:  # noqa: ARG002 - as Django calls it
        if settings.PRODUCTION:
            raise CommandError(
                "seed_demo makes accounts with a public password: it does not run in production. "
                "For a demo, set SAMEDAY_MODE=demo and another database."
            )
        seeded = seeding.seed(now=timezone.now(), say=self.stderr.write)
        self.stdout.write(f"Added {seeded.shifts} shifts and {seeded.visits} visits. All people are invented.\n\n")
        logins = [*patients.LOGINS, *staff.STAFF_LOGINS]
        width = max(len(login.email) for login in logins)
        for login in logins:
            self.stdout.write(f"  {login.email:{width}}  {login.who}")
        self.stdout.write(f"\n  Password of all of them: {staff.PASSWORD}")
