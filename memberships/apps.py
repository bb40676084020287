from django.apps import AppConfig


class MembershipsConfig(AppConfig):
    """Plans, prices and who is entitled to what."""

    name = "memberships"
