"""`/api/v1/measures`: what was done in a street, when, what to compare it with, and which days must not be compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection
from pydantic import Field, field_validator, model_validator

from telstraat_api.errors import QueryError
from telstraat_api.http.access import Anybody, Professional, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import RequestBody, with_created
from telstraat_api.v1.resources import (
    After,
    Day,
    Limit,
    Line,
    Number,
    OfSegment,
    SegmentNumber,
    Text,
    Title,
    audience_of,
    check_segments,
    created_with_address,
    filtered_path,
    maker,
    page_shape,
    private,
    require_changeable,
    require_visible,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.street_features import known_zone
from telstraat_api.v1.work_shapes import MeasureList, MeasureShape
from telstraat_contract.road_users import RoadUser
from telstraat_store.connection import Database, Row
from telstraat_store.places.segments import timezones_of
from telstraat_store.work import measures as stored
from telstraat_store.work.measures import ROLES
from telstraat_store.work.published import Page

router = APIRouter(prefix="/api/v1", tags=["measures"])
PATH = "/api/v1/measures"
Kind = Literal[
    "circulation_plan", "school_street", "speed_limit", "closure", "one_way", "cycle_street", "road_layout", "other"
]
Reason = Literal["complaints", "bad month", "plan", "unknown"]
Segments = Annotated[list[SegmentNumber], Field(max_length=50)]
ALL_STREETS = "treated, controls, boundary"
DETAILS = (
    "before_days", "after_days", "transition_days", "phases", "excluded", "other_measures", "chosen_for", "closed_to",
    "speed_limit_kmh",
)  # fmt: skip


class Phase(RequestBody):
    """A part of a measure with dates of its own, such as a trial before the final lay-out; its last day is included."""

    name: Title
    first_day: Day
    last_day: Day | None = None


class ExcludedDays(RequestBody):
    """Days that must not be compared, the last included; without segments, in all streets."""

    first_day: Day
    last_day: Day
    reason: Line = "excluded by the user"
    segments: Segments = Field([])


class OtherMeasure(RequestBody):
    """Something else that changed nearby."""

    day: Day
    name: Title


def in_order(first: str, last: str | None) -> None:
    """Raise ValueError when the last day lies before the first."""
    if last is not None and last < first:
        raise ValueError(f"last_day {last} lies before first_day {first}")


class MeasureFields(RequestBody):
    """What the making and the changing of a measure have in common."""

    @field_validator("timezone", check_fields=False)
    @classmethod
    def zone_is_known(cls, name: str | None) -> str | None:
        """Refuse a time zone that does not exist."""
        return known_zone(name)

    @field_validator("phases", "excluded", check_fields=False)
    @classmethod
    def days_in_order(cls, parts: list[Any] | None) -> list[Any] | None:
        """Refuse a phase or an exclusion that ends before it begins."""
        for part in parts or []:
            in_order(part.first_day, part.last_day)
        return parts

    @model_validator(mode="after")
    def a_street_is_one_thing(self) -> MeasureFields:
        """Refuse a street that is treated and compared with at once."""
        named = Counter(number for name in ROLES for number in getattr(self, name) or [])
        twice = [number for number, times in named.items() if times > 1]
        if twice:
            raise ValueError(f"segment {twice[0]} is named twice in treated, controls and boundary: it can be only one")
        return self


class NewMeasure(MeasureFields):
    """A measure to be noted down."""

    name: Title
    kind: Kind = "other"
    description: Text = ""
    first_day: Day = Field(description="First day of the time after, included.")
    treated: Segments = Field(min_length=1, description="Streets on which it acts.")
    controls: Segments = Field([], description="Streets of the same town on which nothing was done.")
    boundary: Segments = Field([], description="Streets to which traffic may have moved.")
    timezone: str | None = Field(
        None, max_length=60, description="Of the streets; that of the first one when left out."
    )
    before_days: int = Field(56, ge=7, le=730)
    after_days: int = Field(56, ge=7, le=730)
    transition_days: int = Field(0, ge=0, le=365, description="Days from the first day on that count for neither side.")
    phases: list[Phase] = Field([], max_length=20)
    excluded: list[ExcludedDays] = Field([], max_length=100)
    other_measures: list[OtherMeasure] = Field([], max_length=50)
    chosen_for: Reason = "unknown"
    closed_to: list[RoadUser] = Field([], max_length=4, description="Classes that it keeps out altogether.")
    speed_limit_kmh: int = Field(50, ge=5, le=150)
    published: bool = False


class MeasureChange(MeasureFields):
    """What changes of a measure; what is left out, or null, stays."""

    name: Title | None = None
    kind: Kind | None = None
    description: Text | None = None
    first_day: Day | None = None
    treated: Annotated[Segments, Field(min_length=1)] | None = None
    controls: Segments | None = None
    boundary: Segments | None = None
    timezone: str | None = Field(None, max_length=60)
    before_days: int | None = Field(None, ge=7, le=730)
    after_days: int | None = Field(None, ge=7, le=730)
    transition_days: int | None = Field(None, ge=0, le=365)
    phases: list[Phase] | None = Field(None, max_length=20)
    excluded: list[ExcludedDays] | None = Field(None, max_length=100)
    other_measures: list[OtherMeasure] | None = Field(None, max_length=50)
    chosen_for: Reason | None = None
    closed_to: list[RoadUser] | None = Field(None, max_length=4)
    speed_limit_kmh: int | None = Field(None, ge=5, le=150)
    published: bool | None = None


MEASURE: dict[str, Any] = {
    "measure_id": 1,
    "name": "School street",
    "kind": "school_street",
    "description": "Closed to cars at the hours of school.",
    "first_day": "2026-03-02",
    "treated": [1001],
    "controls": [1002, 1003],
    "boundary": [1004],
    "timezone": "Europe/Brussels",
    "before_days": 56,
    "after_days": 56,
    "transition_days": 14,
    "phases": [{"name": "trial", "first_day": "2026-03-02", "last_day": "2026-06-30"}],
    "excluded": [{"first_day": "2026-03-20", "last_day": "2026-03-22", "reason": "fair", "segments": []}],
    "other_measures": [{"day": "2026-04-01", "name": "new bus line"}],
    "chosen_for": "plan",
    "closed_to": [],
    "speed_limit_kmh": 30,
    "published": True,
    "mine": False,
    "created_by": None,
    "created_at": "2026-02-01T09:00:00Z",
    "changed_at": "2026-02-01T09:00:00Z",
    "links": {"self": f"{PATH}/1", "evaluations": "/api/v1/evaluations?measure=1", "file": f"{PATH}/1/file"},
}


def measure_shape(row: Row, reader: Reader) -> dict[str, Any]:
    """Return a measure as the reader may see it."""
    number = row["measure_id"]
    usual = NewMeasure.model_fields
    details = {name: row["details"].get(name, usual[name].get_default()) for name in DETAILS}
    return {
        "measure_id": number,
        **{name: row[name] for name in ("name", "kind", "description")},
        "first_day": row["first_day"].isoformat(),
        **{name: row[name] for name in (*ROLES, "timezone")},
        **details,
        "published": row["published"],
        **maker(reader, row),
        "created_at": stamp(row["created_at"]),
        "changed_at": stamp(row["changed_at"]),
        "links": {
            "self": f"{PATH}/{number}",
            "evaluations": f"/api/v1/evaluations?measure={number}",
            "file": f"{PATH}/{number}/file",
        },
    }


async def note_down(
    connection: AsyncConnection[Any],
    new: NewMeasure,
    account_id: int | None,
    more: Mapping[str, Any] | None = None,
    form: str = "",
) -> Row:
    """Add a measure, and whatever more a page keeps with it; the same form adds one only once."""
    values = new.model_dump()
    streets = {name: values.pop(name) for name in ROLES}
    details = {name: values.pop(name) for name in DETAILS} | dict(more or {})
    await check_segments(connection, [number for numbers in streets.values() for number in numbers], ALL_STREETS)
    if not new.timezone:
        values["timezone"] = (await timezones_of(connection, new.treated))[new.treated[0]]
    return await stored.add_measure(connection, account_id, values, details, streets, form)


async def write_changes(
    connection: AsyncConnection[Any], row: Row, change: MeasureChange, more: Mapping[str, Any] | None = None
) -> Row | None:
    """Change what is given of a measure as it was read; None when it is gone."""
    values = {name: value for name, value in change.model_dump().items() if value is not None}
    streets = {name: values.pop(name) for name in ROLES if name in values}
    details = {name: values.pop(name) for name in DETAILS if name in values} | dict(more or {})
    numbers = [number for name in ROLES for number in (streets[name] if name in streets else row[name])]
    await check_segments(connection, numbers, ALL_STREETS)
    twice = [number for number, times in Counter(numbers).items() if times > 1]
    if twice:
        raise QueryError(f"segment {twice[0]} would be two of treated, controls and boundary: it can be only one")
    return await stored.change_measure(connection, row, values, details, streets)


@router.get(
    "/measures",
    summary="Measures",
    responses=described(MeasureList, {"measures": [MEASURE], "next": None}, 401, 403, 422, 503),
)
async def list_measures(
    request: Request, reader: Anybody, after: After = 0, limit: Limit = 100, segment: OfSegment = None
) -> Response:
    """Return the measures that one may see, by number: what is published, and for professionals all. Follow `next`."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored.list_measures(connection, audience_of(reader), Page(after, limit + 1), segment)
    path = filtered_path(PATH, segment=segment)

    def shape(row: Row) -> dict[str, Any]:
        return measure_shape(row, reader)

    return private(request, page_shape(path, "measures", rows, "measure_id", limit, shape))


