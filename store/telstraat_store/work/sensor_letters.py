"""Letters about silent sensors: when one is due, that it is written once, and that it is handed to a mail server at most once.

A silence begins with the last report (or with the installation, the owner, or the end of a mute, whichever came last), and counts
only the time in which the server itself listened. Its beginning is its name: each of its steps is one row.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed, new_secret
from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one

STEPS_DAYS = (1, 7, 14, 28)
"""After so many days of silence its owner gets a letter; `BACK` is the step of the letter that it is heard again."""

BACK = 0
DEAF_AFTER_MINUTES = 15
"""When no ingester was at work for so long, the server is deaf: nothing is concluded about sensors."""

# Sensors that are expected to send, of people who may sign in; with the beginning of their silence and how long it lasted
# while somebody listened. Planned absence (retired, standing nowhere, standing somewhere later, muted) is no silence.
EXPECTED = """
expected as (
    select v.sensor_id, v.account_id, v.name, v.muted_until, i.segment_id, heard.last_at,
        greatest(heard.last_at, i.from_at, v.owned_since, v.muted_until) as silent_from
    from sensor v join account a using (account_id)
    join installation i on i.sensor_id = v.sensor_id and i.until_at is null
    left join lateral (select max(t.last_at) as last_at from stream t where t.sensor_id = v.sensor_id) heard on true
    where v.retired_at is null and a.disabled_at is null and i.from_at <= %(now)s
        and coalesce(v.muted_until, '-infinity') <= %(now)s
), silences as (
    select e.*, extract(epoch from %(now)s - e.silent_from - coalesce((
        select sum(least(b.until_at, %(now)s) - greatest(b.from_at, e.silent_from)) from server_absence b
        where b.until_at > e.silent_from and b.from_at < %(now)s
    ), interval '0')) / 86400 as days
    from expected e
)"""
IS_LISTENING = """
select from server_presence where last_at > %(now)s - make_interval(mins => %(minutes)s)
    and since_at <= %(now)s
"""
# Of the steps that are due only the highest: whoever comes late gets one letter, not three.
WRITE_STEPS = f"""
with {EXPECTED}, due as (
    select s.*, (select max(n) from unnest(%(steps)s::int[]) n where n <= s.days) as step from silences s
)
insert into sensor_letter (sensor_id, account_id, silent_from, step, made_at, next_try_at)
select sensor_id, account_id, silent_from, step, %(now)s, %(now)s from due d
where step is not null and not exists (
    select from sensor_letter l
    where (l.sensor_id, l.account_id, l.silent_from) = (d.sensor_id, d.account_id, d.silent_from) and l.step >= d.step
)
on conflict do nothing
"""  # noqa: S608  (constants of this module)
# It is back: of a silence about which its owner was written to, and that no mute has ended.
WRITE_BACK = f"""
with {EXPECTED}, told_of as (
    select l.sensor_id, l.account_id, max(l.silent_from) as silent_from from sensor_letter l
    where l.step > 0 and l.handed_at is not null group by 1, 2
)
insert into sensor_letter (sensor_id, account_id, silent_from, step, made_at, next_try_at)
select s.sensor_id, s.account_id, t.silent_from, 0, %(now)s, %(now)s
from silences s join told_of t using (sensor_id, account_id)
where s.last_at > t.silent_from and coalesce(s.muted_until, '-infinity') <= t.silent_from
on conflict do nothing
"""  # noqa: S608  (constants of this module)
WAITING = "handed_at is null and refused is null and next_try_at <= %(now)s"
# What is handed over is still true: the silence goes on (or has ended), and the sensor is still theirs.
TAKE = f"""
with {
    EXPECTED.replace(
        "where v.retired", f"where v.sensor_id in (select sensor_id from sensor_letter where {WAITING}) and v.retired"
    )
}
update sensor_letter l set handed_at = %(now)s, stop_hash = %(hash)s, tries = l.tries + 1
from silences s, account a, segment g
where l.letter_id = (
        select w.letter_id from sensor_letter w join silences s using (sensor_id, account_id)
        where {WAITING}
            and (w.step = 0 or w.silent_from = s.silent_from)
        order by w.letter_id limit 1 for update of w skip locked)
    and (s.sensor_id, s.account_id) = (l.sensor_id, l.account_id)
    and a.account_id = l.account_id and g.segment_id = s.segment_id
