"""Reading a form with one file, within limits: for the few calls that take one. All others take JSON alone.

    class RosterForm(uploads.FormParser):
        largest = 32 * 1024 * 1024

    class RostersView(Endpoint):
        parser_classes = [RosterForm]

The file is on disk while the request lasts, never whole in memory. What it is called is not believed, nor what it says
that it is.
"""

import hashlib
from collections.abc import Sequence
from typing import IO, Any, ClassVar

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import StopFutureHandlers, TemporaryFileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from rest_framework.parsers import BaseParser

from clinics.refusals import Refused

ROUND_IT = 64 * 1024  # bytes of a form besides its file
CHUNK = 64 * 1024


class BadForm(Refused):
    code = "bad_form"
    status = 400
    detail = "This body is not a form (multipart/form-data) with one file, each field once."


class Capped(TemporaryFileUploadHandler):
    """Writes one file to disk, and stops where it is too large."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self.largest = largest
        self.read = 0
        self.files = 0
        self.file: Any = None

    def close(self) -> None:
        if self.file is not None:
            self.file.close()

    def handle_raw_input(
        self,
        input_data: Any,  # noqa: ARG002 - an override
        META: Any,  # noqa: ARG002, N803
        content_length: int,
        boundary: Any,  # noqa: ARG002
        encoding: Any = None,  # noqa: ARG002
    ) -> Any:
        if content_length > self.largest + ROUND_IT:
            raise RequestDataTooBig

    def new_file(self, *arguments: Any, **named: Any) -> None:
        self.files += 1
        if self.files > 1:
            raise BadForm
        super().new_file(*arguments, **named)
        raise StopFutureHandlers

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        self.read += len(raw_data)
        if self.read > self.largest:
            raise RequestDataTooBig
        return super().receive_data_chunk(raw_data, start)


class FormParser(BaseParser):
    """Fields as text and the file as Django's UploadedFile, in one mapping. Raises BadForm, RequestDataTooBig."""

    media_type = "multipart/form-data"
    largest: ClassVar[int] = 1024 * 1024  # bytes of the file

    def parse(self, stream: IO[Any], _media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        meta = parser_context["request"].META
        capped = Capped(self.largest)
        try:
            fields, files = MultiPartParser(meta, stream, [capped], "utf-8").parse()  # type: ignore[arg-type]
            return plain([*fields.lists(), *files.lists()])
        except RequestDataTooBig:
            capped.close()
            raise
        except (BadForm, MultiPartParserError, SuspiciousOperation, UnicodeDecodeError) as error:
            capped.close()
            raise BadForm from error


def plain(lists: Sequence[tuple[str, list[Any]]]) -> dict[str, Any]:
    """Each field with its one value. Raises BadForm."""
    read: dict[str, Any] = {}
    for name, values in lists:
        if name in read or len(values) != 1 or "\0" in name or "\0" in str(values[0]):
            raise BadForm
        read[name] = values[0]
    return read


def close(data: Any) -> None:
    """Let go of the file of a form, at the end of its request."""
    for value in data.values() if isinstance(data, dict) else ():
        if isinstance(value, UploadedFile):
            value.close()


def told(data: Any) -> Any:
    """What a body asks, as JSON, so that a request can be known again: of a file its SHA-256."""
    if not isinstance(data, dict):
        return data
    return {name: digest(value) if isinstance(value, UploadedFile) else value for name, value in data.items()}


def digest(file: "UploadedFile[Any]") -> str:
    found = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks(CHUNK):
        found.update(chunk)
    file.seek(0)
    return f"sha256:{found.hexdigest()}"
