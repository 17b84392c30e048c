"""Pages for people: templates rendered in the reader's language, for whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import CodeType
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket, BytecodeCache
from markupsafe import Markup

from telstraat_api.additions import NOTHING, Additions
from telstraat_api.errors import ForbiddenError, UnauthorizedError
from telstraat_api.http.access import EVERYBODY, SAFE, SCOPES, Reader, Role, reader_of
from telstraat_api.http.answers import tag_of, tags
from telstraat_api.settings import ApiSettings
from telstraat_api.web import assets
from telstraat_api.web.error_words import words_of_status
from telstraat_api.web.languages import COOKIE, PageLanguage, chosen, page_language
from telstraat_api.web.names import ROLE_NAMES, SPLIT
from telstraat_contract.languages import LANGUAGES, SOURCE, gettext_noop
from telstraat_contract.languages.catalogue import language
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import TOGETHER

ERROR_TITLES = (
    gettext_noop("There is nothing here"),
    gettext_noop("A parameter cannot be used"),
    gettext_noop("The database does not answer"),
    gettext_noop("Too many live streams"),
    gettext_noop("Something went wrong here"),
    gettext_noop("Not Found"),
    gettext_noop("Method Not Allowed"),
)
NO_PAGE = gettext_noop("No page has this address: a number or a word in it is mistyped, or never was one.")
NO_VALUE = gettext_noop("What this address says of {names} cannot be used here.")
NOT_BY_KEY = (
    "this key may do less than its owner: pages are for browsers that have signed in, keys for the addresses of the API"
)
YEAR_S = 365 * 86_400


def as_json(value: object) -> Markup:
    """Return JSON that may stand inside a script element."""
    text = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()
    escaped = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(escaped)  # noqa: S704


class CompiledOnce(BytecodeCache):
    """Keeps compiled templates for as long as the process lives: a page is compiled by its first reader, however many servers there are."""

    def __init__(self) -> None:
        self.codes: dict[tuple[str, str], CodeType | None] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled of the same source."""
        bucket.code = self.codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self.codes[bucket.key, bucket.checksum] = bucket.code


COMPILED = {code: CompiledOnce() for code in LANGUAGES}
"""By language: what a filter makes of a constant is compiled in."""