returning l.*, s.name, s.last_at, a.email, a.language, g.name as street, g.timezone
"""  # noqa: S608  (constants of this module)


async def is_server_listening(connection: AsyncConnection[Any], now: datetime) -> bool:
    """Tell whether an ingester is at work: otherwise nothing can be said about any sensor."""
    return await fetch_one(connection, IS_LISTENING, {"now": now, "minutes": DEAF_AFTER_MINUTES}) is not None


async def write_due_letters(connection: AsyncConnection[Any], now: datetime) -> int:
    """Note the letters that are due and return how many are new; whoever else does so at the same time notes none of them again."""
    values = {"now": now, "steps": list(STEPS_DAYS)}
    async with connection.transaction():
        return await execute(connection, WRITE_STEPS, values) + await execute(connection, WRITE_BACK, values)


async def take_letter(connection: AsyncConnection[Any], now: datetime) -> tuple[Row, str] | None:
    """Take a letter to hand it to the mail server, with the secret of its link; None when none waits.

    It is marked before: should this machine stop in between, nobody sends it again.
    """
    secret = new_secret("")
    row = await fetch_one(connection, TAKE, {"now": now, "hash": hashed(secret)})
    return None if row is None else (row, secret)


async def note_sent(connection: AsyncConnection[Any], letter_id: int, now: datetime) -> None:
    """Note that the mail server has taken a letter."""
    await execute(connection, "update sensor_letter set sent_at = %s where letter_id = %s", (now, letter_id))


async def note_refused(connection: AsyncConnection[Any], letter_id: int, reason: str) -> None:
    """Note that a letter will never go, with the mail server's word."""
    await execute(connection, "update sensor_letter set refused = %s where letter_id = %s", (reason, letter_id))


async def put_back(connection: AsyncConnection[Any], letter_id: int, now: datetime) -> None:
    """Put a letter back that the mail server has certainly not taken: a quarter of an hour first, then longer, at most a day."""
    await execute(
        connection,
        """
        update sensor_letter set handed_at = null, stop_hash = null,
            next_try_at = %s + least(interval '1 day', interval '15 minutes' * 2 ^ (tries - 1))
        where letter_id = %s
        """,
        (now, letter_id),
    )


async def sensor_of_letter(connection: AsyncConnection[Any], secret: str) -> Row | None:
    """Return `name`, `street` and `muted_until` of the sensor that a letter is about, while it is its reader's; None else."""
    return await fetch_one(
        connection,
        """
        select v.sensor_id, v.name, v.muted_until, s.name as street, s.timezone
        from sensor_letter l join sensor v using (sensor_id, account_id)
        left join installation i on i.sensor_id = v.sensor_id and i.until_at is null left join segment s using (segment_id)
        where l.stop_hash = %s
        """,
        (hashed(secret),),
    )


async def mute_by_letter(connection: AsyncConnection[Any], secret: str, until: datetime) -> bool:
    """Write no letters about a sensor until a time, by the secret in a letter; a later end stays. False when it is not theirs."""
    return bool(
        await execute(
            connection,
            """
            update sensor v set muted_until = greatest(v.muted_until, %s) from sensor_letter l
            where l.stop_hash = %s and (v.sensor_id, v.account_id) = (l.sensor_id, l.account_id)
            """,
            (until, hashed(secret)),
        )
    )


async def absences_since(connection: AsyncConnection[Any], since: datetime) -> list[Row]:
    """Return from when until when the server itself did not listen, the latest first."""
    return await fetch_all(
        connection,
        "select from_at, until_at from server_absence where until_at > %s order by from_at desc limit 20",
        (since,),
    )
