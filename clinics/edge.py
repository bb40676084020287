"""The edge of the API: what every view of every app has in common.

    class Holds(Endpoint):
        shown_as = AccessEvent.What.HOLD

        class Wanted(Shape):
            slot = SlotField()

        def post(self, request: Request) -> Response:
            wanted = parse(self.Wanted, request.data)
            ...
            self.shows(held.patient_id)
            return Response(..., status=201)

        def replay(self, request: Request, body: Any, **_: Any) -> Any:
            held = access.held(self.caller, uuid.UUID(body["id"]), now=timezone.now())
            self.shows(held.patient_id)
            return body

Refusals (clinics.refusals) and errors become problems in config.problems; limits are in config.throttling and .parsers.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, ClassVar, TypeVar

from django.conf import settings
from django.db import NotSupportedError, OperationalError, connection, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from rest_framework import authentication, exceptions, permissions
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from clinics import acting, audit, counters, idempotency, second_factor, sessions, uploads
from clinics.faults import is_outdated, repeated, sqlstate
from clinics.idempotency import Answer
from clinics.models import AccessEvent, User
from clinics.refusals import Refused
from clinics.sessions import SignIn
from clinics.shapes import Shape, parse

log = logging.getLogger(__name__)

DEADLOCK_DETECTED, SERIALIZATION_FAILURE, LOCK_NOT_AVAILABLE = "40P01", "40001", "55P03"
RETRIES = 3
SAFE = ("GET", "HEAD")
T = TypeVar("T")


class Busy(Refused):
    """Others hold what this request needs, for longer than it may wait."""

    code = "busy"
    status = 503
    detail = "Others are changing the same thing right now. Try again in a second, with the same Idempotency-Key."


# Who is calling


class TokenAuthentication(authentication.BaseAuthentication):
    """By X-Session-Token, as the app client's login gives it."""

    def authenticate(self, request: Request) -> tuple[User, SignIn] | None:
        token = request.headers.get("X-Session-Token")
        if token is None:
            return None
        found = sessions.signed_in(sessions.TokenStore, token)
        if found is None:
            raise exceptions.AuthenticationFailed("This session is over, or never was. Sign in again.")
        return found.user, found

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - an override
        return 'X-Session-Token realm="Sameday"'


class CookieAuthentication(authentication.SessionAuthentication):
    """By the session cookie, as the browser client's login sets it; what changes anything needs the CSRF token, too."""

    def authenticate(self, request: Request) -> tuple[User, SignIn] | None:
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        found = sessions.signed_in(sessions.SessionStore, key) if key else None
        if found is None:
            return None
        self.enforce_csrf(request)
        return found.user, found


