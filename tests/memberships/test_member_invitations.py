"""An adult of the family is asked by e-mail to be a further member: they alone decide, and who asked pays."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinics import links
from clinics.messages import claiming as sending
from clinics.models import Message, Patient, User
from memberships import changing
from memberships.billing import settling
from memberships.changing import inviting
from memberships.entitlement import PriceChanged
from memberships.models import InvoiceLine, MemberInvitation, Membership, Price, Subscription
from memberships.money import share
from tests import cast
from tests.calls import Caller, browser
from tests.canaries import FAMILY_NAME
from tests.cast import NOW
from tests.memberships.selling import join, noon, sweep

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books")]
TODAY = NOW.date()
BEGAN = date(2026, 9, 1)
RENEWS = date(2027, 9, 1)
SAM = "sam@example.com"


def share_left(day: date) -> int:
    return share(6_600, (RENEWS - day).days, 365)


DUE = share_left(TODAY)


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def own(guest: Patient, offer: Any) -> Subscription:
    """The guest's, paid since BEGAN."""
    made = join(guest, offer.year, on=BEGAN)
    [invoice] = made.invoices.all()
    settling.paid_by_hand(invoice.pk, amount=invoice.due, reference="1", actor=made.payer, now=noon(BEGAN))
    return made


@pytest.fixture
def sam(db: None) -> Patient:
    """Who has an account, of another address than the one that is asked."""
    return cast.make_patient("Sam", member=False)


@pytest.fixture
def me(guest: Patient) -> Caller:
    return Caller(guest.user)


def of(patient: Patient) -> User:
    assert patient.user
    return User.objects.select_related("patient").get(pk=patient.user.pk)


def invite(subscription: Subscription, email: str = SAM, *, now: Any = NOW) -> str:
    """Ask somebody; the code that is mailed to them."""
    made = inviting.invite(
        subscription_id=subscription.pk, email=email, accept_due=None, actor=subscription.payer, now=now
    )
    return links.derived(made.pk)


def accept(patient: Patient, code: str, *, now: Any = NOW) -> Membership:
    return inviting.accept(token=code, user=of(patient), now=now)


def path(subscription: Subscription) -> str:
    return f"/memberships/{subscription.pk}/invitations"


def statuses(caller: Caller, subscription: Subscription) -> list[str]:
    return [one["status"] for one in caller.get(path(subscription)).json()["results"]]


def members(subscription: Subscription) -> int:
    return Membership.objects.filter(subscription=subscription, head__isnull=False).count()


