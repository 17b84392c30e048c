"""Who follows a measure, what each week of it showed, and the letters about it until they have gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.types.json import Json, Jsonb

from telstraat_store.accounts.secrets import hashed
from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one

LOOKS_MAX = 60


async def begin_round(connection: AsyncConnection[Any]) -> bool:
    """Take the lock that lets one round of weekly looks run at a time; it ends with the connection. False when taken."""
    row = await fetch_one(connection, "select pg_try_advisory_lock(hashtext('telstraat follow')) as is_ours")
    return bool(row and row["is_ours"])


async def find_follower(connection: AsyncConnection[Any], measure_id: int, account_id: int | None) -> Row | None:
    """Return `what` and `language` of somebody who follows a measure, or None."""
    return await fetch_one(
        connection,
        "select what, language from measure_follower where (measure_id, account_id) = (%s, %s)",
        (measure_id, account_id),
    )


async def follow(
    connection: AsyncConnection[Any], measure_id: int, account_id: int | None, what: str, language: str
) -> None:
    """Follow a measure, or say anew what of it and in which language."""
    await execute(
        connection,
        """
        insert into measure_follower (measure_id, account_id, what, language) values (%s, %s, %s, %s)
        on conflict (measure_id, account_id) do update set what = excluded.what, language = excluded.language
        """,
        (measure_id, account_id, what, language),
    )


async def unfollow(connection: AsyncConnection[Any], measure_id: int, account_id: int | None) -> None:
    """Follow a measure no more; letters that have not gone are thrown away."""
    await execute(
        connection,
        "delete from measure_follower where (measure_id, account_id) = (%s, %s)",
        (measure_id, account_id),
    )


async def stop_following(connection: AsyncConnection[Any], secret: str) -> bool:
    """Follow no more what a letter is about, by the secret in its link; False when nobody does any more."""
    return bool(
        await execute(
            connection,
            """
            delete from measure_follower f using measure_letter l
            where l.stop_hash = %s and (f.measure_id, f.account_id) = (l.measure_id, l.account_id)
            """,
            (hashed(secret),),
        )
    )


async def followed_measures(connection: AsyncConnection[Any]) -> list[Row]:
    """Return `measure_id` and `what` of everything that somebody who may sign in follows."""
    return await fetch_all(
        connection,
        """
        select distinct f.measure_id, f.what from measure_follower f join account a using (account_id)
        where a.disabled_at is null order by 1, 2
        """,
    )


async def list_looks(connection: AsyncConnection[Any], measure_id: int) -> list[Row]:
    """Return the weekly looks at a measure, the latest first."""
    return await fetch_all(
        connection,
        "select what, weeks, made_at, result from measure_look where measure_id = %s order by weeks desc, what limit %s",
        (measure_id, LOOKS_MAX),
    )


async def last_look(connection: AsyncConnection[Any], measure_id: int, what: str) -> Row | None:
    """Return `weeks` and `state` of the last look at a count of a measure, or None."""
    return await fetch_one(
        connection,
        "select weeks, state from measure_look where (measure_id, what) = (%s, %s) order by weeks desc limit 1",
        (measure_id, what),
    )


async def keep_look(
    connection: AsyncConnection[Any],
    measure_id: int,
    what: str,
    weeks: int,
    *,
    state: Mapping[str, Any],
    result: Mapping[str, Any],
    letters_to: Callable[[Sequence[tuple[int, str]]], Iterable[Mapping[str, Any]]] | None,
) -> int | None:
    """Keep a look and, in the same transaction, the letters about it.

    Parameters
    ----------
    connection
        With all rights.
    measure_id, what, weeks
        What was looked at, after so many weeks.
    state, result
        What is claimed, and everything that was seen, by street.
    letters_to
        Writes the letters to followers, given by account and language; None when there is no news.

    Returns
    -------
    int or None
        How many letters were written; None when there was nothing to write about, or the look was kept before.
    """
    async with connection.transaction():
        added = await fetch_one(
            connection,
            "insert into measure_look (measure_id, what, weeks, state, result) values (%s, %s, %s, %s, %s)"
            " on conflict do nothing returning weeks",
            (measure_id, what, weeks, Jsonb(state), Json(result)),
        )
        if added is None or letters_to is None:
            return None
        letters = list(letters_to(await _followers_of(connection, measure_id, what)))
        for letter in letters:
            await execute(
                connection,
                """
                insert into measure_letter (measure_id, account_id, what, weeks, subject, body, stop_hash, stop_link)
                values (%(measure_id)s, %(account_id)s, %(what)s, %(weeks)s, %(subject)s, %(body)s, %(stop_hash)s,
                    %(stop_link)s)
                """,
                letter,
            )
    return len(letters)


async def _followers_of(connection: AsyncConnection[Any], measure_id: int, what: str) -> list[tuple[int, str]]:
    """Return account and language of those who follow a count of a measure and may see it."""
    rows = await fetch_all(
        connection,
        """
        select f.account_id, f.language from measure_follower f
        join account a using (account_id) join measure m using (measure_id)
        where (f.measure_id, f.what) = (%s, %s) and a.disabled_at is null
            and (m.published or a.role <> 'citizen' or m.account_id = a.account_id)
        order by f.account_id
        """,
        (measure_id, what),
    )
    return [(row["account_id"], row["language"]) for row in rows]


async def letters_due(connection: AsyncConnection[Any]) -> list[Row]:
    """Return the letters whose time has come, with the address that each goes to."""
    return await fetch_all(
        connection,
        """
        select l.*, a.email from measure_letter l join account a using (account_id)
        where l.sent_at is null and l.refused is null and l.next_try_at <= now() and a.disabled_at is null
        order by l.letter_id
        """,
    )


async def count_waiting_letters(connection: AsyncConnection[Any]) -> int:
    """Return how many letters have neither gone nor been refused."""
    row = await fetch_one(
        connection, "select count(*) as waiting from measure_letter where sent_at is null and refused is null"
    )
    return int(row["waiting"]) if row else 0


async def mark_sent(connection: AsyncConnection[Any], letter_id: int) -> None:
    """Note that the mail server has taken a letter; its text is dropped."""
    await execute(
        connection,
        "update measure_letter set sent_at = now(), body = '', stop_link = '' where letter_id = %s",
        (letter_id,),
    )


async def mark_refused(connection: AsyncConnection[Any], letter_id: int, reason: str) -> None:
    """Note that the mail server refuses a letter for good; its text is dropped."""
    await execute(
        connection,
        "update measure_letter set refused = %s, body = '', stop_link = '' where letter_id = %s",
        (reason, letter_id),
    )


async def try_later(connection: AsyncConnection[Any], letter_id: int) -> None:
    """Put a letter off: a quarter of an hour first, then longer each time, at most a day."""
    await execute(
        connection,
        """
        update measure_letter
        set tries = tries + 1, next_try_at = now() + least(interval '1 day', interval '15 minutes' * 2 ^ tries)
        where letter_id = %s
        """,
        (letter_id,),
    )
