"""`/api/v1/summaries`: each street in one line, with what every figure rests on or why there is none."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from telstraat_api.http.answers import OPTIONS, json_answer, stamp
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.v1.segments import SegmentId, require_segment
from telstraat_api.v1.shapes import described
from telstraat_store.connection import Database
from telstraat_store.summaries.street_summary import (
    DayKind,
    DrivenSpeeds,
    SchoolRun,
    Spread,
    StreetSummary,
    Why,
    YearChange,
)
from telstraat_store.summaries.summary_table import (
    API_SORTS,
    StreetState,
    SummaryQuery,
    SummaryRow,
    place_among,
    read_summaries,
    summary_of,
)

router = APIRouter(prefix="/api/v1", tags=["streets"])
LIMIT_MAX = 1000


class SummaryFigures(BaseModel):
    """A street in one line, from hours that were watched whole; the same for every reader."""

    through_day: date = Field(description="Local; everything is as of its end.")
    first_day: date | None
    last_day: date | None
    kind: DayKind = Field(description="Of the usual days: school holidays in and after the long ones.")
    hours: list[int] = Field(description="Local hours that are watched on a usual day.")
    night_blind: bool = Field(description="A usual day is not watched whole: figures of days are of `hours` only.")
    good_days: int = Field(description="Of the last eight weeks: well watched, and of that kind.")
    day: float | None = Field(description="A usual day: the mean of the medians of the seven weekdays.")
    working: Spread | None = Field(description="Monday to Friday: median, 10 % and 90 %, days.")
    weekend: Spread | None
    weekdays: list[Spread | None] = Field(description="From Monday: median, smallest and largest of `days`.")
    per_class: dict[str, float] = Field(description="A usual day by class.")
    working_per_class: dict[str, float]
    weekend_per_class: dict[str, float]
    shares: dict[str, float] = Field(description="Of what could be named.")
    why: Why | None = Field(description="Why there is no usual day.")
    speed: DrivenSpeeds
    last_year: YearChange
    school: SchoolRun
    last_week: dict[str, float] = Field(description="The mean of the last seven days by class.")
    last_week_days: int
    through: dict[str, float] = Field(description="`through_day` itself by class; empty when it was not watched well.")
    uptime: float | None = Field(description="Share of the last four weeks, or since the first day.")


class SummaryPlace(BaseModel):
    """Busier than so many of the other streets, by the usual day."""

    busier_than: int
    others: int


class SegmentSummary(BaseModel):
    """A street, how its sensors are, and its summary."""

    segment_id: int
    name: str
    state: StreetState
    counted_until: str | None = Field(description="Until when the sensors that stand there now have counted, UTC.")
    made_at: str | None
    summary: SummaryFigures | None = Field(description="None before it is made for the first time.")
    links: dict[str, str]


class PlacedSummary(SegmentSummary):
    """A street's summary with its place among the others."""

    place: SummaryPlace | None


class SummaryList(BaseModel):
    """Summaries; `next` leads to the rest."""

    summaries: list[SegmentSummary]
    streets: int = Field(description="On all pages.")
    next: str | None


