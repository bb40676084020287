"""How the admin looks."""

from django.http import HttpRequest
from django.templatetags.static import static


def style(_request: HttpRequest) -> str:
    """The address of our own style sheet there."""
    return static("clinics/admin.css")