@router.post(
    "/measures",
    summary="Note down a measure",
    status_code=201,
    responses=with_created(described(MeasureShape, MEASURE, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def add_measure(request: Request, new: NewMeasure, reader: Professional) -> Response:
    """Note down a measure with its dates and streets. Nobody but professionals sees it until it is published."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await note_down(connection, new, reader.account_id)
    return created_with_address(request, measure_shape(row, reader))


@router.get(
    "/measures/{measure_id}",
    summary="One measure",
    responses=described(MeasureShape, MEASURE, 401, 403, 404, 422, 503),
)
async def one_measure(request: Request, measure_id: Number, reader: Anybody) -> Response:
    """Return one measure. Send its `ETag` back in `If-Match` when changing it."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_visible(await stored.find_measure(connection, measure_id), reader, "measure", measure_id)
    return private(request, measure_shape(row, reader))


@router.patch(
    "/measures/{measure_id}",
    summary="Change a measure",
    responses=described(MeasureShape, MEASURE, 400, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def change_measure(request: Request, measure_id: Number, change: MeasureChange, reader: Professional) -> Response:
    """Change what is given. Evaluations that were made stay as they were: each carries the measure that it answered."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        known = await stored.find_measure(connection, measure_id)
        row = require_changeable(known, reader, "measure", measure_id)
        check_unchanged(request, measure_shape(row, reader))
        changed = await write_changes(connection, row, change)
    return private(request, measure_shape(require_visible(changed, reader, "measure", measure_id), reader))


@router.delete(
    "/measures/{measure_id}",
    summary="Delete a measure",
    responses=described(MeasureShape, MEASURE, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def delete_measure(request: Request, measure_id: Number, reader: Professional) -> Response:
    """Delete a measure and its evaluations. The answer is what it was."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.find_measure(connection, measure_id)
        body = measure_shape(require_changeable(row, reader, "measure", measure_id), reader)
        check_unchanged(request, body)
        await stored.delete_measure(connection, measure_id)
    return private(request, body)


def phase_of(measure: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the measure with the dates of one of its phases, or raise `QueryError`."""
    for phase in measure["phases"]:
        if phase["name"] == name:
            first = date.fromisoformat(phase["first_day"])
            measure_of_phase = {**measure, "name": f"{measure['name']}: {name}", "first_day": phase["first_day"]}
            if phase["last_day"] is not None:
                days = (date.fromisoformat(phase["last_day"]) - first + timedelta(days=1)).days
                measure_of_phase["after_days"] = max(7, min(measure["after_days"], days - measure["transition_days"]))
            return measure_of_phase
    raise QueryError(f"phase: the measure has no phase {name!r}")
