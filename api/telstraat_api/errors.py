"""Errors of the API, each with the HTTP status and the problem type that RFC 9457 asks for.

ApiError
├── UnauthorizedError 401: a key or a session is missing or not valid
├── SignInError       400: a way to sign in that has ended or does not fit this browser
├── SignInNeededError 401: a page for people who are signed in
├── ForbiddenError    403: the role or the key's scope does not reach so far
├── ConflictError     409: something of that name exists already
├── ChangedError      412: somebody else has changed it since it was read
├── TooManyError      429: asked too often
├── NotFoundError     404: there is no such segment, sensor or page
├── BadRequestError        400: a field of a compatible client's body cannot be used
├── QueryError        422: a parameter that cannot be read, or asks for too much
├── BusyError         503: as many downloads or evaluations as allowed are under way
├── BrokerUnknownError  503: nobody has said where devices find the broker
├── EvaluationError   422: these counts cannot be evaluated, or not in time
├── JobRefusedError   422: what was deferred cannot be computed; shown to who waits for it, word for word
├── ReleaseError      422: what is laid ready for devices is no release, or would change one
├── TooManyStreamsError  503: every place for a live stream is taken
└── AnswerError       in our own client: a server answered with a problem
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class ApiError(Exception):
    """Something the API cannot answer: what, where, which value and what to do."""

    status = 500
    retry_after_s: int | None = None  # when it is worth asking again
    kind = "internal"
    title = "Something went wrong here"


class UnauthorizedError(ApiError):
    """A key or a session is missing or not valid."""

    status = 401
    kind = "unauthorized"
    title = "A key is needed"


class SignInError(ApiError):
    """A way to sign in that has ended or does not fit this browser."""

    status = 400
    kind = "sign-in"
    title = "Signing in did not work"


class SignInNeededError(UnauthorizedError):
    """A page for people who are signed in; `path` is where they wanted to go, `fields` what they have sent (None: nothing)."""

    def __init__(self, path: str, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__("sign in to see this page")
        self.path = path
        self.fields = fields


class ForbiddenError(ApiError):
    """The role or the key's scope does not reach so far."""

    status = 403
    kind = "forbidden"
    title = "This is not allowed"


class ConflictError(ApiError):
    """Something of that name exists already."""

    status = 409
    kind = "conflict"
    title = "This exists already"


class ChangedError(ApiError):
    """Somebody else has changed it since it was read."""

    status = 412
    kind = "changed"
    title = "This has changed"


class TooManyError(ApiError):
    """Asked more often than this server allows."""

    status = 429
    kind = "too-many-requests"
    title = "Too many requests"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotFoundError(ApiError):
    """There is nothing at this address."""

    status = 404
    kind = "not-found"
    title = "There is nothing here"


class QueryError(ApiError):
    """A parameter cannot be read or asks for more than one answer may hold."""

    status = 422
    kind = "bad-parameter"
    title = "A parameter cannot be used"


class BadRequestError(ApiError):
    """A body that a compatible client has sent, or a field of it, cannot be used."""

    status = 400
    kind = "bad-request"
    title = "A field cannot be used"


class EvaluationError(ApiError):
    """These counts cannot be evaluated, or not in time."""

    status = 422
    kind = "not-evaluated"
    title = "This cannot be evaluated"


class JobRefusedError(ApiError):
    """What was deferred cannot be computed; the text is for who waits for it, `why` for programs (empty: none that they know)."""

    def __init__(self, text: str, why: str = "") -> None:
        super().__init__(text)
        self.why = why

    status = 422
    kind = "not-computed"
    title = "This cannot be computed"


class BusyError(ApiError):
    """As many downloads or evaluations as allowed are under way."""

    status = 503
    retry_after_s: int | None = 60
    kind = "busy"
    title = "The server is busy"


class BrokerUnknownError(ApiError):
    """Nobody has said where devices find the broker."""

    status = 503
    kind = "broker-unknown"
    title = "Devices cannot be set up yet"


class ReleaseError(ApiError):
    """What an operator lays ready for devices is no release, or would change one that they have."""

    status = 422
    kind = "release"
    title = "This is no release"


class TooManyStreamsError(ApiError):
    """Every place for a live stream is taken."""

    status = 503
    retry_after_s: int | None = 60
    kind = "too-many-streams"
    title = "Too many live streams"


class AnswerError(ApiError):
    """A server answered our own client with a problem; `status` and `kind` are the server's."""

    def __init__(self, status: int, kind: str, detail: str) -> None:
        super().__init__(f"{status} {kind}: {detail}")
        self.status = status
        self.kind = kind
        self.detail = detail
