"""`/api/v1/measures/{id}/following`: what a measure shows week by week, and whether one wants a letter when that changes."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from psycopg import AsyncConnection
from pydantic import BaseModel, Field

from telstraat_api.following.weeks import followed_until
from telstraat_api.http.access import Anybody, Contributor, Reader, Role, needs
from telstraat_api.http.answers import stamp
from telstraat_api.v1.accounts import RequestBody
from telstraat_api.v1.measures import measure_shape
from telstraat_api.v1.resources import Number, private, require_visible
from telstraat_api.v1.shapes import LanguageCode, described
from telstraat_contract.road_users import RoadUser
from telstraat_store.connection import Database, Row
from telstraat_store.work import followers as stored
from telstraat_store.work.measures import find_measure

router = APIRouter(prefix="/api/v1", tags=["measures"])
PATH = "/api/v1/measures"
Followed = Literal[RoadUser, "motor", "active", "all"]


class Follow(RequestBody):
    """What one wants letters about."""

    what: Followed = Field("car", description="Which traffic is followed.")
    language: LanguageCode = Field("en", description="Of the letters.")


class LookShape(BaseModel):
    """What a measure showed after so many weeks, with intervals that hold for all looks together."""

    what: str
    weeks: int
    made_at: str
    streets: dict[str, Any] = Field(description="Per treated street: looks, course, boundary, state and sentences.")


class FollowingShape(BaseModel):
    """A measure as it goes on."""

    measure_id: int
    following: bool = Field(description="Whether whoever asks gets letters.")
    what: str | None
    language: str | None
    until: str = Field(description="The day on which the weekly looks end.")
    looks: list[LookShape] = Field(description="The latest first.")
    links: dict[str, str]


LOOK = {
    "weeks": 8, "estimate": -0.31, "low": -0.42, "high": -0.18,
}  # fmt: skip
STREET = {
    "segment": "1001", "looks": [LOOK], "course": "steady", "boundary": {"1004": [0.04, -0.1, 0.2]},
    "state": {"claim": "fell", "course": "steady", "boundary 1004": "unclear"}, "refused": [],
    "sentences": {"en": ["Car traffic in Lindenstraat: 31 % less than expected (18 % to 42 %), 8 weeks after 2 March 2026."]},
}  # fmt: skip
FOLLOWING: dict[str, Any] = {
    "measure_id": 1,
    "following": True,
    "what": "car",
    "language": "nl",
    "until": "2027-03-01",
    "looks": [{"what": "car", "weeks": 8, "made_at": "2026-04-28T05:00:00Z", "streets": {"1001": STREET}}],
    "links": {"self": f"{PATH}/1/following", "measure": f"{PATH}/1"},
}


async def shape(connection: AsyncConnection[Any], measure: Row, reader: Reader) -> dict[str, Any]:
    """Return the looks at a measure and whether the reader follows it."""
    number = measure["measure_id"]
    follower = await stored.find_follower(connection, number, reader.account_id)
    looks = await stored.list_looks(connection, number)
    return {
        "measure_id": number,
        "following": follower is not None,
        "what": follower["what"] if follower else None,
        "language": follower["language"] if follower else None,
        "until": followed_until(measure_shape(measure, reader)).isoformat(),
        "looks": [
            {
                "what": look["what"],
                "weeks": look["weeks"],
                "made_at": stamp(look["made_at"]),
                "streets": look["result"],
            }
            for look in looks
        ],
        "links": {"self": f"{PATH}/{number}/following", "measure": f"{PATH}/{number}"},
    }


@router.get(
    "/measures/{measure_id}/following",
    summary="A measure week by week",
    responses=described(FollowingShape, FOLLOWING, 401, 403, 404, 422, 503),
)
async def following(request: Request, measure_id: Number, reader: Anybody) -> Response:
    """Return what each week has shown since somebody follows the measure."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        return private(request, await shape(connection, row, reader))


@router.put(
    "/measures/{measure_id}/following",
    summary="Follow a measure",
    responses=described(FollowingShape, FOLLOWING, 400, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def follow(request: Request, measure_id: Number, subscription: Follow, reader: Contributor) -> Response:
    """Ask for a letter, to the address one signs in with, whenever what the measure shows has changed."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        await stored.follow(connection, measure_id, reader.account_id, subscription.what, subscription.language)
        return private(request, await shape(connection, row, reader))


@router.delete(
    "/measures/{measure_id}/following",
    summary="Follow a measure no more",
    responses=described(FollowingShape, {**FOLLOWING, "following": False}, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def unfollow(request: Request, measure_id: Number, reader: Contributor) -> Response:
    """Get no more letters; those that have not gone yet are thrown away."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        await stored.unfollow(connection, measure_id, reader.account_id)
        return private(request, await shape(connection, row, reader))
