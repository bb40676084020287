from django.apps import AppConfig


class VirtualcareConfig(AppConfig):
    """Care by text and video: intake, the queue, chat, calls and on-call coverage."""

    name = "virtualcare"
    verbose_name = "virtual care"