EXAMPLE: dict[str, Any] = {
    "segment_id": 1001, "name": "Lindenstraat", "state": "counting", "counted_until": "2026-03-03T09:00:00Z",
    "made_at": "2026-03-03T02:00:20Z",
    "summary": {
        "through_day": "2026-03-02", "first_day": "2025-01-10", "last_day": "2026-03-02", "kind": "term",
        "hours": list(range(24)), "night_blind": False, "good_days": 55, "day": 2031.5,
        "working": {"usual": 2140.0, "low": 1890.0, "high": 2400.0, "days": 40},
        "weekend": {"usual": 1630.0, "low": 1420.0, "high": 1810.0, "days": 16},
        "weekdays": [{"usual": 2100.0, "low": 1920.0, "high": 2380.0, "days": 8}, *[None] * 6],
        "per_class": {"pedestrian": 310.0, "bike": 620.0, "car": 940.0, "heavy": 61.0, "night": 100.0},
        "working_per_class": {"car": 1010.0}, "weekend_per_class": {"car": 765.0},
        "shares": {"pedestrian": 0.16, "bike": 0.32, "car": 0.49, "heavy": 0.03}, "why": None,
        "speed": {
            "v85_kmh": 37.5, "above_limit": 0.41, "limit_kmh": 30, "cars": 51840, "why": None, "why_above": None,
        },
        "last_year": {"change": -0.08, "low": -0.12, "high": -0.04, "weeks": 8, "why": None},
        "school": {
            "days": 35, "hours": [8, 15], "car": {"per_hour": 131.0, "between": 72.0, "times": 1.82},
            "bike": None, "pedestrian": None, "why": None,
        },
        "last_week": {"car": 952.0}, "last_week_days": 7, "through": {"car": 1002.0}, "uptime": 0.97,
    },
    "links": {"segment": "/api/v1/segments/1001", "page": "/street/1001"},
}  # fmt: skip


def summary_shape(row: SummaryRow) -> dict[str, Any]:
    """Return a street with its summary, as answers have it."""
    return {
        "segment_id": row.segment_id,
        "name": row.name,
        "state": row.state,
        "counted_until": stamp(row.counted_until),
        "made_at": stamp(row.made_at),
        "summary": None if row.summary is None else figures_of(row.summary),
        "links": {"segment": f"/api/v1/segments/{row.segment_id}", "page": f"/street/{row.segment_id}"},
    }


def figures_of(summary: StreetSummary) -> dict[str, Any]:
    """Return the figures of a summary; the hours of a usual week are asked for elsewhere."""
    return {name: value for name, value in asdict(summary).items() if name not in {"segment_id", "typical_hours"}}


@router.get(
    "/summaries",
    summary="Each street in one line",
    responses=described(SummaryList, {"summaries": [EXAMPLE], "streets": 1, "next": None}, 422, 503),
)
async def list_summaries(
    request: Request,
    sort: Annotated[Literal[API_SORTS], Query(description="What they are sorted by.")] = "name",  # type: ignore[valid-type]
    descending: Annotated[bool, Query(description="The largest first.")] = False,
    name: Annotated[str, Query(max_length=200, description="A part of the street's name.")] = "",
    state: Annotated[list[StreetState] | None, Query(description="Only streets in these states.")] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="How many at most.")] = 100,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="After so many.")] = 0,
) -> Response:
    """Return streets with their usual day, shares, speeds, change and uptime, each with what it rests on or why it is not known."""
    database: Database = request.app.state.database
    cache: ResponseCache = request.app.state.response_cache
    query = SummaryQuery(sort, descending, name, tuple(state or ()), limit=limit, offset=offset)

    async def make() -> bytes:
        async with database.connection() as connection:
            rows, streets = await read_summaries(connection, query)
        more = offset + len(rows) < streets
        address = request.url.include_query_params(offset=offset + limit)
        body = {
            "summaries": [summary_shape(row) for row in rows],
            "streets": streets,
            "next": f"{address.path}?{address.query}" if more else None,
        }
        return orjson.dumps(body, option=OPTIONS)

    return await cache.answer(request, ("summaries", query), make, {"Content-Type": "application/json"})


@router.get(
    "/segments/{segment_id}/summary",
    summary="One street in one line",
    responses=described(PlacedSummary, {**EXAMPLE, "place": {"busier_than": 17, "others": 23}}, 404, 422, 503),
)
async def one_summary(request: Request, segment_id: SegmentId) -> Response:
    """Return a street's summary and how many of the others it is busier than."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await require_segment(connection, segment_id)
        row = await summary_of(connection, segment_id)
        place = await place_among(connection, segment_id)
    assert row is not None, "each segment has a row"
    return json_answer(request, {**summary_shape(row), "place": None if place is None else asdict(place)})
