"""Plans and prices, who is entitled by them, who pays, and what employers pay for whom."""

from memberships.models.billing import (
    Charge,
    CreditNote,
    Dispute,
    Invoice,
    InvoiceLine,
    JournalEntry,
    PaymentMethod,
    ProviderEvent,
    Refund,
)
from memberships.models.employers import (
    BenefitClaim,
    BenefitGrant,
    Relationship,
    SponsorContract,
    SponsoredPeriod,
    SponsoredPerson,
    SponsorInvitation,
)
from memberships.models.grants import Membership
from memberships.models.invitations import MemberInvitation
from memberships.models.offers import BenefitOffer
from memberships.models.plans import Fee, Plan, Price, VisitPrice
from memberships.models.proofs import Proof, ProofCode
from memberships.models.rosters import Roster, RosterMapping, RosterPart, RosterRow
from memberships.models.subscriptions import Subscription, SubscriptionChange

__all__ = [
    "BenefitClaim",
    "BenefitGrant",
    "BenefitOffer",
    "Charge",
    "CreditNote",
    "Dispute",
    "Fee",
    "Invoice",
    "InvoiceLine",
    "JournalEntry",
    "MemberInvitation",
    "Membership",
    "PaymentMethod",
    "Plan",
    "Price",
    "Proof",
    "ProofCode",
    "ProviderEvent",
    "Refund",
    "Relationship",
    "Roster",
    "RosterMapping",
    "RosterPart",
    "RosterRow",
    "SponsorContract",
    "SponsorInvitation",
    "SponsoredPeriod",
    "SponsoredPerson",
    "Subscription",
    "SubscriptionChange",
    "VisitPrice",
]
