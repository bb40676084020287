"""The addresses of scheduling: the API's below /api/v1, the pages behind links in messages, and feeds."""

from django.urls import path

from scheduling import pages
from scheduling.api import appointments, calendars, callers, fees, holds, slots, statuses, texts, usage

api = [
    path("slots", slots.SlotsView.as_view()),
    path("visit-types", slots.VisitTypesView.as_view()),
    path("clinics/<uuid:clinic_id>/patients", callers.CallersView.as_view()),
    path("me/calendar-feed", calendars.OwnFeedView.as_view()),
    path("me/work-calendar-feed", calendars.WorkFeedView.as_view()),
    path("employers/<uuid:employer_id>/usage", usage.UsageView.as_view()),
    path("holds", holds.HoldsView.as_view()),
    path("holds/<uuid:hold_id>", holds.HoldView.as_view()),
    path("holds/<uuid:hold_id>/extend", holds.HoldExtendView.as_view()),
    path("appointments", appointments.AppointmentsView.as_view()),
    path("appointments/overbook", appointments.OverbookView.as_view()),
    path("appointments/<uuid:visit_id>", appointments.AppointmentView.as_view()),
    path("appointments/<uuid:visit_id>/calendar.ics", calendars.CalendarFileView.as_view()),
    path("appointments/<uuid:visit_id>/reschedule", appointments.RescheduleView.as_view()),
    path("appointments/<uuid:visit_id>/confirm", appointments.ConfirmView.as_view()),
    path("appointments/<uuid:visit_id>/cancel", appointments.CancelView.as_view()),
    path("appointments/<uuid:visit_id>/status", statuses.StatusView.as_view()),
    path("appointments/<uuid:visit_id>/status/undo", statuses.UndoStatusView.as_view()),
    path("appointments/<uuid:visit_id>/waive-fee", fees.WaiveFeeView.as_view()),
    path("appointments/<uuid:visit_id>/history", appointments.HistoryView.as_view()),
]

web = [
    path("confirm/<str:token>", pages.confirm, name="confirm-visit"),
    path("cancel/<str:token>", pages.cancel, name="cancel-visit"),
    path("webhooks/twilio/sms", texts.sms),
    path("calendar/<str:secret>.ics", calendars.FeedFileView.as_view(), name="calendar-feed"),
]
