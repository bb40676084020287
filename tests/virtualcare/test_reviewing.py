"""Forms and consent texts: one person writes, another publishes, and nobody changes what was published."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from clinics.models import StaffRole, User
from tests import cast
from tests.cast import NOW, Place
from tests.virtualcare import people
from virtualcare.admin.reviewing import state_of
from virtualcare.demo import forms as samples
from virtualcare.intake import consents, forms, guardians, writing
from virtualcare.models import ConsentText, ConsultConsent, IntakeForm

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
TODAY = NOW.date()
QUESTIONS = [{"code": "itches", "text": "Does it itch?", "kind": "yes_no"}]
FLAGS = [{"question": "itches", "is": True, "advice": "er"}]
SAID: dict[str, Any] = {"name": "Rash", "acuity": 4, "questions": QUESTIONS, "red_flags": FLAGS}


@pytest.fixture
def author(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Author", StaffRole.Role.CLINICIAN)


@pytest.fixture
def reviewer(avon: Place) -> User:
    return cast.make_staff(avon.clinic, "Reviewer", StaffRole.Role.MANAGER)


@pytest.fixture
def draft(author: User) -> IntakeForm:
    return writing.draft_form(complaint="rash", actor=author, now=NOW, **SAID)


@pytest.fixture
def published(draft: IntakeForm, reviewer: User) -> IntakeForm:
    writing.publish(version=draft, seen=NOW, actor=reviewer, now=NOW)
    draft.refresh_from_db()
    return draft


class TestWriting:
    def test_a_draft_is_asked_of_nobody(self, draft: IntakeForm):
        with pytest.raises(forms.UnknownComplaint):
            forms.published("rash")

    def test_another_person_publishes_it(self, draft: IntakeForm, author: User, reviewer: User):
        writing.publish(version=draft, seen=NOW, actor=reviewer, now=NOW + DAY)

        found = forms.published("rash")
        assert (found.pk, found.written_by, found.published_by) == (draft.pk, author, reviewer)
        assert found.published_at == NOW + DAY
        assert not found.is_sample

    def test_who_wrote_it_does_not(self, draft: IntakeForm, author: User):
        with pytest.raises(writing.SecondReaderNeeded):
            writing.publish(version=draft, seen=NOW, actor=author, now=NOW)

    def test_nor_does_who_changed_it_last(self, draft: IntakeForm, author: User, reviewer: User):
        writing.revise_form(form=draft, seen=NOW, actor=reviewer, now=NOW + DAY, **SAID)
        draft.refresh_from_db()

        with pytest.raises(writing.SecondReaderNeeded):
            writing.publish(version=draft, seen=NOW + DAY, actor=reviewer, now=NOW + DAY)
        writing.publish(version=draft, seen=NOW + DAY, actor=author, now=NOW + DAY)

        assert forms.published("rash").published_by == author

    def test_the_database_holds_that_too(self, draft: IntakeForm, author: User):
        with pytest.raises(IntegrityError, match="intake_form_second_person"), transaction.atomic():
            IntakeForm.objects.filter(pk=draft.pk).update(published_at=NOW, published_by=author)

    def test_what_was_changed_after_it_was_read_is_not_published(self, draft: IntakeForm, author: User, reviewer: User):
        writing.revise_form(form=draft, seen=NOW, actor=author, now=NOW + DAY, **SAID)

        with pytest.raises(writing.DraftChanged):
            writing.publish(version=draft, seen=NOW, actor=reviewer, now=NOW + DAY)

        assert not forms.complaints().exists()

    def test_of_two_who_change_it_at_once_the_second_reads_again(self, draft: IntakeForm, author: User, reviewer: User):
        writing.revise_form(form=draft, seen=NOW, actor=author, now=NOW + DAY, **SAID | {"acuity": 2})

        with pytest.raises(writing.DraftChanged):
            writing.revise_form(form=draft, seen=NOW, actor=reviewer, now=NOW + DAY, **SAID)

        draft.refresh_from_db()
        assert draft.acuity == 2

    @pytest.mark.parametrize("role", [None, StaffRole.Role.FRONT_DESK, StaffRole.Role.PARTNER, StaffRole.Role.BENEFITS])
    def test_who_is_no_author_does_none_of_it(self, role, draft: IntakeForm, avon: Place):
        other = cast.make_user("other", is_staff=True)
        if role:
            StaffRole.objects.create(user=other, role=role, organization=avon.clinic.health_system)
        day = TODAY

        for work in (
            lambda: writing.draft_form(complaint="cough", actor=other, now=NOW, **SAID),
            lambda: writing.revise_form(form=draft, seen=NOW, actor=other, now=NOW, **SAID),
            lambda: writing.publish(version=draft, seen=NOW, actor=other, now=NOW),
            lambda: writing.discard(version=draft, seen=NOW, actor=other),
            lambda: writing.retire(version=draft, actor=other, now=NOW),
            lambda: writing.draft_text(code="x", modality="", state="", body="x", from_on=day, actor=other, now=NOW),
        ):
            with pytest.raises(writing.NotAnAuthor):
                work()

        assert IntakeForm.objects.get().written_by_id != other.pk

    def test_who_runs_the_server_writes_too_and_who_left_does_not(self, author: User):
        operator = User.objects.create_superuser("operator@example.com", None)
        User.objects.filter(pk=author.pk).update(is_active=False)
        author.refresh_from_db()

        assert writing.may_write(operator)
        assert not writing.may_write(author)

    def test_a_form_that_cannot_be_used_is_refused_with_why(self, author: User):
        flags = [{"question": "itch", "is": True, "advice": "er"}]

        with pytest.raises(writing.BadForm) as refused:
            writing.draft_form(complaint="rash", actor=author, now=NOW, **SAID | {"red_flags": flags})

        assert refused.value.help()["problems"] == [
            "Red flag 1: it names a question by its code, and there is none of this code."
        ]
        assert not IntakeForm.objects.exists()

    def test_there_is_one_draft_at_a_time(self, draft: IntakeForm, author: User):
        with pytest.raises(writing.DraftExists):
            writing.draft_form(complaint="rash", actor=author, now=NOW, **SAID)

    def test_a_draft_is_thrown_away_and_its_number_is_free(self, draft: IntakeForm, author: User):
        writing.discard(version=draft, seen=NOW, actor=author)

        again = writing.draft_form(complaint="rash", actor=author, now=NOW, **SAID)

        assert again.version == 1


class TestWhatIsPublished:
    def test_a_new_version_takes_its_place(self, published: IntakeForm, author: User, reviewer: User):
        new = writing.draft_form(complaint="rash", actor=author, now=NOW, **SAID | {"name": "Itching"})
        during = forms.published("rash").version
        writing.publish(version=new, seen=NOW, actor=reviewer, now=NOW)

        assert (during, forms.published("rash").version, forms.published("rash").name) == (1, 2, "Itching")

    def test_it_is_not_changed_by_use_cases(self, published: IntakeForm, author: User, reviewer: User):
        for work in (
            lambda: writing.revise_form(form=published, seen=NOW, actor=author, now=NOW, **SAID),
            lambda: writing.publish(version=published, seen=NOW, actor=reviewer, now=NOW),
            lambda: writing.discard(version=published, seen=NOW, actor=author),
        ):
            with pytest.raises(writing.DraftChanged):
                work()

    @pytest.mark.parametrize(
        "change",
        [
            "red_flags = '[]'",
            "questions = '[]'",
            "acuity = 1",
            "published_at = NULL",
            "published_at = now()",
            "is_sample = true",
            "complaint = 'other'",
            "retired_at = now(), acuity = 1",
        ],
    )
    def test_it_is_not_changed_by_bare_sql(self, change: str, published: IntakeForm):
        with pytest.raises(IntegrityError, match="not changed"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE virtualcare_intakeform SET {change} WHERE id = %s", [published.pk])

    @pytest.mark.parametrize("model", [IntakeForm, ConsentText])
    def test_it_is_not_deleted(self, model, published: IntakeForm):
        samples.seed(now=NOW)

        with pytest.raises(IntegrityError, match="not changed"), transaction.atomic():
            model.objects.filter(published_at__isnull=False).delete()

    def test_it_is_retired_by_one_person_and_stays_so(self, published: IntakeForm, author: User, reviewer: User):
        writing.retire(version=published, actor=author, now=NOW + DAY)

        with pytest.raises(forms.UnknownComplaint):
            forms.published("rash")
        with pytest.raises(writing.NotInForce):
            writing.retire(version=published, actor=reviewer, now=NOW + DAY)
        with pytest.raises(IntegrityError, match="not changed"), transaction.atomic():
            IntakeForm.objects.filter(pk=published.pk).update(retired_at=None, retired_by=None)
        published.refresh_from_db()
        assert (published.retired_by, published.retired_at) == (author, NOW + DAY)

    def test_a_new_version_brings_a_retired_complaint_back(self, published: IntakeForm, author: User, reviewer: User):
        writing.retire(version=published, actor=author, now=NOW)
        new = writing.draft_form(complaint="rash", actor=author, now=NOW, **SAID)
        writing.publish(version=new, seen=NOW, actor=reviewer, now=NOW)

        assert forms.published("rash").version == 2

    def test_a_draft_is_not_retired(self, draft: IntakeForm, author: User):
        with pytest.raises(writing.NotInForce):
            writing.retire(version=draft, actor=author, now=NOW)

    def test_each_step_is_kept(self, published: IntakeForm, author: User):
        writing.retire(version=published, actor=author, now=NOW)

        kept = published.history.order_by("pgh_id")
        assert [(row.pgh_label, row.published_at is None, row.retired_at is None) for row in kept] == [
            ("insert", True, True),
            ("update", False, True),
            ("update", False, False),
        ]


def text(author, reviewer, *, body="Agreed.", state="", modality="", code="telehealth", from_on=TODAY):
    made = writing.draft_text(
        code=code, modality=modality, state=state, body=body, from_on=from_on, actor=author, now=NOW
    )
    writing.publish(version=made, seen=NOW, actor=reviewer, now=NOW)
    made.refresh_from_db()
    return made


class TestConsents:
    @pytest.fixture
    def both(self, author: User, reviewer: User) -> tuple[User, User]:
        return author, reviewer

    @pytest.mark.parametrize(
        "wrong", [{"code": "Tele Health"}, {"state": "ZZ"}, {"modality": "fax"}, {"body": " "}, {"body": "x\0"}]
    )
    def test_what_nobody_could_be_asked_is_refused(self, wrong, both):
        with pytest.raises(writing.BadText):
            text(*both, **wrong)

    def test_nobody_is_taken_in_where_no_text_is_published(self, both, caplog):
        text(*both, state="OH")

        assert consents.required(modality="text", state="OH", on=TODAY)
        with pytest.raises(consents.NoConsentText):
            consents.required(modality="text", state="TX", on=TODAY)
        assert "no consent text of telehealth" in caplog.text

    def test_who_has_not_agreed_is_shown_what_to(self, both):
        text(*both)
        fees = text(*both, code="fees", body="It costs.")

        with pytest.raises(consents.ConsentRequired) as refused:
            consents.agreed(modality="text", state="OH", codes=["telehealth", "other"], on=TODAY)

        assert refused.value.help()["consents"] == [
            {"code": "fees", "version": fees.version, "body": "It costs.", "is_sample": False}
        ]

    def test_who_agreed_to_an_earlier_version_has_not_agreed_to_this(self, both):
        text(*both)
        asked: dict[str, Any] = {"modality": "text", "state": "OH", "on": TODAY}
        before = consents.agreed(codes=["telehealth:1"], **asked)
        new = text(*both, body="Agreed, again.")

        with pytest.raises(consents.ConsentRequired):
            consents.agreed(codes=["telehealth:1"], **asked)

        assert [one.version for one in before] == [1]
        assert consents.agreed(codes=["telehealth:2"], **asked) == [new]
        assert consents.agreed(codes=["telehealth"], **asked) == [new]

    def test_a_text_that_is_retired_leaves_the_more_general_one(self, both):
        general, ohio = text(*both), text(*both, state="OH")
        asked: dict[str, Any] = {"modality": "text", "state": "OH", "on": TODAY}
        before = consents.required(**asked)

        writing.retire(version=ohio, actor=both[0], now=NOW)

        assert (before, consents.required(**asked)) == ([ohio], [general])

    def test_a_text_of_a_day_to_come_is_no_reason_to_forget_the_old(self, both):
        old, new = text(*both), text(*both, body="New.", from_on=TODAY + 2 * DAY)

        today = consents.required(modality="text", state="OH", on=TODAY)
        later = consents.required(modality="text", state="OH", on=TODAY + 2 * DAY)

        assert (today, later) == ([old], [new])
        assert state_of(new, {old.pk}, today=TODAY) == "published"
        assert state_of(old, {new.pk}, today=TODAY + 2 * DAY) == "superseded"

    def test_that_somebody_agreed_is_kept_by_text(self, both, pat):
        told, consult = text(*both), people.waiting(pat)

        consents.given(consult=consult, texts=[told], user=people.user_of(pat), now=NOW)

        kept = ConsultConsent.objects.get()
        assert (kept.consult, kept.text, kept.given_by, kept.given_at) == (consult, told, people.user_of(pat), NOW)


class TestGuardians:
    @pytest.mark.parametrize(
        ("born", "is_present", "refused"),
        [
            ("2008-11-24", False, False),  # eighteen today
            ("2008-11-25", False, True),
            ("2008-11-25", True, False),
            ("2026-11-01", True, False),
        ],
    )
    def test_a_minor_is_seen_with_who_acts_for_them(self, born, is_present, refused):
        year, month, day = map(int, born.split("-"))
        patient = cast.make_patient("Max", born=TODAY.replace(year=year, month=month, day=day))

        def require():
            guardians.require(patient=patient, is_present=is_present, on=TODAY)

        if refused:
            with pytest.raises(guardians.GuardianRequired):
                require()
        else:
            require()