class SignedIn(permissions.BasePermission):
    """Anybody who is signed in; on a public view everybody. Which records they see is said by `access`."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return getattr(view, "public", False) or request.user.is_authenticated


class Endpoint(APIView):
    """A view of the API: JSON, signed in unless `public`, each POST once per Idempotency-Key, deadlocks tried again.

    A call that takes a file reads a form instead (clinics.uploads).

    Each says by `shown_as` what its answers show of patients (None: nothing), and by `shows` of whom, in every answer.
    A view with a `post` has a `replay`, too: by the time a key is sent again, its caller may see less than then.
    A `get` that takes parameters parses them in the shape `Asked`; no other call takes any.
    """

    Asked: ClassVar[type["Shape"]]

    shown_as: ClassVar[AccessEvent.What | None]
    seen: set[uuid.UUID]  # whom this answer shows
    has_said: bool

    public: ClassVar[bool] = False
    costs: ClassVar[int] = 1  # of what a caller may ask for in a minute (config.throttling): reading one thing
    is_personal = False  # whether the answer is for somebody who is signed in

    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    authentication_classes = [TokenAuthentication, CookieAuthentication]
    permission_classes = [SignedIn]
    renderer_classes = [JSONRenderer]
    metadata_class = None

    @property
    def caller(self) -> User:
        """Who is signed in, on a view that is not public."""
        user = self.request.user
        if not isinstance(user, User):
            raise exceptions.NotAuthenticated
        return user

    @property
    def session(self) -> uuid.UUID:
        """The id of the caller's session, on a view that is not public."""
        if not isinstance(self.request.auth, SignIn):
            raise exceptions.NotAuthenticated
        return self.request.auth.session

    def shows(self, *patients: uuid.UUID) -> None:
        """Say whose data the answer shows: an AccessEvent goes with it. Without arguments: nobody's, this time."""
        self.seen.update(patients)
        self.has_said = True

    def replay(self, request: Request, body: Any, **kwargs: Any) -> Any:
        """As much of `body`, which answered this POST before, as a fresh GET would show the caller now.

        The same for all who may still see it. Raises what that GET would: NotFound, for example. There is no default,
        for who may see an answer is known to its view alone.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say who may see its answer again.")

    def kept(self, body: Any) -> Any:
        """As much of `body`, which answers this POST now, as is stored for `replay`: all but secrets."""
        return body

    def initial(self, request: Request, *_args: Any, **_kwargs: Any) -> None:
        # There is one format, whatever the client accepts. Calls that fail to authenticate count against limits, too.
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request, force=True)
        try:
            self.perform_authentication(request)
        except exceptions.AuthenticationFailed:
            self.check_throttles(request)
            raise
        self.is_personal = request.user.is_authenticated
        self.check_throttles(request)
        if isinstance(request.auth, SignIn) and second_factor.is_lacking(request.auth):
            raise second_factor.SecondFactorRequired
        self.check_permissions(request)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.args, self.kwargs = args, kwargs
        self.request = asked = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(asked, *args, **kwargs)
            self.check_query(asked)
            name = (asked.method or "").lower()
            handler = getattr(self, name, None) if name in self.http_method_names else None
            response = self.run(asked, lambda: (handler or self.http_method_not_allowed)(asked, *args, **kwargs))
        except Exception as error:
            response = self.handle_exception(error)
        finally:
            uploads.close(asked.__dict__.get("_full_data"))
        self.response = self.finalize_response(asked, response, *args, **kwargs)
        patch_vary_headers(self.response, ["X-Session-Token", "Cookie"])
        if self.is_personal:
            self.response["Cache-Control"] = "no-store"
        return self.response

    def check_query(self, request: Request) -> None:
        """Raises ValidationError (400) for parameters of a call that takes none."""
        if request.method not in SAFE or not hasattr(self, "Asked"):
            parse(Shape, request.query_params)

    def run(self, request: Request, work: Callable[[], Response]) -> Response:
        """Do the work of a request: a POST with a key once, and again after a deadlock, or a migration meanwhile.

        Raises Busy when deadlocks go on or a lock is not to be had in time. What shows nobody and has no key is no
        transaction here: it may be done again only because a view makes one call, which has its own.
        """
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None and request.user.is_authenticated:
            return again(lambda: self.once(request, key, lambda: self.on_record(request, work)))
        return again(lambda: self.with_record(request, work))

    def with_record(self, request: Request, work: Callable[[], Response]) -> Response:
        """The answer of `work`. One that shows patients is one transaction with the event that says so.

        A refusal leaves it before it is answered, so that alternatives are looked for without its locks.
        """
        is_shown = self.shown_as is not None and self.is_personal
        with transaction.atomic() if is_shown and not connection.in_atomic_block else nullcontext():
            return self.on_record(request, work)

    def on_record(self, request: Request, work: Callable[[], Response]) -> Response:
        """The answer of `work`, once it is written down whom it shows. Where it can't be, nothing is shown.

        Raises RuntimeError when the view has not said whom it shows.
        """
        self.seen, self.has_said = set(), False
        response = work()
        if self.shown_as is not None and self.is_personal and response.status_code < 300:
            if not self.has_said:
                raise RuntimeError(f"{type(self).__name__} does not say whom it shows.")
            audit.shown(
                viewer=self.caller,
                patients=self.seen,
                page=acting.page_of(request),
                now=timezone.now(),
                via=AccessEvent.Via.API,
                what=self.shown_as,
            )
        return response

    def once(self, request: Request, key: str, work: Callable[[], Response]) -> Response:
        """The answer of `work`, or the one it gave to this key before, which says so in `Idempotent-Replayed`.

        The latter is authorised anew, by `replay`.
        """

        fresh: list[Response] = []

        def answer() -> Answer:
            fresh[:] = [work()]
            return Answer(fresh[0].status_code, self.kept(fresh[0].data))

        given = idempotency.once(
            user=self.caller,
            path=request.path,
            key=key,
            asked=[request.META["QUERY_STRING"], uploads.told(request.data)],
            work=answer,
        )
        if not given.replayed:
            return fresh[0]
        counters.REPLAYS.inc()

        def shown_again() -> Response:
            body = self.replay(request, given.body, **self.kwargs)
            return Response(body, status=given.status, headers={"Idempotent-Replayed": "true"})

        return self.on_record(request, shown_again)


def again(work: Callable[[], T]) -> T:
    """Do `work` again when PostgreSQL chose it as a deadlock's victim: RETRIES times, then raises Busy.

    Once more, too, when a migration had outdated what it sent: it was rolled back, and then nothing is prepared.
    """
    try:
        with repeated():
            return again_after_deadlocks(work)
    except NotSupportedError as error:
        if not is_outdated(error):
            raise
        log.warning("Rolled back: a migration came after this connection prepared its statements")
        return again_after_deadlocks(work)


def again_after_deadlocks(work: Callable[[], T]) -> T:
    """Do `work` again when PostgreSQL chose it as a deadlock's victim: RETRIES times, then raises Busy."""
    for attempt in range(RETRIES + 1):
        try:
            return work()
        except OperationalError as error:
            state = sqlstate(error)
            if state == LOCK_NOT_AVAILABLE:
                counters.LOCK_TIMEOUTS.inc()
                raise Busy from error
            if state not in (DEADLOCK_DETECTED, SERIALIZATION_FAILURE):
                raise
            log.warning("Rolled back by PostgreSQL (%s), attempt %d", state, attempt + 1)
            if attempt == RETRIES:
                raise Busy from error
            counters.DEADLOCK_RETRIES.inc()
            # Those who met once should not meet again: chance takes them apart.
            time.sleep(random.uniform(0.005, 0.05) * (attempt + 1))  # noqa: S311 - no secret
    raise AssertionError("unreachable")
