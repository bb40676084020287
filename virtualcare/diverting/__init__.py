"""Patients who are sent elsewhere at once, by red flags or by a clinician: what they are shown, who is told of them,
and who calls them.

    consult = …                                   # written down as diverted: virtualcare.consulting
    diverting.alert_nurse(consult, now=now)       # in the same transaction
    diverting.acknowledge(consult=consult, user=user, now=now)
"""

from virtualcare.diverting.advising import ADVICE, EXAMPLE, AdviceShown, advice, sentence
from virtualcare.diverting.alerting import AGAIN, MOST, alert_nurse, tell_again
from virtualcare.diverting.answering import NotDiverted, NothingSaid, acknowledge, note_call
from virtualcare.diverting.seeing import SEEN_FOR, diversion, diversions, is_open

__all__ = [
    "ADVICE",
    "AGAIN",
    "EXAMPLE",
    "MOST",
    "SEEN_FOR",
    "AdviceShown",
    "NotDiverted",
    "NothingSaid",
    "acknowledge",
    "advice",
    "alert_nurse",
    "diversion",
    "diversions",
    "is_open",
    "note_call",
    "sentence",
    "tell_again",
]
