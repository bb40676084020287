"""Consults by text and video, who is on call for them, and what comes of them."""

from virtualcare.models.calls import Call, CallChange, CallParticipant
from virtualcare.models.chat import ChatMessage, ReadMark
from virtualcare.models.consults import Carer, Consult, ConsultChange, ConsultConsent, PassedOn
from virtualcare.models.diversions import NurseAlert, NurseCall
from virtualcare.models.duty import CoverageAlert, Duty, Modality, NurseShift, OnCallShift
from virtualcare.models.intake import Advice, ConsentText, IntakeForm
from virtualcare.models.summaries import Note, ReplyClock, Summary
from virtualcare.models.waits import WaitModel

__all__ = [
    "Advice",
    "Call",
    "CallChange",
    "CallParticipant",
    "Carer",
    "ChatMessage",
    "ConsentText",
    "Consult",
    "ConsultChange",
    "ConsultConsent",
    "CoverageAlert",
    "Duty",
    "IntakeForm",
    "Modality",
    "Note",
    "NurseAlert",
    "NurseCall",
    "NurseShift",
    "OnCallShift",
    "PassedOn",
    "ReadMark",
    "ReplyClock",
    "Summary",
    "WaitModel",
]
