"""What messages of virtual care say, and what they never do (promise 18), from a consult on."""

import itertools
from datetime import timedelta
from pathlib import Path

import pytest

from clinics import sms
from clinics.messages import rendering
from clinics.models import Clinic, Clinician, Message, Patient, Proxy, Registration, StaffRole
from tests import cast
from tests.cast import NOW, at
from tests.virtualcare import people, talking
from tests.virtualcare.talking import says
from virtualcare import diverting, gaps, in_person, queue, reminding, unattended
from virtualcare.models import Consult
from virtualcare.summaries import FIELDS, correct, release
from virtualcare.waits import soon

pytestmark = pytest.mark.django_db
CANARY = "Canaria"
LANGUAGES = ["en", "es", "fr"]


@pytest.fixture
def told(avon, office, reyes):
    """The messages about a consult of a child, where everything that must not be told carries the canary."""
    child = cast.make_patient("Maximiliana-Alexandrina", born=NOW.date() - timedelta(days=3000), member=False)
    people.form(name=CANARY)
    account = people.user_of(child)
    consult = talking.active(child, reyes)
    Proxy.objects.create(user=people.user_of(cast.make_patient("Parent")), patient=child)
    Clinic.objects.update(name=f"Saint Ágnès “Lorain” {'Riverside ' * 10}"[:120])
    Clinician.objects.update(given_name=CANARY, family_name=CANARY, credentials=CANARY)
    Patient.objects.filter(pk=child.pk).update(user=None, family_name=CANARY, street=CANARY)
    Consult.objects.update(answers={CANARY: CANARY}, street=CANARY, city=CANARY)
    consult = Consult.objects.select_related("patient", "clinician").get()
    written = {"fields": dict.fromkeys(FIELDS, CANARY), "clinician": reyes, "actor": reyes.user, "now": NOW}
    in_person.book(consult=consult, clinician=reyes, slot=avon.slot(at(15), office), actor=reyes.user, now=NOW)
    unattended.call_back(now=NOW + timedelta(minutes=5))
    queue.wrap_up(consult=consult, clinician=reyes, actor=reyes.user, now=NOW)
    for hours in (2, 3.5, 4):
        reminding.tell_due(now=NOW + timedelta(hours=hours))
    consult = talking.complete(consult, reyes)
    release(consult=consult, **written)
    correct(consult=consult, version=1, **written)
    says(consult, account, CANARY)
    for hours in (2, 3.5, 4):
        reminding.tell_due(now=NOW + timedelta(hours=hours))
    says(consult, reyes, CANARY)
    return list(Message.objects.all())


@pytest.fixture
def told_who_waits(avon, reyes):
    """The messages about children who wait, are sent elsewhere, or find nobody, with the canary as above."""
    cast.make_staff(avon.clinic, "Manager", StaffRole.Role.MANAGER)
    people.form(name=CANARY)
    waits, sent = (cast.make_patient(CANARY, born=NOW.date() - timedelta(days=3000), member=False) for _ in range(2))
    consult = people.waiting(waits)
    Consult.objects.filter(pk=consult.pk).update(promised_low=20, street=CANARY, answers={CANARY: CANARY})
    soon.tell_soon(now=NOW)
    queue.nudge(now=NOW + timedelta(minutes=4))
    Registration.objects.create(patient=sent, clinic=avon.clinic)
    for status in (Consult.Status.DIVERTED, Consult.Status.ESCALATED):
        turned_away = people.waiting(sent, acuity=4)
        Consult.objects.filter(pk=turned_away.pk).update(
            status=status, advice="911", street=CANARY, answers={CANARY: CANARY}, ended_at=NOW
        )
        turned_away.refresh_from_db()
        diverting.alert_nurse(turned_away, now=NOW)
    diverting.tell_again(now=NOW + timedelta(minutes=6))
    Clinician.objects.update(given_name=CANARY, family_name=CANARY, credentials=CANARY)
    gaps.tell(now=NOW)
    return list(Message.objects.all())


FOLDER = Path(__file__).parents[2] / "virtualcare" / "templates" / "messages" / "en"
FILES = {path.name for path in FOLDER.iterdir()}


def test_none_tells_why_whose_or_to_whom_and_each_text_is_one(told, told_who_waits):
    messages = {message.pk: message for message in [*told, *told_who_waits]}.values()
    assert {message.template for message in messages} == {name.split(".")[0] for name in FILES}
    for message, language in itertools.product(messages, LANGUAGES):
        channels = [channel for channel in ("email", "sms") if f"{message.template}.{channel}.txt" in FILES]
        for channel in channels:
            written = rendering.write(
                template=message.template, channel=channel, language=language, context=message.context
            )

            assert CANARY not in f"{written.subject}{written.body}{message.context}"
            assert "{" not in written.body
            if channel == "sms":
                assert (sms.length(written.body) or 999) <= sms.LONGEST, written.body


def test_a_summary_says_where_to_read_it_and_until_when_to_ask(told):
    first = next(message for message in told if message.template == "consult_summary")

    english, spanish = (
        rendering.write(template="consult_summary", channel="email", language=language, context=first.context)
        for language in ("en", "es")
    )

    assert english.subject == "Your summary is ready"
    assert f"Sign in to read it: http://localhost:8000/consults/{Consult.objects.get().pk}" in english.body
    assert "You can ask about it there until Tuesday, December 8." in english.body
    assert spanish.subject == "Su resumen está listo"


def test_a_nurse_reads_whether_answers_or_a_clinician_sent_a_patient_on(told_who_waits):
    diverted, escalated = (
        rendering.write(template="diverted", channel="email", language="en", context=message.context).body
        for message in Message.objects.filter(template="diverted", context__is_again=False).order_by("created_at", "pk")
    )

    assert "Answers before a consult were red flags" in diverted
    assert "A clinician has sent a patient of theirs on" in escalated
