"""`/api/v1/claims`: with the code that came with it, a citizen becomes the owner of a sensor; guessing is slow and told nothing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from telstraat_api.errors import NotFoundError, TooManyError
from telstraat_api.http.access import Contributor, Operator, Role, SignedIn, needs
from telstraat_api.http.answers import stamp
from telstraat_api.http.rates import Buckets
from telstraat_api.v1.accounts import RequestBody, created, with_created
from telstraat_api.v1.resources import private
from telstraat_api.v1.shapes import described
from telstraat_store.connection import Database, Row
from telstraat_store.places import claims as stored
from telstraat_store.places.sensors import name_of_sensor

router = APIRouter(prefix="/api/v1", tags=["registry"])
SensorId = Annotated[int, Path(ge=1, le=2**31 - 1)]
TRIES_PER_MINUTE = 1.0
TRIES_AT_ONCE = 5


class NewClaim(RequestBody):
    """The name of a sensor and the code that came with it."""

    sensor: str = Field(max_length=64, pattern=r"^[a-z0-9-]{1,64}$", examples=["linden-front"])
    code: str = Field(max_length=40, pattern=r"^[A-Za-z0-9 -]{1,40}$", examples=["7QK2-M0VD-93TX"])


class ClaimShape(BaseModel):
    """A sensor that is one's own."""

    sensor_id: int
    sensor: str
    claimed_at: str | None = Field(description="Null when an operator has said whose it is.")
    links: dict[str, str]


class ClaimList(BaseModel):
    """One's own sensors."""

    claims: list[ClaimShape]


class CodeShape(BaseModel):
    """A code with which one person becomes the owner of a sensor."""

    sensor: str
    code: str
    expires_at: str


CLAIM: dict[str, Any] = {
    "sensor_id": 1,
    "sensor": "linden-front",
    "claimed_at": "2026-03-02T08:00:00Z",
    "links": {"sensors": "/api/v1/me/sensors", "instances": "/api/v1/instances?sensor=1"},
}
CODE = {"sensor": "linden-front", "code": "7QK2-M0VD-93TX", "expires_at": "2026-05-01T08:00:00Z"}


def claim_shape(row: Row) -> dict[str, Any]:
    """Return a claim as its owner sees it."""
    return {
        "sensor_id": row["sensor_id"],
        "sensor": row["name"],
        "claimed_at": stamp(row["claimed_at"]),
        "links": {"sensors": "/api/v1/me/sensors", "instances": f"/api/v1/instances?sensor={row['sensor_id']}"},
    }


class ClaimTries:
    """How often somebody may try a code, and how often a sensor's code may be tried."""

    def __init__(self) -> None:
        self.of_account = Buckets(TRIES_PER_MINUTE, TRIES_AT_ONCE)
        self.of_sensor = Buckets(TRIES_PER_MINUTE, TRIES_AT_ONCE)

    def take(self, account_id: int, sensor: str) -> None:
        """Count a try, or raise `TooManyError`."""
        wait = max(self.of_account.take(str(account_id)), self.of_sensor.take(sensor))
        if wait:
            raise TooManyError(f"too many codes were tried; try again in {wait:.0f} s", max(1, round(wait)))


@router.get(
    "/claims",
    summary="The sensors that are one's own",
    responses=described(ClaimList, {"claims": [CLAIM]}, 401, 403, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def list_claims(request: Request, reader: SignedIn) -> Response:
    """Return the sensors that are one's own, and since when."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        rows = await stored.list_claims(connection, reader.account_id)
    return private(request, {"claims": [claim_shape(row) for row in rows]})


@router.post(
    "/claims",
    summary="Become the owner of a sensor",
    status_code=201,
    responses=with_created(described(ClaimShape, CLAIM, 400, 401, 403, 404, 422, 429, 503)),
    openapi_extra=needs(Role.CITIZEN),
)
async def claim(request: Request, new: NewClaim, reader: Contributor) -> Response:
    """Claim a sensor with the code that came with it. A code works once; wrong ones may be tried five times, then one a minute."""
    tries: ClaimTries = request.app.state.claim_tries
    database: Database = request.app.state.database
    assert reader.account_id is not None
    tries.take(reader.account_id, new.sensor)
    async with database.connection() as connection:
        row = await stored.claim_sensor(connection, new.sensor, new.code, reader.account_id)
    if row is None:
        raise NotFoundError("no sensor of this name can be claimed with this code")
    return created(request, claim_shape(row))


@router.delete(
    "/claims/{sensor_id}",
    summary="Give up a sensor",
    responses=described(ClaimShape, CLAIM, 401, 403, 404, 422, 503),
    openapi_extra=needs(Role.CITIZEN),
)
async def give_up(request: Request, sensor_id: SensorId, reader: Contributor) -> Response:
    """Stop being the owner of a sensor. Its counts stay; an operator can make a new code for the next owner."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.give_up_sensor(connection, sensor_id, reader.account_id)
    if row is None:
        raise NotFoundError(f"there is no sensor {sensor_id} of yours")
    return private(request, claim_shape(row))


@router.post(
    "/sensors/{sensor_id}/claim-code",
    summary="Make a code for the next owner of a sensor",
    status_code=201,
    responses=with_created(described(CodeShape, CODE, 401, 403, 404, 422, 503)),
    openapi_extra=needs(Role.OPERATOR),
)
async def make_code(request: Request, sensor_id: SensorId, _reader: Operator) -> Response:
    """Make a code and show it, once. An older one stops working; whoever owns the sensor stays its owner until it is claimed."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        name = await name_of_sensor(connection, sensor_id)
        if name is None:
            raise NotFoundError(f"there is no sensor {sensor_id}")
        code, ends = await stored.issue_code(connection, sensor_id, name)
    return created(request, {"sensor": name, "code": code, "expires_at": stamp(ends)})
