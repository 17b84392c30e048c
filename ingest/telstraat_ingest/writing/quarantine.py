"""Why a message cannot be taken, and what is kept of it. The list is documented in docs/ingest.md."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from typing import Any, NamedTuple

from msgspec import Struct

from telstraat_contract.messages import MAX_PAYLOAD_BYTES
from telstraat_store.reports.statements import QUARANTINE_ROW_BYTES


class Reason(StrEnum):
    """One word for each way to be wrong."""

    TOPIC = "topic"
    """The topic is none of ours."""
    TOO_LARGE = "too_large"
    """The payload is longer than any message."""
    MALFORMED = "malformed"
    """The payload is not the message that its topic promises."""
    VERSION = "version"
    """The message is of a version that this ingest does not know. The device keeps it: update ingest."""
    FORGED_NAME = "forged_name"
    """The sensor in the payload is not the one in the topic, which the broker has checked."""
    UNKNOWN_SENSOR = "unknown_sensor"
    """Nobody has added this sensor."""
    RETIRED_SENSOR = "retired_sensor"
    """The sensor was retired."""
    TOO_OLD = "too_old"
    """The quarter is older than `max_age_days`."""
    IN_THE_FUTURE = "in_the_future"
    """The quarter begins more than `max_ahead_s` ahead of our clock."""
    CONTRADICTS = "contradicts"
    """Another report with the same key is in the table already, with other content."""
    REFUSED_BY_STORE = "refused_by_store"
    """The database refuses it, alone among its batch."""
    NOT_TAKEN = "not_taken"
    """The database takes others of its kind and not this one, for a reason that is not known to be its own. The device keeps it."""
    OVER_LIMIT = "over_limit"
    """It would begin more streams than one sensor may have. The device keeps it."""


class Arrival(Struct, frozen=True, gc=False):
    """A message as it came from the broker. What is too long was cut on arrival, so that memory stays flat."""

    connection: int
    mid: int
    qos: int
    topic: str
    payload: bytes
    payload_bytes: int
    payload_sha256: bytes
    arrived_s: float


class Rejected(NamedTuple):
    """A message on its way to quarantine. `stored` is what the table has, when the two contradict each other."""

    arrival: Arrival
    reason: Reason
    detail: str
    sensor_id: int | None = None
    stored: dict[str, Any] | None = None
    is_bare: bool = False
    """Kept without its payload, and without a word to its stream: the database refuses those, too."""


def arrival(connection: int, mid: int, qos: int, topic: str, payload: bytes, arrived_s: float) -> Arrival:
    """Return a message as it came, with a payload that is too long cut down to what quarantine keeps."""
    if len(payload) <= MAX_PAYLOAD_BYTES:
        return Arrival(connection, mid, qos, topic, payload, len(payload), b"", arrived_s)
    digest = hashlib.sha256(payload).digest()
    return Arrival(connection, mid, qos, topic, payload[:MAX_PAYLOAD_BYTES], len(payload), digest, arrived_s)


def sha256(message: Arrival) -> bytes:
    """Return the checksum of the whole payload."""
    return message.payload_sha256 or hashlib.sha256(message.payload).digest()


NO_ROOM = (
    "{kb} kB of this topic are kept (sensor_quarantine_kb): of this message and others with the same reason only the number "
    "of times is. First: {detail}"
)

DETAIL_MAX = 1000
TOPIC_MAX = 500  # an index entry of PostgreSQL holds 2,700 bytes


def storable(text: str, length_max: int = DETAIL_MAX) -> str:
    """Return a text that PostgreSQL takes: without null characters and half surrogates, not longer than it may be."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()[:length_max]


def row_of(rejected: Rejected, sensor_id: int | None, *, has_room: bool, kb: int) -> tuple[Any, ...]:
    """Return the values of `statements.QUARANTINE`. Without room all messages of a topic and reason are one row, and counted."""
    message = rejected.arrival
    topic, detail = storable(message.topic, TOPIC_MAX), rejected.detail
    if not has_room:
        detail = NO_ROOM.format(kb=kb, detail=detail)
        return sensor_id, topic, str(rejected.reason), storable(detail), b"", 0, hashlib.sha256(b"").digest(), None
    payload = b"" if rejected.is_bare else message.payload
    stored = json.dumps(rejected.stored) if rejected.stored else None
    return (
        sensor_id, topic, str(rejected.reason), storable(detail), payload, message.payload_bytes, sha256(message), stored,
    )  # fmt: skip


def bytes_of(rejected: Rejected) -> int:
    """Return how much room a message takes in quarantine, about."""
    return len(rejected.arrival.payload) + QUARANTINE_ROW_BYTES
