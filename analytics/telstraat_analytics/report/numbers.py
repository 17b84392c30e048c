"""Numbers and dates as people of a language write them, in one place for sentence, table, chart and map."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from babel import Locale
from babel.dates import format_date, get_day_names, get_month_names
from babel.numbers import format_decimal

from telstraat_analytics.words import spoken

MINUS = "−"
DIGITS_MAX = 2
BEYOND = 1e12


def number(value: float, language: str, digits: int = 0, *, signed: bool = False) -> str:
    """Return a number as people of a language write it.

    Parameters
    ----------
    value
        Any; what is beyond all measure is written as infinite, what is no number as a dash.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.
    digits
        Decimals.
    signed
        Whether a plus is written. A minus always is: who says the direction in a word hands in `abs`. What is written
        as zero has no sign.

    Returns
    -------
    str
        With the language's mark between thousands.
    """
    if math.isnan(value):
        return "–"
    beyond = abs(value) >= BEYOND
    rounded = abs(value) if beyond else abs(round(value, digits))
    text = "∞" if beyond else format_decimal(rounded, format=_pattern(digits), locale=language)
    if rounded == 0:
        return str(text)
    return f"{MINUS if value < 0 else '+' if signed else ''}{text}"


def whole(value: float, language: str, *, signed: bool = False) -> str:
    """Return a number of crossings, with the language's mark between thousands."""
    return number(value, language, signed=signed)


def decimal(value: float, language: str, *, signed: bool = False) -> str:
    """Return a number with one decimal."""
    return number(value, language, 1, signed=signed)


def digits_for(values: tuple[float, ...], usual: int) -> int:
    """Return how many decimals it takes, up to two, that none of these is written as zero."""
    least = min(map(abs, values))
    return next((digits for digits in range(usual, DIGITS_MAX) if round(least, digits) != 0), DIGITS_MAX)


def day(value: dt.date, language: str) -> str:
    """Return a date in words, such as 7 March 2022."""
    return str(format_date(value, "long", locale=spoken(language).locale))


def chart_locale(language: str) -> dict[str, Any]:
    """Return what Vega needs to write numbers and dates in a language."""
    symbols = Locale.parse(language).number_symbols["latn"]
    months = {
        width: [get_month_names(width, locale=language)[month] for month in range(1, 13)]
        for width in ("wide", "abbreviated")
    }
    sunday_first = (6, 0, 1, 2, 3, 4, 5)  # as Vega has it; babel's 0 is Monday
    names = {
        width: [get_day_names(width, locale=language)[number] for number in sunday_first]
        for width in ("wide", "abbreviated")
    }
    return {
        "number": {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": ["", ""],
            "minus": MINUS,
        },
        "time": {
            "dateTime": "%x %X",
            "date": "%d/%m/%Y",
            "time": "%H:%M",
            "periods": ["", ""],
            "days": names["wide"],
            "shortDays": names["abbreviated"],
            "months": months["wide"],
            "shortMonths": months["abbreviated"],
        },
    }


def _pattern(digits: int) -> str:
    return f"#,##0.{'0' * digits}" if digits else "#,##0"
