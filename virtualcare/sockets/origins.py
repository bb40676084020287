"""From which pages a socket may be opened. A ticket is needed all the same: this keeps other pages from using one."""

from urllib.parse import urlsplit

from django.conf import settings

LOCAL = {"localhost", "127.0.0.1"}


def is_ours(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a handshake comes from a page of ours, or from no page at all: apps say no Origin, browsers always do."""
    said = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    return not said or (len(said) == 1 and is_allowed(said[0]))


def is_allowed(origin: str) -> bool:
    ours = {of(url) for url in (settings.PUBLIC_URL, settings.FRONTEND_URL, *settings.CSRF_TRUSTED_ORIGINS) if url}
    if origin in ours:
        return True
    # Of a laptop every port is ours, by either name.
    return settings.SOCKETS_FROM_LOCALHOST and is_local(origin)


def of(url: str) -> str:
    where = urlsplit(url)
    return f"{where.scheme}://{where.netloc}"


def is_local(origin: str) -> bool:
    try:
        return urlsplit(origin).hostname in LOCAL
    except ValueError:
        return False
