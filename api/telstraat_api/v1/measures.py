"""`/api/v1/measures`: what was done in a street, when, what to compare it with, and which days must not be compared."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from psycopg.types.json import Jsonb
from pydantic import Field, field_validator, model_validator

from telstraat_api.errors import QueryError
from telstraat_api.http.access import Anybody, Professional, Reader, Role, needs
from telstraat_api.http.answers import check_unchanged, stamp
from telstraat_api.v1.accounts import Wanted, made
from telstraat_api.v1.registry import known_zone
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
    asked_path,
    changeable,
    check_segments,
    created_at,
    found,
    listing,
    maker,
    page,
    private,
    remove,
    update,
    visible,
)
from telstraat_api.v1.shapes import described
from telstraat_api.v1.work_shapes import MeasureList, MeasureShape
from telstraat_store.connection import Database, Row

router = APIRouter(prefix="/api/v1", tags=["measures"])
PATH = "/api/v1/measures"
Kind = Literal[
    "circulation_plan", "school_street", "speed_limit", "closure", "one_way", "cycle_street", "road_layout", "other"
]
Kinds = Literal["pedestrian", "bike", "car", "heavy"]
Reason = Literal["complaints", "bad month", "plan", "unknown"]
Segments = Annotated[list[SegmentNumber], Field(max_length=50)]
ROLES = {"treated": "treated", "controls": "control", "boundary": "boundary"}
DETAILS = (
    "before_days", "after_days", "transition_days", "phases", "excluded", "other_measures", "chosen_for", "closed_to",
    "speed_limit_kmh",
)  # fmt: skip


class Phase(Wanted):
    """A part of a measure with dates of its own, such as a trial before the final lay-out; its last day is included."""

    name: Title
    first_day: Day
    last_day: Day | None = None


class ExcludedDays(Wanted):
    """Days that must not be compared, the last included; without segments, in all streets."""

    first_day: Day
    last_day: Day
    reason: Line = "excluded by the user"
    segments: Segments = Field([])


class OtherMeasure(Wanted):
    """Something else that changed nearby."""

    day: Day
    name: Title


def in_order(first: str, last: str | None) -> None:
    """Raise ValueError when the last day lies before the first."""
    if last is not None and last < first:
        raise ValueError(f"last_day {last} lies before first_day {first}")


class MeasureFields(Wanted):
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
    closed_to: list[Kinds] = Field([], max_length=4, description="Classes that it keeps out altogether.")
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
    closed_to: list[Kinds] | None = Field(None, max_length=4)
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
SELECT = """
select m.*, a.email,
    coalesce((select array_agg(segment_id order by place) from measure_segment p
        where p.measure_id = m.measure_id and role = 'treated'), '{}') as treated,
    coalesce((select array_agg(segment_id order by place) from measure_segment p
        where p.measure_id = m.measure_id and role = 'control'), '{}') as controls,
    coalesce((select array_agg(segment_id order by place) from measure_segment p
        where p.measure_id = m.measure_id and role = 'boundary'), '{}') as boundary
from measure m left join account a using (account_id)
"""
OF_SEGMENT = """
and (%(segment)s::bigint is null or exists (
    select from measure_segment p where p.measure_id = shown.measure_id and p.segment_id = %(segment)s
))
"""


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


async def find_measure(database: Database, number: int) -> Row | None:
    """Return a measure's row with its streets, or None."""
    return await database.row(SELECT + "where m.measure_id = %s", (number,))


async def place_segments(database: Database, number: int, wanted: NewMeasure | MeasureChange) -> None:
    """Write down which streets a measure names, in each role that was given."""
    async with database.connection() as connection, connection.transaction():
        given = {field: numbers for field in ROLES if (numbers := getattr(wanted, field)) is not None}
        roles = [ROLES[field] for field in given]
        await connection.execute(
            "delete from measure_segment where measure_id = %s and role = any(%s)", (number, roles)
        )
        for field, numbers in given.items():
            for place, segment in enumerate(numbers):
                await connection.execute(
                    "insert into measure_segment (measure_id, segment_id, role, place) values (%s, %s, %s, %s)",
                    (number, segment, ROLES[field], place),
                )


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
    rows = await database.rows(
        listing(SELECT, "measure_id", OF_SEGMENT),
        {"after": after, "limit": limit + 1, "segment": segment, **visible(reader)},
    )
    path = asked_path(PATH, segment=segment)
    return private(request, page(path, "measures", rows, "measure_id", limit, lambda row: measure_shape(row, reader)))