class TestAsking:
    def test_it_says_what_it_costs_and_adds_nobody_yet(self, me: Caller, own: Subscription):
        answer = me.post(path(own), {"email": "Sam@Example.com", "accept_due": DUE})

        assert answer.status_code == 201
        assert answer.json() | {"id": "", "price": {}} == {
            "id": "", "email": SAM, "status": "open", "price": {}, "due_at_most": DUE,
            "created_at": "2026-11-24T14:00:00+00:00", "expires_at": "2026-12-08T14:00:00+00:00",
        }  # fmt: skip
        assert answer.json()["price"]["amount"] == 6_600
        assert members(own) == 0
        assert own.invoices.count() == 1

    def test_another_amount_is_refused(self, me: Caller, own: Subscription):
        answer = me.post(path(own), {"email": SAM, "accept_due": DUE - 1})

        assert (answer.status_code, answer.json()["code"]) == (409, "amount_changed")
        assert Message.objects.filter(template="membership_invitation").count() == 0

    def test_the_secret_is_mailed_and_nobody_else_sees_it(self, me: Caller, own: Subscription, guest: Patient):
        answer = me.post(path(own), {"email": SAM})

        [outgoing] = [one for one in sending.claim("email", now=NOW).outgoing if one.to == SAM]
        code = links.derived(MemberInvitation.objects.get().pk)
        assert f"/family/{code}" in outgoing.body
        assert outgoing.subject == "Guest invites you to a Sameday membership"
        assert FAMILY_NAME not in outgoing.body
        assert code not in answer.content.decode()
        assert code not in str(list(MemberInvitation.objects.values())) + str(list(Message.objects.values()))

    def test_it_does_not_tell_whether_there_is_an_account(self, me: Caller, own: Subscription, sam: Patient):
        def ask(email: str) -> tuple[Any, list[str]]:
            with CaptureQueriesContext(connection) as queries:
                answer = me.post(path(own), {"email": email})
            body = answer.json() | {"id": "", "email": ""}
            return (answer.status_code, body), [q["sql"][:40] for q in queries if "SAVEPOINT" not in q["sql"]]

        ask("first@example.com")  # what is read once a session

        assert ask(of(sam).email) == ask("nobody@example.com")

    def test_asked_again_it_is_the_same_and_one_mail(self, me: Caller, own: Subscription):
        answers = [me.post(path(own), {"email": SAM}, **{"Idempotency-Key": key}) for key in ("a", "a", "b")]

        assert len({answer.json()["id"] for answer in answers}) == 1
        assert Message.objects.filter(template="membership_invitation").count() == 1

    def test_few_are_open_at_once(self, own: Subscription):
        for number in range(inviting.MOST_OPEN):
            invite(own, f"p{number}@example.com")

        with pytest.raises(inviting.TooManyInvitations):
            invite(own)
        MemberInvitation.objects.filter(email="p0@example.com").update(expires_at=NOW)
        assert invite(own)

    def test_it_is_not_for_writing_to_strangers(self, me: Caller, own: Subscription):
        answers = []
        for _ in range(inviting.TRIES + 1):
            made = me.post(path(own), {"email": SAM})
            answers.append(made.status_code)
            if made.status_code == 201:
                me.delete(f"{path(own)}/{made.json()['id']}")

        assert answers == [201] * inviting.TRIES + [429]

    def test_a_name_in_the_mail_is_no_address(self, own: Subscription, guest: Patient):
        Patient.objects.filter(pk=guest.pk).update(preferred_name="Win http://evil.example/?x=1 now")

        inviting.invite(subscription_id=own.pk, email=SAM, accept_due=None, actor=of(guest), now=NOW)

        assert Message.objects.get(template="membership_invitation").context["inviter"] == "Win httpevilexamplex now"

    def test_a_membership_that_ends_takes_nobody(self, me: Caller, own: Subscription):
        changing.cancel(subscription_id=own.pk, reason="", actor=own.payer, now=NOW)

        assert me.post(path(own), {"email": SAM}).json()["code"] == "not_in_this_state"

    def test_it_is_the_payers_alone(self, me: Caller, own: Subscription, sam: Patient):
        invite(own)
        one = f"{path(own)}/{MemberInvitation.objects.get().pk}"

        for caller, status in ((Caller(sam.user), 404), (Caller(), 401)):
            assert caller.get(path(own)).status_code == status
            assert caller.post(path(own), {"email": SAM}).status_code == status
            assert caller.delete(one).status_code == status
        assert statuses(me, own) == ["open"]


