"""What the resources that people make have in common: who sees and changes them, pages that follow on, no lost updates.

What is published is for everybody; what is not, for whoever made it and for professionals; whoever made it changes it, and
operators do. What one may not see is answered as if it were not there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Path, Query, Request, Response
from psycopg import AsyncConnection
from pydantic import AfterValidator, Field

from telstraat_api.errors import ForbiddenError, NotFoundError, QueryError
from telstraat_api.http.access import Reader, Role
from telstraat_api.http.answers import json_answer
from telstraat_store.connection import Row
from telstraat_store.places.segments import timezones_of
from telstraat_store.work.published import Audience

BIGGEST = 2**63 - 1
Number = Annotated[int, Path(ge=1, le=BIGGEST)]
After = Annotated[int, Query(ge=0, le=BIGGEST, description="Continue after this number.")]
Limit = Annotated[int, Query(ge=1, le=500, description="How many at most.")]
OfSegment = Annotated[int | None, Query(ge=1, le=BIGGEST, description="Only of this street segment.")]
SegmentNumber = Annotated[int, Field(ge=1, le=BIGGEST, examples=[1001])]
Text = Annotated[str, Field(max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f]*$")]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f]*$")]
Title = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]


def real_day(text: str) -> str:
    """Return a date as it was written, or raise ValueError when the calendar has none such."""
    day = date.fromisoformat(text)
    if not 2000 <= day.year < 2200:
        raise ValueError(f"{text} lies outside of the years 2000 to 2199")
    return text


def real_moment(text: str) -> str:
    """Return a time as it was written, or raise ValueError; it says how far it is from UTC."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or not 2000 <= at.year < 2200:
        raise ValueError(f"{text} must say its offset from UTC and lie in the years 2000 to 2199")
    return text


Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-03-02"]), AfterValidator(real_day)]
Moment = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})$", examples=["2026-03-02T08:00:00+01:00"]
    ),
    AfterValidator(real_moment),
]


def owns(reader: Reader, row: Row) -> bool:
    """Tell whether the reader made it."""
    return row["account_id"] is not None and row["account_id"] == reader.account_id


def sees(reader: Reader, row: Row) -> bool:
    """Tell whether the reader may see it."""
    return bool(row["published"]) or reader.role >= Role.PROFESSIONAL or owns(reader, row)


def audience_of(reader: Reader) -> Audience:
    """Return for whom the store lists: professionals see everything."""
    return Audience(reader.account_id, reader.role >= Role.PROFESSIONAL)


def require_visible(row: Row | None, reader: Reader, what: str, number: int) -> Row:
    """Return what the reader may see, or raise `NotFoundError`."""
    if row is None or not sees(reader, row):
        raise NotFoundError(f"there is no {what} {number}")
    return row


def require_changeable(row: Row | None, reader: Reader, what: str, number: int) -> Row:
    """Return what the reader may change; what they may only see is refused."""
    visible = require_visible(row, reader, what, number)
    if not owns(reader, visible) and reader.role is not Role.OPERATOR:
        raise ForbiddenError(f"only whoever made this {what}, or an operator, may change it")
    return visible


def maker(reader: Reader, row: Row) -> dict[str, Any]:
    """Return who made it, as far as the reader may know: an address is for operators and for colleagues."""
    return {
        "mine": owns(reader, row),
        "created_by": row["email"] if reader.role >= Role.PROFESSIONAL or owns(reader, row) else None,
    }


def page_shape(
    path: str, name: str, rows: Sequence[Row], key: str, limit: int, shape: Callable[[Row], Any]
) -> dict[str, Any]:
    """Return one page of a list and where it goes on. `rows` holds one more than `limit` when there is more."""
    listed = rows[:limit]
    join = "&" if "?" in path else "?"
    following = f"{path}{join}after={listed[-1][key]}&limit={limit}" if len(rows) > limit else None
    return {name: [shape(row) for row in listed], "next": following}


def filtered_path(path: str, **filters: object) -> str:
    """Return an address with the filters that were given, for `next`."""
    given = "&".join(f"{name}={value}" for name, value in filters.items() if value is not None)
    return f"{path}?{given}" if given else path


def private(request: Request, body: Any) -> Response:
    """Return an answer that depends on who asks: no cache between may keep it for others."""
    response = json_answer(request, body)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Authorization, Cookie, X-Api-Key"
    return response


def created_with_address(request: Request, body: dict[str, Any]) -> Response:
    """Return the answer about something that was made, with its address."""
    response = private(request, body)
    response.status_code = 201
    response.headers["Location"] = body["links"]["self"]
    return response


async def check_segments(connection: AsyncConnection[Any], numbers: Sequence[int], field: str) -> None:
    """Raise `QueryError` when one of the segments does not exist."""
    if not numbers:
        return
    missing = sorted(set(numbers) - set(await timezones_of(connection, numbers)))
    if missing:
        raise QueryError(f"{field}: there is no segment {missing[0]}; GET /api/v1/segments lists all")
