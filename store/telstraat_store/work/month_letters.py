"""Letters with a street's month: who has asked and confirmed, which letters are due, and that each is handed over at most once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from psycopg import AsyncConnection

from telstraat_store.accounts.secrets import hashed, new_secret
from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_one

LATE = timedelta(days=1)
"""So long after its last midnight a month is whole: sensors may report late."""

ASK_AGAIN = timedelta(minutes=10)
UNCONFIRMED = timedelta(days=7)
STREETS_MAX = 50
"""Streets that one address may have asked for."""

# The letter of the last whole month of each street's own calendar, for who confirmed before it was over; earlier ones never.
WRITE = """
insert into month_letter (reader_id, month, made_at, next_try_at)
select r.reader_id, (m.over - interval '1 month')::date, %(now)s, %(now)s
from month_reader r join segment s using (segment_id)
cross join lateral (select date_trunc('month', (%(now)s - %(late)s) at time zone s.timezone) as over) m
where r.confirmed_at < m.over at time zone s.timezone
on conflict do nothing
"""
WAITING = "handed_at is null and refused is null and next_try_at <= %(now)s"
TAKE = f"""
update month_letter l set handed_at = %(now)s, stop_hash = %(hash)s, tries = l.tries + 1
from month_reader r
where (l.reader_id, l.month) = (
        select reader_id, month from month_letter where {WAITING} order by made_at, reader_id limit 1 for update skip locked)
    and r.reader_id = l.reader_id
returning l.reader_id, l.month, l.made_at, r.segment_id, r.email, r.language
"""  # noqa: S608  (a constant)


async def ask_for_months(
    connection: AsyncConnection[Any], segment_id: int, email: str, language: str, now: datetime
) -> str | None:
    """Note that somebody asks for a street's months; return the secret of the link to confirm, None where no letter is to go.

    None goes to who has confirmed already, was written to some minutes ago, or has asked for many streets.
    """
    secret = new_secret("")
    row = await fetch_one(
        connection,
        """
        insert into month_reader (segment_id, email, language, confirm_hash, asked_at)
        select %(segment)s, lower(%(email)s), %(language)s, %(hash)s, %(now)s
        where (select count(*) from month_reader where email = lower(%(email)s)) < %(most)s
        on conflict (segment_id, email) do update
        set language = excluded.language, confirm_hash = excluded.confirm_hash, asked_at = excluded.asked_at
        where month_reader.confirmed_at is null and month_reader.asked_at < %(now)s - %(again)s
        returning reader_id
        """,
        {
            "segment": segment_id, "email": email, "language": language, "hash": hashed(secret), "now": now,
            "most": STREETS_MAX, "again": ASK_AGAIN,
        },
    )  # fmt: skip
    return None if row is None else secret


async def confirm_months(connection: AsyncConnection[Any], secret: str, now: datetime) -> Row | None:
    """Confirm by the secret of the letter that asked; return `segment_id` and `street`, None when the link is spent or too old."""
    return await fetch_one(
        connection,
        """
        update month_reader r set confirmed_at = coalesce(confirmed_at, %(now)s)
        from segment s where s.segment_id = r.segment_id and confirm_hash = %(hash)s and asked_at > %(now)s - %(life)s
        returning r.segment_id, s.name as street
        """,
        {"now": now, "hash": hashed(secret), "life": UNCONFIRMED},
    )


async def street_to_confirm(connection: AsyncConnection[Any], secret: str) -> Row | None:
    """Return `segment_id` and `street` of a link to confirm, or of one to stop; None when it is spent."""
    return await fetch_one(
        connection,
        """
        select r.segment_id, s.name as street from month_reader r join segment s using (segment_id)
        where r.confirm_hash = %(hash)s
            or r.reader_id = (select reader_id from month_letter where stop_hash = %(hash)s)
        """,
        {"hash": hashed(secret)},
    )


async def stop_months(connection: AsyncConnection[Any], secret: str) -> Row | None:
    """Forget a reader by the secret in any of the letters to them; return `segment_id` and `street`, None when it was done before."""
    return await fetch_one(
        connection,
        """
        delete from month_reader r using segment s
        where s.segment_id = r.segment_id and r.reader_id = (select reader_id from month_letter where stop_hash = %(hash)s)
        returning r.segment_id, s.name as street
        """,
        {"hash": hashed(secret)},
    )


async def write_month_letters(connection: AsyncConnection[Any], now: datetime) -> int:
    """Note the letters that are due, once each, forget who never confirmed, and return how many letters are new."""
    async with connection.transaction():
        await execute(
            connection,
            "delete from month_reader where confirmed_at is null and asked_at < %s",
            (now - UNCONFIRMED,),
        )
        return await execute(connection, WRITE, {"now": now, "late": LATE})


async def take_month_letter(connection: AsyncConnection[Any], now: datetime) -> tuple[Row, str] | None:
    """Take a letter to hand it to the mail server, with the secret of its link; None when none waits.

    It is marked before: should this machine stop in between, nobody sends it again.
    """
    secret = new_secret("")
    row = await fetch_one(connection, TAKE, {"now": now, "hash": hashed(secret)})
    return None if row is None else (row, secret)


async def note_month_sent(connection: AsyncConnection[Any], letter: Row, now: datetime) -> None:
    """Note that the mail server has taken a letter."""
    await execute(
        connection,
        "update month_letter set sent_at = %s where (reader_id, month) = (%s, %s)",
        (now, letter["reader_id"], letter["month"]),
    )


async def note_month_refused(connection: AsyncConnection[Any], letter: Row, reason: str) -> None:
    """Note that a letter will never go, with the mail server's word."""
    await execute(
        connection,
        "update month_letter set refused = %s where (reader_id, month) = (%s, %s)",
        (reason, letter["reader_id"], letter["month"]),
    )


async def put_month_back(connection: AsyncConnection[Any], letter: Row, now: datetime) -> None:
    """Put a letter back that the mail server has certainly not taken: a quarter of an hour first, then longer, at most a day."""
    await execute(
        connection,
        """
        update month_letter set handed_at = null, stop_hash = null,
            next_try_at = %s + least(interval '1 day', interval '15 minutes' * 2 ^ (tries - 1))
        where (reader_id, month) = (%s, %s)
        """,
        (now, letter["reader_id"], letter["month"]),
    )
