"""The addresses of memberships, below /api/v1."""

from django.urls import path

from memberships import api

api = [path("plans", api.PlansView.as_view())]
