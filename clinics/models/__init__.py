"""Places, people, organizations, and what lets them in."""

from clinics.models.accounts import Attempt, SecondFactorReset, Session, User
from clinics.models.audit import AccessEvent, AccessRepeat, PatientSeen
from clinics.models.break_glass import BreakGlass
from clinics.models.clinicians import Clinician, Credential, Licence
from clinics.models.idempotency import IdempotencyKey
from clinics.models.invitations import AccountInvitation, ProxyInvitation
from clinics.models.messages import ContactPreference, InboundSms, Link, Message, SendingPace, SmsOptOut
from clinics.models.patients import Coverage, Identifier, IdentityCorrection, Patient, Proxy, Registration, Sex
from clinics.models.places import Calendar, Clinic, OpeningHours, Organization, Room
from clinics.models.staff import StaffRole

__all__ = [
    "AccessEvent",
    "AccessRepeat",
    "AccountInvitation",
    "Attempt",
    "BreakGlass",
    "Calendar",
    "Clinic",
    "Clinician",
    "ContactPreference",
    "Coverage",
    "Credential",
    "IdempotencyKey",
    "Identifier",
    "IdentityCorrection",
    "InboundSms",
    "Licence",
    "Link",
    "Message",
    "OpeningHours",
    "Organization",
    "Patient",
    "PatientSeen",
    "Proxy",
    "ProxyInvitation",
    "Registration",
    "Room",
    "SecondFactorReset",
    "SendingPace",
    "Session",
    "Sex",
    "SmsOptOut",
    "StaffRole",
    "User",
]
