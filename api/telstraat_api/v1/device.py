"""`/api/v1/device`: a device gets a password and a token of its own for its claim code, asks how it stands, and says that it ends.

Whoever guesses learns nothing: a sensor that does not exist, a wrong code, one that has ended and one of a retired sensor get the
same words. Tries are counted by address and by code, not by sensor: nobody shall keep a stranger's sensor from being set up.
"""

from __future__ import annotations

import ipaddress
import logging
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import State

from telstraat_api.errors import (
    BrokerUnknownError,
    ConflictError,
    NotFoundError,
    QueryError,
    TooManyError,
    UnauthorizedError,
)
from telstraat_api.http.answers import stamp
from telstraat_api.http.rates import Buckets, asker_of
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.accounts import RequestBody, created, with_created
from telstraat_api.v1.resources import private
from telstraat_api.v1.shapes import described
from telstraat_contract.claims import claim_hash
from telstraat_store.connection import Database, Row
from telstraat_store.devices import enrolment as stored
from telstraat_store.devices.enrolment import Enrolment, EnrolOutcome, Street
from telstraat_store.errors import NoSuchRecordError

log = logging.getLogger("telstraat.api")
router = APIRouter(prefix="/api/v1", tags=["device"])
TRIES_PER_MINUTE = 6.0
TRIES_AT_ONCE = 15
DOES_NOT_FIT = "no sensor of this name can be set up with this code"
Name = Annotated[str, Field(max_length=60, pattern=r"^[^\x00-\x1f\x7f]*$")]
NO_KEY: dict[str, Any] = {"x-role": "public", "security": []}
WITH_TOKEN: dict[str, Any] = {"x-role": "device", "security": [{"key": []}]}


class NewDevice(RequestBody):
    """A device that has been put up, with the code that came with it and a secret that it made itself."""

    sensor: str = Field(max_length=64, pattern=r"^[a-z0-9-]{1,64}$", examples=["linden-front"])
    code: str = Field(max_length=40, pattern=r"^[A-Za-z0-9 -]{1,40}$", examples=["7QK2-M0VD-93TX"])
    secret: str = Field(
        min_length=43,
        max_length=86,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="256 random bits or more, base64url. The same one again, within an hour, gets the same answer.",
    )
    segment_id: int | None = Field(None, ge=1, le=2**53, description="Where it stands; null leaves that as it is.")
    to_b: Name = Field("", description="What its owner calls the way to the segment's last point.")
    to_a: Name = Field("", description="What its owner calls the way to the segment's first point.")


class BrokerAddress(BaseModel):
    """Where the device sends its reports."""

    host: str
    port: int
    tls: bool
    ca: str | None = Field(
        description="Certificate (PEM) of who signed the broker's; null: the system's list knows it."
    )


class DeviceAccess(BaseModel):
    """What the device uses at this API."""

    address: str | None = Field(description="Address of this server; null where the operator has not said it.")
    token: str = Field(description="Sent as `Authorization: Bearer ...`; good for `/api/v1/device` only.")


class DeviceStreet(BaseModel):
    """Where a device stands."""

    id: int
    name: str


class DeviceCredentials(BaseModel):
    """What a device needs, shown this once and stored nowhere."""

    sensor: str
    password: str = Field(description="For the broker; the sensor's name is the user.")
    broker: BrokerAddress
    api: DeviceAccess
    segment: DeviceStreet | None


class DeviceShape(BaseModel):
    """How the server knows a device."""

    sensor: str
    segment: DeviceStreet | None
    online: bool
    last_report_at: str | None


STREET = {"id": 1001, "name": "Lindenstraat"}
CREDENTIALS: dict[str, Any] = {
    "sensor": "linden-front",
    "password": "example-kTq0cS3b0uQ2hC8mJ1s7b9nY",
    "broker": {"host": "counts.example.org", "port": 8883, "tls": True, "ca": None},
    "api": {"address": "https://counts.example.org", "token": "tsd_example-2pVb5tXc7rKd9mZs4uLf6hG"},
    "segment": STREET,
}
DEVICE: dict[str, Any] = {
    "sensor": "linden-front",
    "segment": STREET,
    "online": True,
    "last_report_at": "2026-03-02T08:00:00Z",
}


class EnrolTries:
    """How often one code may be tried; how often one address may try is counted with the claims of people."""

    def __init__(self) -> None:
        self.of_code = Buckets(TRIES_PER_MINUTE, TRIES_AT_ONCE)

    def take(self, state: State, asker: str, new: NewDevice) -> None:
        """Count a try, or raise `TooManyError`."""
        code = claim_hash(new.sensor, new.code).hex()
        wait = max(state.code_tries.of_address.take(asker), self.of_code.take(code))
        if wait:
            log.warning("codes of devices are tried too often from %s", asker)
            raise TooManyError(f"too many codes were tried; try again in {wait:.0f} s", max(1, round(wait)))