@router.post(
    "/measures",
    summary="Note down a measure",
    status_code=201,
    responses=made(described(MeasureShape, MEASURE, 400, 401, 403, 422, 503)),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def add_measure(request: Request, wanted: NewMeasure, reader: Professional) -> Response:
    """Note down a measure with its dates and streets. Nobody but professionals sees it until it is published."""
    database: Database = request.app.state.database
    await check_segments(
        database, [n for field in ROLES for n in getattr(wanted, field)], "treated, controls, boundary"
    )
    zone = wanted.timezone or await zone_of(database, wanted.treated[0])
    plain = wanted.model_dump()
    row = await database.row(
        """
        insert into measure (account_id, name, kind, description, first_day, timezone, details, published)
        values (%(account)s, %(name)s, %(kind)s, %(description)s, %(first_day)s, %(zone)s, %(details)s, %(published)s)
        returning measure_id
        """,
        {**plain, "account": reader.account_id, "zone": zone, "details": Jsonb({n: plain[n] for n in DETAILS})},
    )
    assert row is not None
    await place_segments(database, row["measure_id"], wanted)
    shown = found(await find_measure(database, row["measure_id"]), reader, "measure", row["measure_id"])
    return created_at(request, measure_shape(shown, reader))


async def zone_of(database: Database, segment: int) -> str:
    """Return the time zone of a street."""
    row = await database.row("select timezone from segment where segment_id = %s", (segment,))
    return str(row["timezone"]) if row else "UTC"


@router.get(
    "/measures/{measure_id}",
    summary="One measure",
    responses=described(MeasureShape, MEASURE, 401, 403, 404, 422, 503),
)
async def one_measure(request: Request, measure_id: Number, reader: Anybody) -> Response:
    """Return one measure. Send its `ETag` back in `If-Match` when changing it."""
    database: Database = request.app.state.database
    row = found(await find_measure(database, measure_id), reader, "measure", measure_id)
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
    row = changeable(await find_measure(database, measure_id), reader, "measure", measure_id)
    check_unchanged(request, measure_shape(row, reader))
    named = {field: getattr(change, field) if getattr(change, field) is not None else row[field] for field in ROLES}
    await check_segments(database, [n for numbers in named.values() for n in numbers], "treated, controls, boundary")
    twice = [n for n, times in Counter(n for numbers in named.values() for n in numbers).items() if times > 1]
    if twice:
        raise QueryError(f"segment {twice[0]} would be two of treated, controls and boundary: it can be only one")
    given = {name: value for name, value in change.model_dump().items() if value is not None and name not in ROLES}
    details = {**row["details"], **{name: given.pop(name) for name in DETAILS if name in given}}
    await update(database, "measure", "measure_id", row, {**given, "details": Jsonb(details)})
    await place_segments(database, measure_id, change)
    shown = found(await find_measure(database, measure_id), reader, "measure", measure_id)
    return private(request, measure_shape(shown, reader))


@router.delete(
    "/measures/{measure_id}",
    summary="Delete a measure",
    responses=described(MeasureShape, MEASURE, 401, 403, 404, 412, 422, 503),
    openapi_extra=needs(Role.PROFESSIONAL),
)
async def delete_measure(request: Request, measure_id: Number, reader: Professional) -> Response:
    """Delete a measure and its evaluations. The answer is what it was."""
    database: Database = request.app.state.database
    row = changeable(await find_measure(database, measure_id), reader, "measure", measure_id)
    return await remove(request, "measure", "measure_id", row, measure_shape(row, reader))


def phase_of(measure: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the measure with the dates of one of its phases, or raise `QueryError`."""
    for phase in measure["phases"]:
        if phase["name"] == name:
            first = date.fromisoformat(phase["first_day"])
            told = {**measure, "name": f"{measure['name']}: {name}", "first_day": phase["first_day"]}
            if phase["last_day"] is not None:
                days = (date.fromisoformat(phase["last_day"]) - first + timedelta(days=1)).days
                told["after_days"] = max(7, min(measure["after_days"], days - measure["transition_days"]))
            return told
    raise QueryError(f"phase: the measure has no phase {name!r}")
