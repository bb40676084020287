"""A staff account's history, and the reset of its second factor, in the admin."""

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from clinics import acting, second_factor, staffing
from clinics.admin.history_lines import Line
from clinics.admin.staff_history import lines
from clinics.admin.work import find
from clinics.messages import rendering
from clinics.models import Message, SecondFactorReset, Session, StaffRole, User
from tests import cast
from tests.calls import browser, sign_in
from tests.cast import NOW
from tests.world import World

pytestmark = pytest.mark.django_db
STAFF = "/admin/clinics/user/"
REASON = "Lost her phone; I called her back at the number we have."
Role = StaffRole.Role


@pytest.fixture
def manager(world: World) -> User:
    return cast.make_staff(world.avon.clinic, "Manager", Role.MANAGER)


@pytest.fixture
def operator(world: World) -> User:
    return User.objects.create_superuser("operator@example.com", None)


@pytest.fixture
def desk(world: World) -> User:
    """Who has an authenticator app and recovery codes."""
    user = world.callers["staff here"]
    assert user is not None
    for kind in (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES):
        Authenticator.objects.create(user=user, type=kind, data={})
    return user


class TestHistory:
    def give(self, actor: User, email: str, role: Role, place: Any) -> StaffRole:
        answer = browser(actor).post(
            f"{STAFF}give/", {"email": email, "role": role, "place": str(place.pk), "once": f"{email}{role}"}
        )
        assert answer.status_code == 302, answer.content
        return StaffRole.objects.get(user__email=email, role=role)

    def test_it_says_who_gave_and_took_which_role_and_switched_the_account(
        self, world: World, manager: User, operator: User
    ):
        role = self.give(operator, "new@example.com", Role.FRONT_DESK, world.avon.clinic)
        browser(manager).post(f"{STAFF}{role.user_id}/switch/", {"once": "off"})
        self.give(manager, "new@example.com", Role.CLINICIAN, world.avon.clinic)
        browser(manager).post(f"{STAFF}{role.user_id}/take/{role.pk}/", {"once": "take"})

        answer = browser(manager).get(f"{STAFF}{role.user_id}/history/")
        page = answer.content.decode()

        assert told(lines(role.user, find(manager))) == [
            ("added", "Account", operator.email),
            ("added", "Clinician at Avon", manager.email),
            ("added", "Front desk at Avon", operator.email),
            ("changed", "Switched on yes no", manager.email),
            ("removed", "Front desk at Avon", manager.email),
        ]
        assert page.count("Front desk at Avon") == 2
        assert operator.email in page
        assert "EST" in page
        assert f"{STAFF}{role.user_id}/history/" in browser(manager).get(f"{STAFF}{role.user_id}/").content.decode()

    def test_a_manager_is_told_nothing_of_roles_elsewhere(self, world: World, manager: User, operator: User):
        role = self.give(operator, "new@example.com", Role.FRONT_DESK, world.avon.clinic)
        self.give(operator, "new@example.com", Role.MANAGER, world.elsewhere.clinic)
        self.give(operator, "new@example.com", Role.PARTNER, world.avon.clinic.health_system)
        address = f"{STAFF}{role.user_id}/history/"

        theirs, all_of_it = (browser(user).get(address).content.decode() for user in (manager, operator))

        assert "Front desk at Avon" in theirs
        for said in ("Hartford", "Avon Health", "May open the admin"):
            assert said not in theirs
            assert said in all_of_it

    def test_it_is_there_for_those_who_see_the_account_alone(self, world: World, manager: User, desk: User):
        other = cast.make_staff(world.elsewhere.clinic, "Else", Role.MANAGER)
        address = f"{STAFF}{desk.pk}/history/"

        answers = [browser(user).get(address).status_code for user in (manager, other, desk)]

        assert answers == [200, 404, 403]
        for who in ("owner", "stranger", "partner", "nobody"):
            assert browser(world.callers[who]).get(address).status_code == 302, who

    def test_it_comes_in_pages(self, world: World, manager: User, desk: User, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("clinics.admin.staff.A_PAGE", 1)

        page = browser(manager).get(f"{STAFF}{desk.pk}/history/", {"page": "2"}).content.decode()

        assert "Page 2 of" in page

    def test_it_says_that_the_system_did_what_nobody_signed_in_did(self, world: World, manager: User, desk: User):
        with acting.acting(None):
            User.objects.filter(pk=desk.pk).update(is_active=False)

        assert ("changed", "Switched on yes no", "the system") in told(lines(desk, find(manager)))


def told(found: list[Line]) -> list[tuple[str, str, str]]:
    """Lines in words, in an order that one transaction leaves open."""
    return sorted((line.what, " ".join(" ".join(part for part in one if part) for one in line.fields), line.by)
                  for line in found)  # fmt: skip


class TestReset:
    def address(self, user: User) -> str:
        return f"{STAFF}{user.pk}/reset-second-factor/"

    def reset(self, actor: User | None, user: User, **form: str) -> Any:
        return browser(actor).post(self.address(user), {"reason": REASON, "sure": "on", "once": "k", **form})

    def test_an_operator_takes_all_of_it_and_the_sessions_and_they_are_told(
        self, world: World, operator: User, desk: User
    ):
        theirs = browser(desk)
        sign_in(desk)
        assert theirs.get("/admin/").status_code == 200

        answer = self.reset(operator, desk)
        again = self.reset(operator, desk)

        assert (answer.status_code, again.status_code, answer["Location"]) == (302, 302, f"{STAFF}{desk.pk}/")
        assert not Authenticator.objects.filter(user=desk).exists()
        assert not Session.objects.filter(user=desk).exists()
        assert theirs.get("/admin/").status_code == 302
        kept = SecondFactorReset.objects.get()
        assert (kept.user, kept.actor, kept.reason, kept.at) == (desk, operator, REASON, NOW)
        message = Message.objects.get(template="second_factor_reset")
        assert (message.channel, message.address, message.user_id) == ("email", desk.email, desk.pk)
        assert REASON not in str(message.context)

    def test_the_mail_says_who_did_it_and_what_to_do(self, world: World, operator: User, desk: User):
        self.reset(operator, desk)
        message = Message.objects.get(template="second_factor_reset")

        for language, word in (("en", "account"), ("es", "cuenta")):
            written = rendering.write(
                template=message.template, channel="email", language=language, context=message.context
            )
            assert operator.email in written.body
            assert word in written.body
            assert "patient" not in written.body
            assert "paciente" not in written.body

    def test_it_stands_in_the_accounts_history(self, world: World, operator: User, manager: User, desk: User):
        self.reset(operator, desk)

        page = browser(manager).get(f"{STAFF}{desk.pk}/history/").content.decode()

        assert "Second factors" in page
        assert REASON in page
        assert operator.email in page

    def test_it_wants_a_reason_and_a_confirmation(self, world: World, operator: User, desk: User):
        answers = [
            self.reset(operator, desk, reason=" " * 40),
            self.reset(operator, desk, reason="lost it"),
            self.reset(operator, desk, sure=""),
        ]

        assert [answer.status_code for answer in answers] == [422] * 3
        assert Authenticator.objects.filter(user=desk).count() == 2
        assert not SecondFactorReset.objects.exists()

    def test_looking_at_the_page_resets_nothing(self, world: World, operator: User, desk: User):
        page = browser(operator).get(self.address(desk)).content.decode()

        assert desk.email in page
        assert "made sure that it is really them" in page
        assert Authenticator.objects.filter(user=desk).count() == 2

    def test_nobody_resets_their_own(self, world: World, operator: User):
        Authenticator.objects.create(user=operator, type=Authenticator.Type.TOTP, data={})

        answer = self.reset(operator, operator)

        assert answer.status_code == 422
        assert staffing.OwnAccount.detail in answer.content.decode()
        assert Authenticator.objects.filter(user=operator).exists()
        assert "Reset the second factor" not in browser(operator).get(f"{STAFF}{operator.pk}/").content.decode()

    def test_it_is_for_operators_alone(self, world: World, manager: User, desk: User):
        clinician, elsewhere = world.callers["clinician here"], world.callers["staff elsewhere"]
        for user in (manager, clinician, elsewhere, desk):
            assert self.reset(user, desk).status_code == 403
            assert browser(user).get(self.address(desk)).status_code == 403
        for who in ("owner", "stranger", "partner", "nobody"):
            assert self.reset(world.callers[who], desk).status_code == 302
        with pytest.raises(second_factor.NotYoursToReset):
            second_factor.reset(user=desk, actor=manager, reason=REASON, now=NOW)
        assert Authenticator.objects.filter(user=desk).count() == 2
        assert "reset-second-factor" not in browser(manager).get(f"{STAFF}{desk.pk}/").content.decode()

    def test_an_operator_who_was_switched_off_resets_nothing(self, world: World, operator: User, desk: User):
        operator.is_active = False

        with pytest.raises(second_factor.NotYoursToReset):
            second_factor.reset(user=desk, actor=operator, reason=REASON, now=NOW)

    def test_there_is_nothing_to_reset_where_there_is_none(self, world: World, operator: User):
        clinician = world.callers["clinician here"]
        assert clinician is not None
        sign_in(clinician)

        answer = self.reset(operator, clinician)

        assert answer.status_code == 422
        assert Session.objects.filter(user=clinician).exists()
        assert not Message.objects.filter(template="second_factor_reset").exists()

    def test_accounts_of_patients_are_not_in_it(self, world: World, operator: User):
        stranger = world.callers["stranger"]
        assert stranger is not None

        assert self.reset(operator, stranger).status_code == 404

    def test_the_command_does_the_same(self, world: World, desk: User):
        sign_in(desk)

        call_command("reset_second_factor", desk.email.upper(), reason=REASON, stdout=StringIO())

        assert not Authenticator.objects.filter(user=desk).exists()
        assert not Session.objects.filter(user=desk).exists()
        kept = SecondFactorReset.objects.get()
        assert (kept.user, kept.actor, kept.reason) == (desk, None, REASON)
        assert kept.at == timezone.now()
        assert Message.objects.get(template="second_factor_reset").address == desk.email
        for reason in (REASON, "lost it"):
            with pytest.raises(CommandError):
                call_command("reset_second_factor", desk.email, reason=reason, stdout=StringIO())
