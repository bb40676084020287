"""The addresses of virtual care: the API's below /api/v1, pages, and what providers of calls tell."""

from django.urls import path

from virtualcare import pages
from virtualcare.api import (
    chat,
    clinician,
    colleagues,
    consults,
    coverage,
    diversions,
    following,
    in_person,
    intake,
    summaries,
    video,
)

api = [
    path("coverage", coverage.CoverageView.as_view()),
    path("intake", intake.ComplaintsView.as_view()),
    path("intake/<slug:complaint>", intake.IntakeView.as_view()),
    path("consults", consults.ConsultsView.as_view()),
    path("consults/<uuid:consult_id>", consults.ConsultView.as_view()),
    path("consults/<uuid:consult_id>/acknowledge", diversions.AcknowledgeView.as_view()),
    path("consults/<uuid:consult_id>/leave", consults.LeaveView.as_view()),
    path("consults/<uuid:consult_id>/messages", chat.MessagesView.as_view()),
    path("consults/<uuid:consult_id>/read", chat.ReadView.as_view()),
    path("consults/<uuid:consult_id>/note", summaries.NoteView.as_view()),
    path("consults/<uuid:consult_id>/summary", summaries.SummaryView.as_view()),
    path("consults/<uuid:consult_id>/slots", in_person.ConsultSlotsView.as_view()),
    path("consults/<uuid:consult_id>/book", in_person.ConsultBookView.as_view()),
    path("consults/<uuid:consult_id>/video", video.VideoView.as_view()),
    path("consults/<uuid:consult_id>/colleagues", colleagues.ColleaguesView.as_view()),
    path("consults/<uuid:consult_id>/transfer", clinician.TransferView.as_view()),
    path("consults/<uuid:consult_id>/escalate", clinician.EscalateView.as_view()),
    path("consults/<uuid:consult_id>/complete", clinician.CompleteView.as_view()),
    path("clinician/status", clinician.StatusView.as_view()),
    path("clinician/queue", clinician.QueueView.as_view()),
    path("clinician/claims", clinician.ClaimsView.as_view()),
    path("clinician/claims/<uuid:consult_id>/accept", clinician.AcceptView.as_view()),
    path("clinician/claims/<uuid:consult_id>/decline", clinician.DeclineView.as_view()),
    path("clinician/follow-ups", following.FollowUpsView.as_view()),
    path("clinician/follow-ups/<uuid:consult_id>/take", following.FollowUpTakeView.as_view()),
]

web = [
    path("console", pages.console, name="console"),
    path("consults", pages.ask, name="ask-for-consult"),
    path("consults/<uuid:consult_id>", pages.consult, name="consult"),
    path("consults/device-check", pages.device_check, name="device-check"),
    path("webhooks/livekit", video.livekit),
]
