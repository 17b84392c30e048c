"""The language of a page: which one a request gets, and numbers and dates as that language writes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from fastapi import Request

from telstraat_contract.languages import LANGUAGES, SOURCE, pgettext_noop
from telstraat_contract.languages.catalogue import Language, language

COOKIE = "telstraat_language"
UNKNOWN = "–"
"""Stands where no number is: never 0, which is a count."""

PERCENT = pgettext_noop("on a page", "{number}%")


@dataclass(frozen=True)
class PageLanguage:
    """A language as pages use it: `_` for texts, filters for numbers and dates."""

    language: Language

    @property
    def code(self) -> str:
        """Return its code, as in `LANGUAGES`."""
        return self.language.code

    @property
    def locale(self) -> Locale:
        """Return how its numbers and dates are written."""
        return self.language.locale

    def __call__(self, text: str, /, **values: object) -> str:
        """Return the text in this language, with its values filled in."""
        return self.language.gettext(text, **values)

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """Return the form that fits the number `n`, which stands for ``{n}`` as the language writes it."""
        return self.language.ngettext(singular, plural, n, **{"n": self.number(n), **values})

    def number(self, value: float | None, digits: int = 0) -> str:
        """Write a number; a dash for what is not known."""
        if value is None:
            return UNKNOWN
        return spelt_number(self.code, round(value, digits) + 0.0, digits)

    def percent(self, share: float) -> str:
        """Write a share of 1 as a percentage that is 0 % or 100 % only when it is exactly that."""
        whole = round(share * 100)
        if 0 < share < 1 and whole in {0, 100}:
            whole = 1 if whole == 0 else 99
        return spelt_percent(self.code, whole)

    def day(self, day: date) -> str:
        """Write a day in full."""
        return spelt_day(self.code, day)

    def short_day(self, day: date) -> str:
        """Write a day as short as can be understood."""
        return spelt_short_day(self.code, day)

    def clock(self, at: datetime, tz: tzinfo) -> str:
        """Write a time of day."""
        return at.astimezone(tz).strftime("%H:%M")

    def moment(self, at: datetime, tz: tzinfo) -> str:
        """Write a day and a time of day."""
        local = at.astimezone(tz)
        return f"{format_skeleton('yMMMd', local, locale=self.locale)}, {local:%H:%M}"


# A page holds hundreds of numbers and dates, mostly those of the page before: Babel spells each of them once.


@lru_cache(maxsize=20_000)
def spelt_number(code: str, value: float, digits: int) -> str:
    """Return a number that was rounded to so many digits as the language writes it."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, pattern, locale=language(code).locale)


@lru_cache(maxsize=1000)
def spelt_percent(code: str, whole: int) -> str:
    """Return a whole percentage as the language writes it."""
    return language(code).gettext(PERCENT, number=spelt_number(code, whole, 0))


@lru_cache(maxsize=2000)
def spelt_day(code: str, day: date) -> str:
    """Return a day in full."""
    return format_date(day, "full", locale=language(code).locale)


@lru_cache(maxsize=2000)
def spelt_short_day(code: str, day: date) -> str:
    """Return a day as short as can be understood."""
    return str(format_skeleton("MMMEd", datetime(day.year, day.month, day.day), locale=language(code).locale))  # noqa: DTZ001


@lru_cache
def page_language(code: str) -> PageLanguage:
    """Return a language as pages use it."""
    return PageLanguage(language(code))


def chosen(request: Request) -> str:
    """Return the language of a request: asked for, remembered, or preferred by the browser."""
    for code in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if code in LANGUAGES:
            return str(code)
    for part in request.headers.get("accept-language", "").split(","):
        code = part.split(";")[0].strip().split("-")[0].lower()
        if code in LANGUAGES:
            return code
    return SOURCE
