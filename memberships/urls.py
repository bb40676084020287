"""The addresses of memberships: the API's below /api/v1, and what others open or call."""

from django.urls import URLPattern, URLResolver, path

from memberships import pages
from memberships.api import (
    benefits,
    employers,
    entitlements,
    invitations,
    invoices,
    memberships,
    payments,
    plans,
    proofs,
    rosters,
    stripe,
)

EMPLOYER = "employers/<uuid:employer_id>"
ROSTER = f"{EMPLOYER}/rosters/<uuid:roster_id>"
INVOICE = "invoices/<uuid:invoice_id>"
MEMBERSHIP = "memberships/<uuid:membership_id>"

api = [
    path("plans", plans.PlansView.as_view()),
    path("entitlements", entitlements.EntitlementsView.as_view()),
    path("memberships", memberships.MembershipsView.as_view()),
    path("memberships/quote", memberships.QuoteView.as_view()),
    path(MEMBERSHIP, memberships.MembershipView.as_view()),
    path(f"{MEMBERSHIP}/switch", memberships.SwitchView.as_view()),
    path(f"{MEMBERSHIP}/pause", memberships.PauseView.as_view()),
    path(f"{MEMBERSHIP}/resume", memberships.ResumeView.as_view()),
    path(f"{MEMBERSHIP}/cancel", memberships.CancelView.as_view()),
    path(f"{MEMBERSHIP}/payment-method", memberships.PaymentMethodView.as_view()),
    path(f"{MEMBERSHIP}/members", memberships.MembersView.as_view()),
    path(f"{MEMBERSHIP}/members/<uuid:patient_id>", memberships.MemberView.as_view()),
    path(f"{MEMBERSHIP}/invitations", invitations.MemberInvitationsView.as_view()),
    path(f"{MEMBERSHIP}/invitations/<uuid:invitation_id>", invitations.MemberInvitationView.as_view()),
    path("me/membership-invitation/accept", invitations.AcceptMembershipView.as_view()),
    path("me/membership-invitation/decline", invitations.DeclineMembershipView.as_view()),
    path("me/proofs", proofs.ProofsView.as_view()),
    path("payment-methods", payments.MethodsView.as_view()),
    path("payment-methods/setup", payments.SetUpView.as_view()),
    path("payment-methods/<uuid:method_id>", payments.MethodById.as_view()),
    path("invoices", invoices.Invoices.as_view()),
    path(INVOICE, invoices.InvoiceById.as_view()),
    path(f"{INVOICE}/receipt.pdf", invoices.ReceiptView.as_view()),
    path(f"{INVOICE}/pay", invoices.PayView.as_view()),
    path(f"{EMPLOYER}/enrollment", employers.EnrollmentView.as_view()),
    path(f"{EMPLOYER}/invitations", employers.SponsorInvitationsView.as_view()),
    path(f"{EMPLOYER}/roster-mapping", rosters.RosterMappingView.as_view()),
    path(f"{EMPLOYER}/rosters", rosters.RostersView.as_view()),
    path(ROSTER, rosters.RosterView.as_view()),
    path(f"{ROSTER}/rows", rosters.RosterRowsView.as_view()),
    path(f"{ROSTER}/errors.csv", rosters.RosterErrorsView.as_view()),
    path(f"{ROSTER}/approve", rosters.RosterApproveView.as_view()),
    path(f"{ROSTER}/reject", rosters.RosterRejectView.as_view()),
    path(f"{ROSTER}/undo", rosters.RosterUndoView.as_view()),
    path("me/employer-benefit", benefits.BenefitsView.as_view()),
    path("me/employer-benefit/<uuid:claim_id>", benefits.BenefitView.as_view()),
    path("me/employer-benefit/<uuid:claim_id>/offers/<uuid:offer_id>", benefits.BenefitOfferView.as_view()),
]

web: list[URLPattern | URLResolver] = [
    path("benefit/<str:token>", pages.benefit, name="benefit"),
    path("family/<str:token>", pages.family, name="family-invitation"),
    path("webhooks/stripe", stripe.event),
]