class TestAnswering:
    def test_whoever_accepts_is_a_member_and_who_asked_is_billed(self, me: Caller, own: Subscription, sam: Patient):
        code = invite(own)
        them = Caller(sam.user)

        answers = [
            them.post("/me/membership-invitation/accept", {"code": code}, **{"Idempotency-Key": key})
            for key in ("a", "a", "b")
        ]

        assert [answer.status_code for answer in answers] == [201, 201, 404]
        shown = answers[0].json()
        assert answers[1].json() == shown
        assert (shown["source"], shown["payer"], shown["patient"]["name"]) == ("family", "somebody else", sam.name)
        assert them.get("/memberships").json()["results"] == [shown]
        line = InvoiceLine.objects.get(kind="family")
        assert (line.amount, line.invoice.payer, line.patient_id) == (DUE, own.payer, sam.pk)
        assert statuses(me, own) == ["accepted"]
        assert members(own) == 1

    def test_who_asked_learns_no_more_than_that(self, me: Caller, own: Subscription, sam: Patient, guest: Patient):
        accept(sam, invite(own))
        invoice = InvoiceLine.objects.get(kind="family").invoice

        seen = [
            me.get(where).content.decode()
            for where in (path(own), "/memberships", f"/memberships/{own.pk}", "/invoices", f"/invoices/{invoice.pk}")
        ]
        told = Message.objects.filter(user=guest.user)

        for text in [*seen, str(list(told.values_list("context", flat=True)))]:
            assert "Sam" not in text
            assert of(sam).email not in text
        [member] = me.get("/memberships").json()["results"][0]["members"]
        assert member["patient"]["name"] == SAM
        assert told.get(template="membership_invitation_answered").context == {"invited": SAM, "is_accepted": True}

    def test_renewed_they_are_billed_without_a_name(self, own: Subscription, sam: Patient):
        accept(sam, invite(own))

        sweep(RENEWS)

        lines = InvoiceLine.objects.filter(kind="family").order_by("id")
        assert [(line.amount, line.description) for line in lines] == [
            (DUE, "Family: an adult"), (6_600, "Family: an adult"),
        ]  # fmt: skip

    def test_days_later_it_costs_less(self, own: Subscription, sam: Patient):
        code = invite(own)

        accept(sam, code, now=NOW + timedelta(days=7))

        assert InvoiceLine.objects.get(kind="family").amount == share_left(TODAY + timedelta(days=7)) < DUE

    def test_more_than_was_agreed_to_is_not_billed(self, offer: Any, guest: Patient, sam: Patient):
        """On the last days of a period it costs little: not so in the next one."""
        own = join(guest, offer.year, on=BEGAN)
        [invoice] = own.invoices.all()
        settling.paid_by_hand(invoice.pk, amount=invoice.due, reference="1", actor=own.payer, now=noon(BEGAN))
        code = invite(own, now=noon(RENEWS - timedelta(days=2)))
        sweep(RENEWS)

        with pytest.raises(PriceChanged) as refused:
            accept(sam, code, now=noon(RENEWS))

        assert refused.value.code == "price_changed"
        assert members(own) == 0
        assert not InvoiceLine.objects.filter(kind="family").exists()

    def test_a_price_that_is_another_one_now_is_refused(self, own: Subscription, sam: Patient):
        code = invite(own)
        family = Price.objects.get(plan="family", interval="year")
        Price.objects.create(plan=family.plan, interval="year", amount=5_000, from_on=TODAY)

        with pytest.raises(PriceChanged):
            accept(sam, code)
        assert members(own) == 0

    def test_declined_it_is_over_also_without_an_account(self, me: Caller, own: Subscription, sam: Patient):
        code = invite(own)
        page = browser()

        asked = page.get(f"/family/{code}")
        before = statuses(me, own)
        declined = [page.post(f"/family/{code}") for _ in range(2)]

        assert (asked.status_code, before) == (200, ["open"])
        assert code in asked.content.decode()
        assert [answer.status_code for answer in declined] == [200, 200]
        assert statuses(me, own) == ["declined"]
        assert Message.objects.filter(template="membership_invitation_answered").count() == 1
        with pytest.raises(inviting.NotFound):
            accept(sam, code)

    def test_the_page_declines_by_its_own_form_alone(self, me: Caller, own: Subscription):
        code = invite(own)
        page = Client(enforce_csrf_checks=True)
        token = page.get(f"/family/{code}").context["csrf_token"]

        forged = page.post(f"/family/{code}").status_code
        before = statuses(me, own)
        meant = page.post(f"/family/{code}", {"csrfmiddlewaretoken": str(token)})

        assert (forged, before) == (403, ["open"])
        assert (meant.status_code, meant["Referrer-Policy"], meant["Cache-Control"]) == (200, "same-origin", "no-store")
        assert statuses(me, own) == ["declined"]

    def test_declined_twice_by_an_account_changes_nothing(self, me: Caller, own: Subscription, sam: Patient):
        code = invite(own)
        them = Caller(sam.user)

        answers = [them.post("/me/membership-invitation/decline", {"code": code}).status_code for _ in range(2)]

        assert answers == [204, 204]
        assert statuses(me, own) == ["declined"]

    def test_the_page_tells_nobody_whether_a_code_is_one(self, own: Subscription):
        code, page = invite(own), browser()

        right, wrong = (page.post(f"/family/{one}").content for one in (code, "x" * 22))

        assert right == wrong
        assert page.get("/family/%3Cb%3E").content.count(b"&lt;b&gt;") == 1

    def test_what_is_over_or_taken_back_opens_nothing(self, me: Caller, own: Subscription, sam: Patient):
        expired, revoked = invite(own, "a@example.com"), invite(own, "b@example.com")
        made = MemberInvitation.objects.get(email="b@example.com")

        first = me.delete(f"{path(own)}/{made.pk}").status_code
        second = me.delete(f"{path(own)}/{made.pk}").status_code

        assert (first, second) == (204, 404)
        assert Message.objects.get(about=f"member-invitation:{made.pk}").status == "withdrawn"
        for code, now in ((revoked, NOW), (expired, NOW + inviting.LASTS), ("x" * 22, NOW)):
            with pytest.raises(inviting.NotFound):
                accept(sam, code, now=now)
            with pytest.raises(inviting.NotFound):
                inviting.decline(token=code, now=now)
        with time_machine.travel(NOW + inviting.LASTS, tick=False):
            assert statuses(Caller(own.payer), own) == ["withdrawn", "expired"]
        assert members(own) == 0

    def test_who_is_under_age_or_no_patient_cannot_accept(self, own: Subscription):
        code = invite(own)
        teen = cast.make_patient("Teen", born=date(2010, 1, 1), member=False)
        staff = cast.make_staff(cast.make_place().clinic)

        answers = [Caller(user).post("/me/membership-invitation/accept", {"code": code}) for user in (teen.user, staff)]

        assert [answer.json()["code"] for answer in answers] == ["underage", "no_patient_record"]

    def test_who_pays_for_one_already_is_told_so_and_nobody_else(
        self, me: Caller, own: Subscription, sam: Patient, offer: Any
    ):
        join(sam, offer.year, on=TODAY)
        code = invite(own)

        answer = Caller(sam.user).post("/me/membership-invitation/accept", {"code": code})

        assert answer.json()["code"] == "already_member"
        assert statuses(me, own) == ["open"]

    def test_a_membership_that_takes_nobody_any_more_says_nothing_of_why(self, own: Subscription, sam: Patient):
        code = invite(own)
        changing.pause(subscription_id=own.pk, actor=own.payer, now=NOW)

        with pytest.raises(inviting.NotTakingMembers):
            accept(sam, code)

    def test_the_head_is_no_further_member(self, own: Subscription, guest: Patient):
        answer = Caller(guest.user).post("/me/membership-invitation/accept", {"code": invite(own)})

        assert answer.json()["code"] == "member_twice"


