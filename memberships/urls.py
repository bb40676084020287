"""The addresses of memberships, below /api/v1."""

from django.urls import path

from memberships.api import PlansView

api = [path("plans", PlansView.as_view())]
