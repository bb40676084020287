"""Where the API's description can be read: `/api/schema` by programs, `/api/docs` by people."""

# drf-spectacular's methods have no types.
# mypy: disallow-untyped-calls=False

from functools import cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from config import headers


@cache
def description() -> Any:
    """The description, made once a process: it takes a second of CPU, and does not change."""
    return SchemaGenerator().get_schema(request=None, public=True)


class SchemaView(SpectacularJSONAPIView):
    """`GET /api/schema`."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # noqa: ARG002 - an override
        return Response(description())


class DocsView(SpectacularSwaggerSplitView):
    """`GET /api/docs`: the description to read and to try, with assets of our own."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        response: Response = super().get(request, *args, **kwargs)
        response["Content-Security-Policy"] = headers.WITH_INLINE_STYLES
        return response