def broker_of(settings: ApiSettings) -> dict[str, Any]:
    """Return where devices find the broker: as it is set, else beside this site."""
    host = settings.broker_host or urlsplit(settings.public_url).hostname
    if not host:
        raise BrokerUnknownError("this server does not say where its broker is: its operator sets broker_host")
    ca = settings.broker_ca_file.read_text(encoding="ascii") if settings.broker_ca_file else None
    port = settings.broker_port or (8883 if settings.broker_tls else 1883)
    return {"host": host, "port": port, "tls": settings.broker_tls, "ca": ca}


def street_shape(segment_id: int | None, name: str | None) -> dict[str, Any] | None:
    """Return where a device stands, or None."""
    return None if segment_id is None else {"id": segment_id, "name": name}


@router.post(
    "/device/enrol",
    summary="Get a device's password and token for its code",
    status_code=201,
    responses=with_created(described(DeviceCredentials, CREDENTIALS, 400, 404, 409, 422, 429, 503)),
    openapi_extra=NO_KEY,
)
async def enrol(request: Request, new: NewDevice) -> Response:
    """Exchange the code that came with a sensor for what its device needs. A code works once, whoever owns the sensor or will.

    An answer that was lost is given again to the same `secret`, for an hour. Then, and to another secret, the code is used: 409.
    """
    settings: ApiSettings = request.app.state.settings
    tries: EnrolTries = request.app.state.enrol_tries
    asker = asker_of(request.scope)
    tries.take(request.app.state, asker, new)
    broker = broker_of(settings)
    enrolment = await exchange(request.app.state.database, new, asker)
    if enrolment.outcome is EnrolOutcome.WRONG:
        raise NotFoundError(DOES_NOT_FIT)
    if enrolment.outcome is EnrolOutcome.USED:
        raise ConflictError("this code has been exchanged already: whoever runs the site makes a new one")
    body = {
        "sensor": new.sensor,
        "password": enrolment.password,
        "broker": broker,
        "api": {"address": settings.public_url or None, "token": enrolment.token},
        "segment": street_shape(enrolment.segment_id, enrolment.segment),
    }
    return created(request, body)


async def exchange(database: Database, new: NewDevice, asker: str) -> Enrolment:
    """Exchange a code, and note that it was tried."""
    street = Street(new.segment_id, new.to_b, new.to_a)
    async with database.connection() as connection:
        try:
            enrolment = await stored.exchange_code(connection, new.sensor, new.code, new.secret, street)
        except NoSuchRecordError as error:
            raise QueryError(f"segment_id: there is no segment {new.segment_id}") from error
        await stored.note_attempt(connection, enrolment, address_of(asker))
    log.info("a device tried its code", extra={"event": "enrol", "outcome": enrolment.outcome, "asker": asker})
    return enrolment


def address_of(asker: str) -> str:
    """Return the address on the net that asks; the one that means none where there is none, as behind a socket file."""
    try:
        return str(ipaddress.ip_address(asker.partition("%")[0]))
    except ValueError:
        return "0.0.0.0"  # noqa: S104  (no address to listen on)


async def asking_device(request: Request) -> Row:
    """Return the sensor whose device asks, by its token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    database: Database = request.app.state.database
    async with database.connection() as connection:
        row = await stored.find_device(connection, token.strip()) if scheme.lower() == "bearer" else None
    if row is None:
        raise UnauthorizedError("this is for devices, with the token that they got for their code")
    return row


Device = Annotated[Row, Depends(asking_device)]


@router.get(
    "/device",
    summary="How the server knows the device that asks",
    responses=described(DeviceShape, DEVICE, 401, 503),
    openapi_extra=WITH_TOKEN,
)
async def show_device(request: Request, device: Device) -> Response:
    """Return the device's name, where it stands and when its last report came."""
    body = {
        "sensor": device["name"],
        "segment": street_shape(device["segment_id"], device["segment"]),
        "online": device["online"],
        "last_report_at": stamp(device["last_report_at"]),
    }
    return private(request, body)


@router.delete(
    "/device",
    summary="End the password and the token of the device that asks",
    responses=described(DeviceShape, DEVICE, 401, 503),
    openapi_extra=WITH_TOKEN,
)
async def end_device(request: Request, device: Device) -> Response:
    """End what a device got for its code: it has wiped itself. Its counts and its owner stay; a new code sets it up again."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await stored.end_credentials(connection, device["sensor_id"])
    return await show_device(request, device)
