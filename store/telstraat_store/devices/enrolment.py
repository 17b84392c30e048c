"""A device gets a password of its own for its claim code, once; for an hour the same device gets the same answer again.

The device makes a secret and sends it along. Password and token follow from that secret and from random bits of ours, of which the
database holds the bits and the secret's hash: so nothing that lets anybody in is stored, two answers that cross on the way
are the same, and an answer that was lost is asked for again. Whoever has only the code comes too late.
"""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import AsyncConnection

from telstraat_contract.claims import claim_hash
from telstraat_store.accounts.secrets import hashed
from telstraat_store.connection import Row
from telstraat_store.places.installations import install
from telstraat_store.places.passwords import check_password, hash_password
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction

TOKEN_PREFIX = "tsd_"  # noqa: S105  (what it begins with)
SALT_BYTES = 32
NO_HASH = bytes(32)
ATTEMPT_DAYS = 30


class EnrolOutcome(StrEnum):
    """What became of an attempt."""

    ENROLLED = "enrolled"
    REPEATED = "repeated"
    WRONG = "wrong"
    USED = "used"


@dataclass(frozen=True)
class Enrolment:
    """What a device gets: known here and in the answer, stored nowhere."""

    outcome: EnrolOutcome
    sensor_id: int | None = None
    password: str = ""
    token: str = ""
    segment_id: int | None = None
    segment: str | None = None

    def __repr__(self) -> str:
        return f"Enrolment({self.outcome}, sensor_id={self.sensor_id}, password and token not shown)"


@dataclass(frozen=True)
class Street:
    """What its owner has told the device of where it stands; what is empty stays as it is."""

    segment_id: int | None = None
    to_b: str = ""
    to_a: str = ""


def derived(secret: str, salt: bytes, what: str) -> str:
    """Return 192 bits that only whoever has the secret and the salt can know."""
    return urlsafe_b64encode(hmac.digest(secret.encode(), salt + what.encode(), "sha512")[:24]).decode()


@transaction
def exchange_code(name: str, code: str, secret: str, street: Street) -> Steps[Enrolment]:
    """Give the device that shows a sensor's code its password and token.

    Raises
    ------
    NoSuchRecordError
        There is no such segment; the code is not used up.
    DuplicateError
        The sensor will stand elsewhere later; the code is not used up.
    """
    # Locked before it is read: who waited for the lock sees what the one before has done.
    yield "select from sensor where name = %s for update", (name,)
    rows = yield (
        """
        select v.sensor_id, v.secret, c.hash, c.enrolled_at, c.device_hash, c.salt, coalesce(c.expires_at > now(), false) as is_open,
            coalesce(c.enrolled_at > now() - interval '1 hour', false) as is_recent
        from sensor v left join sensor_claim c using (sensor_id) where v.name = %s and v.retired_at is null
        """,
        (name,),
    )
    claim = rows[0] if rows else None
    # The comparison is made for sensors that do not exist, too: the time of an answer tells no names.
    fits = hmac.compare_digest(bytes(claim["hash"] or NO_HASH) if claim else NO_HASH, claim_hash(name, code))
    if claim is None or not fits or not (claim["is_open"] or claim["is_recent"]):
        return Enrolment(EnrolOutcome.WRONG, claim["sensor_id"] if claim else None)
    sensor_id: int = claim["sensor_id"]
    is_repeated = claim["enrolled_at"] is not None
    salt = bytes(claim["salt"]) if is_repeated else secrets.token_bytes(SALT_BYTES)
    password, token = derived(secret, salt, "password"), TOKEN_PREFIX + derived(secret, salt, "token")
    if is_repeated:
        is_same = claim["is_recent"] and hmac.compare_digest(bytes(claim["device_hash"]), hashed(secret))
        if not is_same or not check_password(password, claim["secret"] or ""):
            return Enrolment(EnrolOutcome.USED, sensor_id)
    else:
        yield (
            "update sensor set secret = %s, token = %s where sensor_id = %s",
            (hash_password(password), hashed(token), sensor_id),
        )
        yield (
            "update sensor_claim set enrolled_at = now(), device_hash = %s, salt = %s where sensor_id = %s",
            (hashed(secret), salt, sensor_id),
        )
    standing = yield from _stand.steps(sensor_id, street)
    outcome = EnrolOutcome.REPEATED if is_repeated else EnrolOutcome.ENROLLED
    return Enrolment(outcome, sensor_id, password, token, **standing)


@transaction
def _stand(sensor_id: int, street: Street) -> Steps[dict[str, Any]]:
    """Let a sensor stand where its owner says, and return where that is."""
    where = "from installation i join segment s using (segment_id) where i.sensor_id = %s and i.until_at is null"
    rows = yield f"select s.segment_id, s.name as segment {where}", (sensor_id,)
    if street.segment_id is not None and street.segment_id not in [row["segment_id"] for row in rows]:
        yield from install.steps(sensor_id, street.segment_id)
        rows = yield f"select s.segment_id, s.name as segment {where}", (sensor_id,)
    if rows and (street.to_b or street.to_a):
        yield (
            (
                "update installation set to_b = %s, to_a = %s, names_published = false"
                " where sensor_id = %s and until_at is null and (to_b, to_a) is distinct from (%s, %s)"
            ),
            (street.to_b, street.to_a, sensor_id, street.to_b, street.to_a),
        )
    return dict(rows[0]) if rows else {}


async def note_attempt(connection: AsyncConnection[Any], enrolment: Enrolment, address: str) -> None:
    """Note that somebody has tried a code: from which network and what became of it. Notes of a month ago go."""
    await execute(connection, "delete from enrol_attempt where day < current_date - %s", (ATTEMPT_DAYS,))
    await execute(
        connection,
        """
        insert into enrol_attempt (network, sensor_id, outcome)
        values (network(set_masklen(%(address)s::inet, case family(%(address)s::inet) when 4 then 24 else 48 end)), %(sensor)s, %(outcome)s)
        on conflict (network, sensor_id, outcome, day) do update set tries = enrol_attempt.tries + 1, last_at = now()
        """,
        {"address": address, "sensor": enrolment.sensor_id, "outcome": enrolment.outcome},
    )


async def list_attempts(connection: AsyncConnection[Any], sensor_id: int) -> list[Row]:
    """Return who has tried the code of a sensor in the last month, by network and day, the latest first."""
    return await fetch_all(
        connection,
        "select network, outcome, tries, last_at from enrol_attempt where sensor_id = %s order by last_at desc limit 20",
        (sensor_id,),
    )


async def find_device(connection: AsyncConnection[Any], token: str) -> Row | None:
    """Return the sensor whose device shows a token, with its street and its last report; None when nobody's may."""
    return await fetch_one(
        connection,
        """
        select v.sensor_id, v.name, i.segment_id, s.name as segment, coalesce(h.online, false) as online,
            (select max(t.last_at) from stream t where t.sensor_id = v.sensor_id) as last_report_at
        from sensor v
        left join installation i on i.sensor_id = v.sensor_id and i.until_at is null
        left join segment s using (segment_id)
        left join sensor_health h on h.sensor_id = v.sensor_id
        where v.token = %s and v.retired_at is null
        """,
        (hashed(token),),
    )


async def end_credentials(connection: AsyncConnection[Any], sensor_id: int) -> None:
    """Let a device's password and token end: it has wiped itself. The sensor stays, for another code."""
    await execute(connection, "update sensor set secret = null, token = null where sensor_id = %s", (sensor_id,))
