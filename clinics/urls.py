"""The addresses of clinics and people: the API's below /api/v1, and pages."""

from django.urls import URLPattern, URLResolver, include, path

from clinics import entrance, pages
from clinics.api import (
    access_log,
    break_glass,
    clinicians,
    me,
    own_accounts,
    places,
    preferences,
    proxies,
    sessions,
    twilio,
)

api = [
    path("clinics", places.Clinics.as_view()),
    path("clinics/<uuid:clinic_id>", places.ClinicById.as_view()),
    path("clinicians", clinicians.Clinicians.as_view()),
    path("break-glass", break_glass.BreakGlassView.as_view()),
    path("break-glass/<uuid:access_id>", break_glass.BreakGlassById.as_view()),
    path("me", me.Me.as_view()),
    path("me/access-log", access_log.AccessLog.as_view()),
    path("me/dependents", me.Dependents.as_view()),
    path("me/dependents/<uuid:patient_id>/proxies", proxies.Proxies.as_view()),
    path("me/dependents/<uuid:patient_id>/proxies/<uuid:user_id>", proxies.ProxyByUser.as_view()),
    path("me/dependents/<uuid:patient_id>/invitations", proxies.Invitations.as_view()),
    path("me/dependents/<uuid:patient_id>/invitations/<uuid:invitation_id>", proxies.InvitationById.as_view()),
    path("me/dependents/<uuid:patient_id>/account-invitation", own_accounts.AccountInvitations.as_view()),
    path("me/invitations/accept", proxies.Accept.as_view()),
    path("me/account-invitation/accept", own_accounts.AcceptAccount.as_view()),
    path("me/preferences", preferences.Preferences.as_view()),
    path("me/sessions", sessions.Sessions.as_view()),
    path("me/sessions/<uuid:session_id>", sessions.SessionById.as_view()),
]

web: list[URLPattern | URLResolver] = [
    path("", pages.landing, name="landing"),
    path("demo/messages", pages.messages, name="demo-messages"),
    path("demo/messages/<uuid:message_id>/<int:number>", pages.attachment, name="demo-attachment"),
    path("staff/", include(entrance)),
    path("webhooks/twilio/status", twilio.status),
]
