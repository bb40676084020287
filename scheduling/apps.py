from django.apps import AppConfig


class SchedulingConfig(AppConfig):
    """Shifts, slots and appointments."""

    name = "scheduling"
