"""Everything that is known of somebody, for them to read and to take along, and what becomes of it when they leave."""

from __future__ import annotations

from typing import Any

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.errors import NoSuchRecordError
from telstraat_store.places.own_sensors import forget_owner
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.transactions import Steps, transaction

# Each is one answer of "what do you know of me?"; secrets are stored as hashes, which say nothing and are left out.
KNOWN = {
    "account": "select email, name, role, language, created_at from account where account_id = %(a)s",
    "identities": "select issuer, subject, created_at from account_identity where account_id = %(a)s",
    "keys": "select label, hint, scopes, created_at, expires_at, revoked_at, last_used from access_key"
    " where account_id = %(a)s order by key_id",
    "sessions": "select created_at, expires_at from browser_session where account_id = %(a)s and expires_at > now()",
    "sign_in_links": "select created_at, expires_at, used_at from sign_in_link where account_id = %(a)s",
    "sensors": "select sensor_id, name, owned_since, muted_until, retired_at from sensor where account_id = %(a)s",
    "installations": "select i.sensor_id, i.segment_id, s.name as street, i.from_at, i.until_at, i.side, i.to_b, i.to_a, i.names_published, i.note"
    " from installation i join sensor v using (sensor_id) join segment s using (segment_id)"
    " where v.account_id = %(a)s and coalesce(i.until_at, 'infinity') > v.owned_since order by i.from_at",
    "sensor_health": "select h.* from sensor_health h join sensor v using (sensor_id) where v.account_id = %(a)s",
    "letters_about_sensors": "select sensor_id, silent_from, step, made_at, sent_at, refused from sensor_letter"
    " where account_id = %(a)s order by letter_id",
    "marked": "select event_id, segment_id, kind, title, from_at, until_at, excludes, published, created_at"
    " from street_event where account_id = %(a)s order by event_id",
    "measures": "select measure_id, name, kind, description, first_day, published, created_at from measure"
    " where account_id = %(a)s order by measure_id",
    "evaluations": "select evaluation_id, measure_id, note, published, created_at from evaluation"
    " where account_id = %(a)s order by evaluation_id",
    "workshops": "select workshop_id, title, place, held_at, published, created_at from workshop"
    " where account_id = %(a)s order by workshop_id",
    "workshop_notes": "select note_id, workshop_id, kind, body, created_at from workshop_note"
    " where account_id = %(a)s order by note_id",
    "follows": "select measure_id, what, language, since_at from measure_follower where account_id = %(a)s",
    "letters_about_measures": "select measure_id, what, weeks, made_at, sent_at from measure_letter"
    " where account_id = %(a)s order by letter_id",
    "months_of_streets": "select r.segment_id, r.language, r.asked_at, r.confirmed_at from month_reader r join account a using (email)"
    " where a.account_id = %(a)s order by r.reader_id",
}


async def everything_known(connection: AsyncConnection[Any], account_id: int | None) -> dict[str, list[Row]]:
    """Return every row that is about somebody, by what it is."""
    async with connection.transaction():
        return {name: await fetch_all(connection, query, {"a": account_id}) for name, query in KNOWN.items()}


async def describe_account(connection: AsyncConnection[Any], account_id: int | None) -> Row | None:
    """Return name, language and role of an account."""
    return await fetch_one(
        connection, "select email, name, role, language, created_at from account where account_id = %s", (account_id,)
    )


async def say_who(connection: AsyncConnection[Any], account_id: int | None, name: str, language: str) -> None:
    """Change one's own name and the language of letters."""
    await execute(
        connection, "update account set name = %s, language = %s where account_id = %s", (name, language, account_id)
    )


async def remember_language(connection: AsyncConnection[Any], account_id: int, language: str) -> None:
    """Note in which language somebody reads, unless they have said so themselves."""
    await execute(
        connection,
        "update account set language = %s where account_id = %s and language is null",
        (language, account_id),
    )


async def own_work(connection: AsyncConnection[Any], account_id: int | None) -> dict[str, list[Row]]:
    """Return somebody's measures, workshops and what they follow, the latest first."""
    queries = {
        "measures": "select measure_id as number, name, published, first_day as day from measure"
        " where account_id = %s order by measure_id desc limit 50",
        "workshops": "select workshop_id as number, title as name, published, held_at::date as day from workshop"
        " where account_id = %s order by workshop_id desc limit 50",
        "follows": "select f.measure_id as number, m.name, f.what, f.language from measure_follower f"
        " join measure m using (measure_id) where f.account_id = %s order by f.since_at desc",
    }
    return {name: await fetch_all(connection, query, (account_id,)) for name, query in queries.items()}


@transaction
def delete_account(account_id: int | None) -> Steps[None]:
    """Delete somebody: what is theirs alone goes; counts, and what others rest on, stay without a name.

    Sensors are nobody's and go on counting; what is published stays, drafts go; of what they have marked stays what is published or
    excludes days, since evaluations rest on it.

    Raises
    ------
    NoSuchRecordError
        There is no such account, or it is the only operator's.
    """
    rows = yield "select role from account where account_id = %s for update", (account_id,)
    if not rows:
        raise NoSuchRecordError("there is no such account any more")
    if rows[0]["role"] == "operator":
        others = yield (
            "select account_id from account where role = 'operator' and disabled_at is null and account_id <> %s for update",
            (account_id,),
        )
        if not others:
            raise NoSuchRecordError("you are the only operator: make somebody else one first")
    sensors = yield "select sensor_id from sensor where account_id = %s for update", (account_id,)
    yield from forget_owner.steps([row["sensor_id"] for row in sensors])
    yield "delete from street_event where account_id = %s and not published and not excludes", (account_id,)
    yield "update street_event set title = kind where account_id = %s and not published", (account_id,)
    yield "delete from measure where account_id = %s and not published", (account_id,)
    yield "delete from workshop where account_id = %s and not published", (account_id,)
    yield "delete from month_reader where email = (select email from account where account_id = %s)", (account_id,)
    yield "delete from sign_in_link where email = (select email from account where account_id = %s)", (account_id,)
    yield "delete from account where account_id = %s", (account_id,)
