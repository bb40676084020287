"""Who could take a patient over now: what `offers.obstacle` asks of one clinician, asked of all on duty at once."""

from datetime import datetime

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from clinics.models import Clinician, Licence, Proxy
from virtualcare import duty
from virtualcare.models import Consult, Modality, OnCallShift

MOST = 50  # of whom a hand-over offers a choice


def who_could_take(consult: Consult, *, now: datetime) -> QuerySet[Clinician]:
    """At most MOST colleagues to whom `consult` could be handed over now, by name; nobody unless it is active.

    They are on call for such consults, available and heard of, have room and no offer before them, hold a licence where
    the patient is, and are neither the patient nor of the family. Whoever is named is asked for it again. Needs the
    consult's patient loaded.
    """
    if consult.status != Consult.Status.ACTIVE:
        return Clinician.objects.none()
    held = Consult.objects.filter(clinician=OuterRef("pk"), status__in=Consult.HELD)
    family = Proxy.objects.filter(user=OuterRef("user"), patient=consult.patient_id)
    licences = Licence.objects.filter(clinician=OuterRef("pk"), state=consult.state)
    found = Clinician.objects.filter(
        # Both days, whosever day it is: a licence counts that holds on both, a proxy that is in force on either.
        *(Exists(licences.filter(during__contains=day)) for day in duty.days(now)),
        *(~Exists(family.active(on=day)) for day in duty.days(now)),
        ~Exists(held.filter(status=Consult.Status.OFFERED)),
        ~Q(pk=consult.clinician_id),
        user__is_active=True,
        duty__available=True,
        duty__heard_at__gte=now - duty.FRESH,
    )
    # Of shifts there is at most one now, and many besides.
    shift = OnCallShift.objects.filter(
        clinician=OuterRef("pk"), during__contains=now, modalities__contains=[consult.modality]
    )
    found = found.annotate(capacity=Subquery(shift.values("capacity"))).exclude(capacity=None)
    if consult.patient.user_id is not None:
        found = found.exclude(user=consult.patient.user_id)
    if consult.modality == Modality.VIDEO:
        found = found.filter(~Exists(held.filter(modality=Modality.VIDEO)))
    else:
        texts = held.filter(modality=Modality.TEXT).order_by().values("clinician").annotate(number=Count("pk"))
        found = found.annotate(texts=Coalesce(Subquery(texts.values("number")), 0)).filter(texts__lt=F("capacity"))
    return found.order_by("family_name", "given_name", "pk")[:MOST]
