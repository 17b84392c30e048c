"""The languages of the pages: gettext catalogues read from `.po` files at start, numbers and dates as each writes them."""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import lru_cache
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from fastapi import Request

NAMES = {"en": "English", "nl": "Nederlands", "fr": "Français"}
REGIONS = {"en": "en_GB", "nl": "nl_BE", "fr": "fr_BE"}
DEFAULT = "en"
COOKIE = "telstraat_language"


UNKNOWN = "–"
"""Stands where no number is: never 0, which is a count."""


@dataclass(frozen=True)
class Words:
    """One language: its texts, its numbers, its dates."""

    code: str
    locale: Locale
    catalogue: gettext.NullTranslations

    def __call__(self, text: str, **values: object) -> str:
        """Return the text in this language, with its values filled in."""
        told = self.catalogue.gettext(text)
        return told % values if values else told

    def many(self, one: str, several: str, n: int, **values: object) -> str:
        """Return the form that fits the number `n`; `%(n)s` stands for it."""
        return self.catalogue.ngettext(one, several, n) % {"n": self.number(n), **values}

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
        return format_datetime(at.astimezone(tz), "d MMM y, HH:mm", locale=self.locale)


# A page holds hundreds of numbers and dates, mostly those of the page before: Babel spells each of them once.


@lru_cache(maxsize=20_000)
def spelt_number(code: str, value: float, digits: int) -> str:
    """Return a number that was rounded to so many digits as the language writes it."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, pattern, locale=REGIONS[code])


@lru_cache(maxsize=1000)
def spelt_percent(code: str, whole: int) -> str:
    """Return a whole percentage as the language writes it."""
    return format_percent(whole / 100, "#,##0 %" if code != "en" else "#,##0%", locale=REGIONS[code])


@lru_cache(maxsize=2000)
def spelt_day(code: str, day: date) -> str:
    """Return a day in full."""
    return format_date(day, "full", locale=REGIONS[code])


@lru_cache(maxsize=2000)
def spelt_short_day(code: str, day: date) -> str:
    """Return a day as short as can be understood."""
    return str(format_skeleton("MMMEd", datetime(day.year, day.month, day.day), locale=REGIONS[code]))  # noqa: DTZ001


def untranslated(text: str) -> str:
    """Mark a text for the catalogues without translating it yet."""
    return text


@lru_cache
def words(code: str) -> Words:
    """Return a language; its catalogue is read once."""
    locale = Locale.parse(REGIONS[code])
    source = files("telstraat_api.web") / "locales" / code / "messages.po"
    if not source.is_file():
        return Words(code, locale, gettext.NullTranslations())
    with source.open("rb") as stream:
        catalogue = read_po(stream, locale=code)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Words(code, locale, gettext.GNUTranslations(compiled))


def chosen(request: Request) -> str:
    """Return the language of a request: asked for, remembered, or preferred by the browser."""
    for code in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if code in NAMES:
            return str(code)
    for part in request.headers.get("accept-language", "").split(","):
        code = part.split(";")[0].strip()[:2].lower()
        if code in NAMES:
            return code
    return DEFAULT
