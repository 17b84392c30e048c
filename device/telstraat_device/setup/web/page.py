"""How a page is made: a template in the reader's language, with the token of the session in its forms."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from urllib.parse import parse_qs

from babel.numbers import format_decimal
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from telstraat_contract.errors import LanguageError
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_contract.languages.catalogue import Language, language
from telstraat_device.errors import SetupError
from telstraat_device.setup.owner import OwnerSession

LANGUAGE_COOKIE = "telstraat_language"
SESSION_COOKIE = "telstraat_setup"


def chosen_language(request: Request) -> str:
    """Return the language of a request: chosen before, or the first that the browser asks for and there is."""
    kept_choice = request.cookies.get(LANGUAGE_COOKIE, "")
    if kept_choice in LANGUAGES:
        return kept_choice
    for part in request.headers.get("accept-language", "").split(","):
        code = part.partition(";")[0].strip().partition("-")[0].lower()
        if code in LANGUAGES:
            return code
    return SOURCE


def words_of(code: str) -> Language:
    """Return a language; English where its catalogue cannot be read."""
    try:
        return language(code)
    except LanguageError:
        return language(SOURCE)


def as_data(value: object) -> Markup:
    """Return JSON for a data attribute."""
    return Markup.escape(json.dumps(value))


def angle_of(direction: tuple[float, float]) -> int:
    """Return the angle of a direction on the screen, in degrees."""
    return round(math.degrees(math.atan2(direction[1], direction[0])))


@lru_cache
def environment(code: str) -> Environment:
    """Return the templates in one language."""
    words = words_of(code)
    made_of = Environment(
        loader=PackageLoader("telstraat_device.setup.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made_of.filters.update(
        data=as_data, angle=angle_of, number=lambda value: format_decimal(value, locale=words.locale)
    )
    made_of.globals.update(
        _=words.gettext,
        ngettext=words.ngettext,
        code=code,
        languages={code: words_of(code).name for code in LANGUAGES},
        version=version("telstraat"),
    )
    return made_of


@dataclass(frozen=True)
class Visit:
    """A request with what it carries: its form, its session and its language."""

    request: Request
    form: Mapping[str, str]
    key: str | None
    session: OwnerSession | None
    address: str
    screen: Mapping[str, object]

    @property
    def owner(self) -> str:
        """The key of the session that each page behind the entrance has."""
        assert self.key is not None
        return self.key

    def page(self, template: str, status: int = 200, error: SetupError | None = None, **context: object) -> Response:
        """Return a page."""
        code = chosen_language(self.request)
        text = (
            environment(code)
            .get_template(template)
            .render(
                **self.screen,
                **context,
                path=self.request.url.path,
                token="" if self.session is None else self.session.form_token,
                is_owner=self.session is not None,
                error="" if error is None else words_of(code).gettext(error.text, **error.values),
            )
        )
        return HTMLResponse(text, status)

    def say(self, text: str, **values: object) -> str:
        """Return a text in the reader's language."""
        return words_of(chosen_language(self.request)).gettext(text, **values)


def go_to(path: str) -> Response:
    """Return the way to another page."""
    return RedirectResponse(path, 303)


def form_of(body: bytes) -> dict[str, str]:
    """Return the fields of a form, the last of each name."""
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    return {name: values[-1] for name, values in fields.items()}


Handler = Callable[[Visit], Response]