class TestLeaving:
    @pytest.fixture
    def joined(self, own: Subscription, sam: Patient) -> Membership:
        return accept(sam, invite(own))

    def test_they_leave_by_themselves_at_the_end_of_the_period(self, joined: Membership, sam: Patient):
        them = Caller(sam.user)
        one = f"/memberships/{joined.pk}/members/{sam.pk}"

        before = them.get(f"/memberships/{joined.pk}").json()["can"]
        answers = [them.delete(one) for _ in range(2)]

        assert before == ["remove_member"]
        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json()["ends_on"] == RENEWS.isoformat()
        assert answers[0].json()["can"] == []

    def test_who_pays_removes_them(self, joined: Membership, sam: Patient, me: Caller, own: Subscription):
        assert me.delete(f"/memberships/{own.pk}/members/{sam.pk}").status_code == 200
        joined.refresh_from_db()
        assert joined.during.upper == RENEWS

    def test_nobody_else_does(self, joined: Membership, sam: Patient, own: Subscription):
        stranger = Caller(cast.make_patient("Other", member=False).user)

        for where in (joined.pk, own.pk):
            assert stranger.delete(f"/memberships/{where}/members/{sam.pk}").status_code == 404
        # They see their own place in it, and not the membership of who pays.
        assert Caller(sam.user).get(f"/memberships/{own.pk}").status_code == 404
