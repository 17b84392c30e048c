"""Numbers and dates as people of a language write them, in one place for sentence, table, chart and map."""

from __future__ import annotations

import datetime as dt
from typing import Any

from babel import Locale
from babel.dates import format_date, get_day_names, get_month_names
from babel.numbers import format_decimal

MINUS = "−"


def whole(value: float, language: str, *, signed: bool = False) -> str:
    """Return a number of crossings, with the language's mark between thousands."""
    return _signed(value, format_decimal(abs(round(value)), format="#,##0", locale=language), signed)


def decimal(value: float, language: str, *, signed: bool = False) -> str:
    """Return a number with one decimal."""
    return _signed(value, format_decimal(abs(value), format="#,##0.0", locale=language), signed)


def day(value: dt.date, language: str) -> str:
    """Return a date in words, such as 7 March 2022."""
    return str(format_date(value, "d MMMM y", locale=language))


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


def _signed(value: float, digits: str, signed: bool) -> str:
    if not any(one in "123456789" for one in digits):
        return digits
    return f"{MINUS if value < 0 else '+' if signed else ''}{digits}"
