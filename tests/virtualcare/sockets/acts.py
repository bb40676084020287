"""What happens to a consult while sockets are open."""

from django.db import transaction
from django.utils import timezone

from clinics.models import Clinician
from tests.virtualcare import people
from tests.virtualcare.sockets.conftest import Pair
from virtualcare import news, queue
from virtualcare.models import Consult


def finish(pair: Pair) -> None:
    with transaction.atomic():
        queue.complete(consult=pair.consult, clinician=pair.doctor, actor=pair.doctors_user, now=timezone.now())


def hand_to_another(pair: Pair) -> Clinician:
    """The consult goes to another clinician, who accepted it."""
    other = people.make_doctor("Stone")
    pair.consult.carers.create(clinician=other, since=timezone.now())
    Consult.objects.filter(pk=pair.consult.pk).update(clinician=other)
    news.tell(pair.consult.pk, "status")
    return other
