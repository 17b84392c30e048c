"""Claims: with the code that came with a sensor, somebody becomes its owner, once."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import AsyncConnection

from telstraat_contract.claims import DAYS, claim_hash, new_claim_code, plain_code
from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction

SELECT = "select v.sensor_id, v.name, c.claimed_at from sensor v left join sensor_claim c using (sensor_id)"


@transaction
def issue_code(sensor_id: int, name: str) -> Steps[tuple[str, datetime]]:
    """Make a code for the next owner of a sensor, and return it and when it ends; an older one stops working."""
    code = new_claim_code()
    ends = datetime.now(UTC) + timedelta(days=DAYS)
    yield (
        """
        insert into sensor_claim (sensor_id, hash, expires_at) values (%s, %s, %s)
        on conflict (sensor_id) do update set hash = excluded.hash, expires_at = excluded.expires_at, created_at = now(),
            claimed_at = null, enrolled_at = null, device_hash = null, salt = null
        """,
        (sensor_id, claim_hash(name, code), ends),
    )
    return code, ends


async def claim_sensor(connection: AsyncConnection[Any], name: str, code: str, account_id: int) -> Row | None:
    """Make an account the owner of a sensor and return the claim; None when the code does not fit, has ended or was used."""
    row = await fetch_one(
        connection,
        """
        select c.sensor_id, c.hash from sensor_claim c join sensor v using (sensor_id)
        where v.name = %s and c.claimed_at is null and c.expires_at > now() and v.retired_at is null
        """,
        (name,),
    )
    given = claim_hash(name, code)
    if row is None or not hmac.compare_digest(bytes(row["hash"]), given):
        return None
    async with connection.transaction():
        claimed = await execute(
            connection,
            "update sensor_claim set claimed_at = now() where sensor_id = %s and claimed_at is null",
            (row["sensor_id"],),
        )
        if not claimed:
            return None
        # What the owner before has called the directions is theirs.
        await execute(
            connection,
            "update installation i set to_b = '', to_a = '', names_published = false from sensor v where v.sensor_id = i.sensor_id"
            " and v.sensor_id = %(sensor)s and v.account_id is distinct from %(account)s",
            {"sensor": row["sensor_id"], "account": account_id},
        )
        await execute(
            connection, "update sensor set account_id = %s where sensor_id = %s", (account_id, row["sensor_id"])
        )
    return await fetch_one(connection, SELECT + " where v.sensor_id = %s", (row["sensor_id"],))


@transaction
def date_claim_back(name: str, since: datetime) -> Steps[None]:
    """Let a claimed sensor be its owner's since earlier: for a past that was written at once, as the demo's."""
    yield (
        "update sensor set owned_since = least(owned_since, %s) where name = %s and account_id is not null",
        (since, name),
    )
    yield (
        """
        update sensor_claim c set claimed_at = least(claimed_at, %s)
        from sensor v where v.sensor_id = c.sensor_id and v.name = %s and claimed_at is not null
        """,
        (since, name),
    )


async def sensor_of_code(connection: AsyncConnection[Any], code: str) -> Row | None:
    """Return `sensor_id` and `name` of the sensor that a code, as people write it, can claim now; None for any other code.

    The codes of some thousand sensors are compared in a few milliseconds: whoever lets strangers ask limits how often.
    """
    return await fetch_one(
        connection,
        """
        select v.sensor_id, v.name from sensor_claim c join sensor v using (sensor_id)
        where c.hash = sha256(convert_to(v.name || ':' || %s, 'UTF8'))
            and c.claimed_at is null and c.expires_at > now() and v.retired_at is null
        """,
        (plain_code(code),),
    )


async def list_claims(connection: AsyncConnection[Any], account_id: int | None) -> list[Row]:
    """Return the sensors that belong to an account, and since when where a code was used."""
    return await fetch_all(connection, SELECT + " where v.account_id = %s order by v.sensor_id", (account_id,))


async def give_up_sensor(connection: AsyncConnection[Any], sensor_id: int, account_id: int | None) -> Row | None:
    """Take a sensor from the account that owns it and return what the claim was; None when it is not theirs."""
    async with connection.transaction():
        claim = await fetch_one(
            connection, SELECT + " where v.sensor_id = %s and v.account_id = %s", (sensor_id, account_id)
        )
        if claim is not None:
            await execute(connection, "update sensor set account_id = null where sensor_id = %s", (sensor_id,))
    return claim
