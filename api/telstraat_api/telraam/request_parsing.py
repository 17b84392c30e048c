"""What clients send, read leniently: JSON, a Python literal or a form, whatever its Content-Type; eight ways to write a time."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import orjson
from fastapi import Request

from telstraat_api.errors import BadRequestError
from telstraat_api.http.times import EARLIEST, LATEST
from telstraat_store.counts.windows import Window

DAYS_MAX = 93
"""Three months, the longest that clients ask for at once, and a day for those who count generously."""

IDS_MAX = 10
ID_MAX = 2**63 - 1
FORM = re.compile(r"\w+=[^\s\x00]*")
TIME = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?"
)


async def read_body(request: Request) -> dict[str, Any]:
    """Return the object in the body; an empty body is an empty object."""
    text = (await request.body()).decode("utf-8-sig", "replace").strip()
    if not text:
        return {}
    content = parse(text)
    if isinstance(content, str):  # a text that holds the object: written out twice
        content = parse(content)
    if not isinstance(content, dict):
        raise BadRequestError('the body must be one object, such as {"level": "segments", "id": 1001}')
    return {str(name): value for name, value in content.items()}


def parse(text: str) -> Any:
    """Read JSON, or the Python literal that `str(dict)` makes; never anything that would be evaluated."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError) as error:
        if FORM.fullmatch(text):
            return dict(parse_qsl(text))
        raise BadRequestError("the body is neither JSON nor a literal of Python") from error


def read_moment(value: object, name: str) -> datetime:
    """Read a time in any of the forms that clients send; what names no zone is UTC."""
    text = value.strip() if isinstance(value, str) else ""
    match = TIME.fullmatch(text)
    if match is None:
        raise BadRequestError(f"{name}={value!r} is not a time; write 2026-03-01 10:00:00Z")
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    spelt = f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}.{(fraction or '0')[:6]:0<6}"
    offset = "+00:00" if zone in {None, "Z", "z"} else zone if len(zone) > 3 else f"{zone}:00"
    try:
        at = datetime.fromisoformat(spelt + str(offset)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadRequestError(f"{name}={value!r} is not a time; write 2026-03-01 10:00:00Z") from error
    if not EARLIEST <= at <= LATEST:
        raise BadRequestError(f"{name}={value!r} lies outside of the years {EARLIEST.year} to {LATEST.year}")
    return at


def read_window(body: Mapping[str, Any], days_max: int = DAYS_MAX) -> Window:
    """Read `time_start` and `time_end`: half open, by the start of the rows."""
    for name in ("time_start", "time_end"):
        if name not in body:
            raise BadRequestError(f"{name} is missing")
    window = Window(read_moment(body["time_start"], "time_start"), read_moment(body["time_end"], "time_end"))
    if window.start > window.end:
        raise BadRequestError("time_start must not lie after time_end")
    if window.end - window.start > timedelta(days=days_max):
        raise BadRequestError(f"time_start to time_end is more than {days_max} days; ask in several calls")
    return window


def read_id(value: object, name: str = "id") -> int:
    """Read a number that comes as a number or as text."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,19}\s*", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():  # R has no other numbers of this size
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= ID_MAX:
        raise BadRequestError(f"{name}={value!r} is not a number")
    return value


def read_ids(value: object) -> list[int]:
    """Read up to ten numbers: one, a list, or text with commas."""
    parts: list[object] = []
    if isinstance(value, str):
        parts = [part for part in value.strip("[] ").split(",") if part.strip()]
    elif isinstance(value, (list, tuple)):
        parts = list(value)
    else:
        parts = [value]
    if not 1 <= len(parts) <= IDS_MAX:
        raise BadRequestError(f"id: 1 to {IDS_MAX} numbers, not {len(parts)}")
    return [read_id(part) for part in parts]


def read_word(body: Mapping[str, Any], name: str, known: Mapping[str, str], usual: str | None = None) -> str:
    """Read a word; `known` maps what clients write to what it means."""
    value = body.get(name, usual)
    if not isinstance(value, str) or value not in known:
        raise BadRequestError(f"{name}={value!r} is none of {', '.join(known)}")
    return known[value]