class Pages:
    """Renders templates in the reader's language."""

    def __init__(self, settings: ApiSettings, additions: Additions = NOTHING) -> None:
        self.settings = settings
        self.additions = additions
        self.environments = {code: self.environment(page_language(code)) for code in LANGUAGES}

    def environment(self, _: PageLanguage) -> Environment:
        """Return the templates in one language."""
        own = self.additions.templates
        environment = Environment(
            loader=ChoiceLoader([PackageLoader("telstraat_api.web"), *([own] if own else [])]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            bytecode_cache=COMPILED.get(_.code),
        )
        # A page has hundreds of these: a filter costs a tenth of a call.
        environment.filters.update(
            json=as_json, number=_.number, percent=_.percent, clock=_.clock, short_day=_.short_day
        )
        environment.globals.update(
            _=_,
            w=_,
            ngettext=_.ngettext,
            asset=assets.address,
            site=self.settings,
            languages={code: language(code).name for code in LANGUAGES},
            classes=TOGETHER,
            class_names=PLURALS,
            split_classes=SPLIT,
            roles=Role,
            role_names=ROLE_NAMES,
            additions=self.additions,
            **self.additions.context,
        )
        return environment

    def html(self, request: Request, template: str, **context: object) -> str:
        """Return a page's text."""
        return (
            self.environments[chosen(request)]
            .get_template(template)
            .render(
                request=request,
                visitor=visitor_of(request),
                is_here=lambda path: is_at(request, path),
                here=lambda **changes: changed(request, **changes),
                **context,
            )
        )

    def render(self, request: Request, template: str, status: int = 200, **context: object) -> Response:
        """Return a page; 304 where the browser has it as it is."""
        body = self.html(request, template, **context).encode()
        headers = page_headers(request)
        if status == HTTPStatus.OK and request.method in {"GET", "HEAD"}:
            headers["ETag"] = tag_of(body)
            if headers["ETag"] in tags(request, "if-none-match"):
                return remembering(request, Response(status_code=304, headers=headers))
        return remembering(request, Response(body, status, headers=headers))

    def error(self, request: Request, status: int, title: str, detail: str) -> Response:
        """Return a page that says what went wrong: in English what programs are told, in other languages the same, or what it means."""
        _ = page_language(chosen(request))
        words = words_of_status(status)
        shown_title = title if _.code == SOURCE or _(title) != title else words.title
        shown_detail = detail if _.code == SOURCE or (detail and _(detail) != detail) else words.sentence
        return self.told_error(request, status, shown_title, _(shown_detail) if shown_detail else "")

    def told_error(self, request: Request, status: int, title: str, detail: str) -> Response:
        """Return the page of an error whose detail is in the reader's language already."""
        phrase = HTTPStatus(status).phrase
        return self.render(request, "error.html", status, title=title, detail=detail, phrase=phrase, code=status)

    def keep_typed(self, request: Request, fields: Mapping[str, Sequence[str]]) -> Response:
        """Return the page for who is signed out, but has filled in a form: it holds the form, to be sent once they are signed in."""
        words = [value for values in fields.values() for value in values if len(value.split()) > 1]
        response = self.render(request, "sign_in/signed_out.html", 401, fields=fields, words=words)
        response.headers["Cache-Control"] = "no-store"
        return response

    def wrong_address(self, request: Request, places: Sequence[Sequence[int | str]]) -> Response:
        """Return the page about an address that cannot be, in our words: a path, or values after its question mark."""
        _ = page_language(chosen(request))
        if any(place[0] == "path" for place in places):
            return self.told_error(request, 404, "There is nothing here", _(NO_PAGE))
        names = ", ".join(dict.fromkeys(str(place[-1]) for place in places))
        return self.told_error(request, 422, "A parameter cannot be used", _(NO_VALUE, names=names))


def page_headers(request: Request) -> dict[str, str]:
    """Return the headers of a page."""
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Language": chosen(request),
        "Vary": "Accept-Language, Cookie, Authorization, X-Api-Key",
        "Cache-Control": "no-cache" if visitor_of(request).account_id is None else "private, no-cache",
    }


def remembering(request: Request, response: Response) -> Response:
    """Have the browser remember the language that was asked for."""
    if request.query_params.get("lang") in LANGUAGES:
        response.set_cookie(COOKIE, chosen(request), max_age=YEAR_S, samesite="lax", httponly=True)
    return response


def is_at(request: Request, path: str) -> bool:
    """Tell whether a page lies at a path or below it; the town's own path has nothing below."""
    here = request.url.path
    return here == path or (path != "/" and here.startswith(f"{path}/"))


def changed(request: Request, **changes: str | None) -> str:
    """Return this page's address with some parameters changed or, when None, left out."""
    values = {**request.query_params, **changes}
    query = urlencode({name: value for name, value in values.items() if value is not None})
    return f"{request.url.path}?{query}" if query else request.url.path


def page_number(request: Request) -> int:
    """Return which page of a list is asked for, from 1; the first for what is no number."""
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1


async def page_reader(request: Request) -> Reader:
    """Return who reads a page, and remember it for the page's head; a session that has ended is nobody's.

    Raises
    ------
    ForbiddenError
        A key changes something that may not do everything which its owner may: forms do not ask for scopes one by one.
    """
    try:
        reader = await reader_of(request)
    except UnauthorizedError:
        reader = EVERYBODY
    if request.method not in SAFE and reader.account_id is not None and not reader.scopes.issuperset(SCOPES):
        raise ForbiddenError(NOT_BY_KEY)
    request.state.visitor = reader
    return reader


def visitor_of(request: Request) -> Reader:
    """Return who reads a page, as `page_reader` has found out; everybody before that, as on a page that says what went wrong."""
    visitor: Reader = getattr(request.state, "visitor", EVERYBODY)
    return visitor
