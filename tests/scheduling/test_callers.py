"""The front desk books for somebody whom the clinic does not know yet."""

from datetime import date

import pytest
import time_machine

from clinics.models import Patient
from scheduling import callers
from tests import cast
from tests.calls import Caller
from tests.cast import NOW, at

TODAY = NOW.date()
MIA = {"given_name": "Mia", "family_name": "Lopez", "birth_date": date(1988, 5, 4)}


def admit(place, **details):
    return callers.admit(clinic=place.clinic, today=TODAY, **{**MIA, "phone": "+12015550123", **details})


@pytest.mark.django_db
class TestAdmit:
    def test_it_begins_a_record_and_finds_it_again(self, avon):
        patient, is_new = admit(avon)
        again, is_new_again = admit(avon, given_name="MIA", family_name="lopez")

        assert (is_new, is_new_again) == (True, False)
        assert again == patient
        assert patient.registrations.get().clinic == avon.clinic

    def test_it_finds_a_member_who_signed_up_online(self, avon):
        member = cast.make_patient("Maria")
        Patient.objects.filter(pk=member.pk).update(preferred_name="Mia", family_name="Lopez", email="mia@example.com")

        found, is_new = admit(avon, birth_date=member.birth_date, email="Mia@example.com")

        assert (found, is_new) == (member, False)

    def test_it_takes_nobody_for_somebody_else(self, avon):
        first, _ = admit(avon)

        for other in ({"phone": "+12015550199"}, {"birth_date": date(1988, 5, 5)}, {"given_name": "Ida"}):
            found, is_new = admit(avon, **other)
            assert is_new
            assert found != first

    def test_it_wants_more_than_name_and_birth_date_and_does_not_guess(self, avon):
        with pytest.raises(callers.HowToReach):
            admit(avon, phone="")
        for _ in range(2):
            twin = cast.make_patient("Mia", born=date(1988, 5, 4))
            Patient.objects.filter(pk=twin.pk).update(family_name="Lopez", phone="+12015550123")
        with pytest.raises(callers.SeveralFit):
            admit(avon)

    def test_it_lets_the_desk_book_for_them(self, avon, office, desk):
        body = {**MIA, "birth_date": "1988-05-04", "phone": "+12015550123"}

        with time_machine.travel(NOW, tick=False):
            caller = Caller(desk)
            admitted = caller.post(f"/clinics/{avon.clinic.pk}/patients", body)
            slot = avon.slot(at(10), office).id
            held = caller.post("/holds", {"slot": slot, "patient": admitted.json()["id"]})
            booked = caller.post("/appointments", {"hold": held.json()["id"], "accept_price": 14_900})

        assert (admitted.status_code, held.status_code, booked.status_code) == (201, 201, 201)
        assert booked.json()["patient"]["name"] == "Mia Lopez"


@pytest.mark.django_db(transaction=True)
def test_it_begins_one_record_when_two_desks_ask_at_once(avon):
    found = cast.at_the_same_time(lambda _: admit(avon), range(6))

    assert sum(is_new for _, is_new in found) == 1
    assert len({patient.pk for patient, _ in found}) == 1
