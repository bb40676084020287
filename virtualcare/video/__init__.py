"""Providers of calls, by the name that settings and rows have for them.

video.current()          # the one that new calls are held by; raises VideoNotOffered where there is none
video.of(call.provider)  # the one that holds this call
"""

import importlib

from django.conf import settings

from clinics.refusals import Refused
from virtualcare.video.port import Provider


class VideoNotOffered(Refused):
    code = "video_not_offered"
    detail = "There are no video calls here. Go on by text."


def of(name: str) -> Provider:
    """The provider that is called `name` in settings.VIDEO_ADAPTERS. Raises KeyError."""
    provider: Provider = importlib.import_module(settings.VIDEO_ADAPTERS[name]).Provider()
    return provider


def current() -> Provider:
    """The provider of settings. Raises VideoNotOffered."""
    if not settings.VIDEO_PROVIDER:
        raise VideoNotOffered
    return of(settings.VIDEO_PROVIDER)
