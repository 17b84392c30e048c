"""Forms of our own pages: plain HTML, read here, answered by a redirect; what cannot be used is said beside its field.

    @router.post("/my/sensors/{sensor_id}")
    async def change(request: Request, sensor_id: Number) -> Response:
        reader = await signed_in(request)
        form = await read_form(request)
        name = form.text("name", longest=100)
        if form.errors:
            return pages.render(request, "my/sensor.html", 422, form=form, ...)
        ...
        return see_other(f"/my/sensors/{sensor_id}")

`templates/forms.html` has the macros that draw a form's fields with their errors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from telstraat_api.errors import ForbiddenError, QueryError, SignInNeededError
from telstraat_api.http.access import Reader, Role, Scope, check_origin, require_role
from telstraat_api.web.pages import NOT_BY_KEY, page_reader
from telstraat_contract.languages import gettext_noop

FIELDS_MAX = 500
TEXT_MAX = 2000
SEE_OTHER = 303
HOME = "/my"
BIGGEST = 2**63 - 1
DIGITS_MAX = 19
"""So many digits any number of ours has at most; Python refuses to read thousands of them."""

MISSING = gettext_noop("Please fill this in.")
TOO_LONG = gettext_noop("This is too long.")
NO_NUMBER = gettext_noop("This is not a number that can be used here.")
NO_DAY = gettext_noop("This is not a date.")


class PageForm:
    """The fields of a form, and per field what is wrong with it (texts that the template translates).

    Parameters
    ----------
    fields
        Values by name; a name may have several, as boxes to tick do. NUL, which no text of a database holds, is left out.
    """

    def __init__(self, fields: Mapping[str, Sequence[str]] | None = None) -> None:
        self.fields: dict[str, Sequence[str]] = {
            name: [value.replace("\x00", "") for value in values] for name, values in (fields or {}).items()
        }
        self.errors: dict[str, str] = {}

    def value(self, name: str) -> str:
        """Return a field as it was sent, for drawing the form again; empty when it was not."""
        return next(iter(self.fields.get(name, ())), "")

    def values(self, name: str) -> list[str]:
        """Return every value of a field."""
        return list(self.fields.get(name, ()))

    def text(self, name: str, *, longest: int = TEXT_MAX, needed: bool = True) -> str:
        """Return a field without space around it; an error when it is empty but needed, or longer than so many characters."""
        value = self.value(name).strip()
        if needed and not value:
            self.errors[name] = MISSING
        elif len(value) > longest:
            self.errors[name] = TOO_LONG
        return value

    def whole(self, name: str, low: int, high: int, *, needed: bool = True) -> int | None:
        """Return a whole number from `low` to `high`; None where nothing stands, which is an error when it is needed."""
        value = self.text(name, longest=20, needed=needed)
        if not value:
            return None
        size = digits_in(value.removeprefix("-"))
        number = -size if size is not None and value.startswith("-") else size
        if number is not None and low <= number <= high:
            return number
        self.errors[name] = NO_NUMBER
        return None

    def day(self, name: str, *, needed: bool = True) -> date | None:
        """Return a date of the years 2000 to 2199; None where nothing stands, which is an error when it is needed."""
        value = self.text(name, longest=10, needed=needed)
        if not value:
            return None
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = None
        if day is None or not 2000 <= day.year < 2200:
            self.errors[name] = NO_DAY
            return None
        return day


def digits_in(text: str) -> int | None:
    """Return a number of ours written in the digits 0 to 9; None for anything else, also for ² and ٣, which Python calls digits."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX else None
    return number if number is not None and number <= BIGGEST else None


async def read_form(request: Request) -> PageForm:
    """Return the fields of a form that a page of ours has sent.

    Raises
    ------
    ForbiddenError
        It comes from another site.
    QueryError
        It is no form, or has more than `FIELDS_MAX` fields.
    """
    check_origin(request)
    try:
        fields = parse_qs((await request.body()).decode(), keep_blank_values=True, max_num_fields=FIELDS_MAX)
    except ValueError as error:
        raise QueryError("this form cannot be read") from error
    return PageForm(fields)


async def signed_in(request: Request, role: Role = Role.CITIZEN) -> Reader:
    """Return who reads a page that is not for everybody.

    Raises
    ------
    SignInNeededError
        Nobody is signed in: the browser is sent to sign in, and comes back.
    ForbiddenError
        Whoever is signed in has not this role, or a key is not meant for what is somebody's own.
    """
    reader = await page_reader(request)
    if reader.role is Role.PUBLIC and role is not Role.PUBLIC:
        raise await sign_in_first(request)
    require_role(reader, role)
    if reader.account_id is not None and Scope.ACCOUNTS not in reader.scopes:
        raise ForbiddenError(NOT_BY_KEY)
    return reader


async def sign_in_first(request: Request) -> SignInNeededError:
    """Return the error that sends a stranger to sign in; what they have typed into a form of ours comes with it.

    Raises
    ------
    ForbiddenError
        The form comes from another site: nothing of it is shown or sent on.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    has_typed = request.method == "POST" and kind == "application/x-www-form-urlencoded"
    return SignInNeededError(way_back(request), (await read_form(request)).fields if has_typed else None)


def way_back(request: Request) -> str:
    """Return the page that a reader wants to see: this one, or for a form the page on which it stands."""
    if request.method in {"GET", "HEAD"}:
        return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    try:
        parts = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return HOME
    return local_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)


def local_path(path: str) -> str:
    """Return a path of this site as it is, and `/my` for anything else: nobody is sent elsewhere."""
    try:
        parts = urlsplit(path)
    except ValueError:  # no address at all, such as //[
        return HOME
    is_local = path.startswith("/") and not path.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return path if is_local and path.isprintable() and len(path) <= TEXT_MAX and "\\" not in path else HOME


def see_other(path: str, **parameters: str) -> Response:
    """Return the answer that shows another page after a change; reloading it changes nothing again."""
    return RedirectResponse(f"{path}?{urlencode(parameters)}" if parameters else path, SEE_OTHER)
