"""One round: every followed measure whose next week is over is looked at, and what is news becomes letters."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Json, Jsonb

from telstraat_analytics import Question, monitor
from telstraat_analytics.designs.monitoring import FIRST_LOOK_WEEKS
from telstraat_analytics.errors import AnalysisError
from telstraat_analytics.report.following import week_sentences
from telstraat_analytics.report.numbers import day
from telstraat_analytics.report.write import finite
from telstraat_analytics.words import word
from telstraat_api.evaluations.evaluating import measure_of, read_hours
from telstraat_api.following.letters import letter_rows, send_waiting
from telstraat_api.following.weeks import WEEKS_MAX, followed_until, weeks_over
from telstraat_api.http.access import EVERYBODY
from telstraat_api.settings import ApiSettings, database_of
from telstraat_api.v1.measure_file import analysed
from telstraat_api.v1.measures import find_measure, measure_shape
from telstraat_contract.languages import LANGUAGES
from telstraat_store.connection import Database, Row

log = logging.getLogger("telstraat.api")
GUARD = "select pg_try_advisory_lock(hashtext('telstraat follow'))"
DUE = """
select distinct f.measure_id, f.what from measure_follower f join account a using (account_id)
where a.disabled_at is null order by 1, 2
"""
LAST = "select weeks, state from measure_look where (measure_id, what) = (%s, %s) order by weeks desc limit 1"
FOLLOWERS = """
select f.account_id, f.language from measure_follower f
join account a using (account_id) join measure m using (measure_id)
where (f.measure_id, f.what) = (%s, %s) and a.disabled_at is null
    and (m.published or a.role <> 'citizen' or m.account_id = a.account_id)
order by f.account_id
"""
KEEP = """
insert into measure_look (measure_id, what, weeks, state, result) values (%s, %s, %s, %s, %s)
on conflict do nothing returning weeks
"""
WRITE = """
insert into measure_letter (measure_id, account_id, what, weeks, subject, body, stop_hash, stop_link)
values (%(measure_id)s, %(account_id)s, %(what)s, %(weeks)s, %(subject)s, %(body)s, %(stop_hash)s, %(stop_link)s)
"""


@dataclass
class Round:
    """What one round did."""

    looked: int = 0
    news: int = 0
    written: int = 0
    sent: int = 0
    waiting: int = 0
    refused: list[str] = field(default_factory=list)
    already_running: bool = False


async def go_round(settings: ApiSettings, now: datetime) -> Round:
    """Look at what is due and send what waits; a second round at the same time does nothing."""
    done = Round()
    # The guard comes first: a database that is away is one error of one connection, not a pool's many attempts.
    async with await psycopg.AsyncConnection.connect(settings.dsn, autocommit=True) as guard:
        held = await (await guard.execute(GUARD)).fetchone()
        if not held or not held[0]:
            done.already_running = True
            return done
        database = database_of(settings)
        await database.open()
        try:
            for due in await database.rows(DUE):
                await look_at(database, settings, due, now, done)
            await send_waiting(database, settings, done)
        finally:
            await database.close()
    return done


async def look_at(database: Database, settings: ApiSettings, due: Row, now: datetime, done: Round) -> None:
    """Look at one measure, when a week of it has ended since the last look."""
    row = await find_measure(database, due["measure_id"])
    if row is None:
        return
    measure, what = measure_shape(row, EVERYBODY), due["what"]
    weeks = min(
        weeks_over(measure, now), WEEKS_MAX
    )  # who comes later, or was off then, gets the last look all the same
    last = await database.row(LAST, (due["measure_id"], what))
    if weeks < FIRST_LOOK_WEEKS or (last is not None and last["weeks"] >= weeks):
        return
    plain = await analysed(database, {**measure, "after_days": 7 * weeks})
    try:
        found = await asyncio.to_thread(looked, database.dsn, plain, what, weeks, whole=settings.quarter_min > 0)
    except AnalysisError as error:
        done.refused.append(f"measure {due['measure_id']}, {what}: {error}")
        return
    done.looked += 1
    await keep(database, settings, measure, what, weeks, found, last["state"] if last else {}, done)


def looked(dsn: str, plain: Mapping[str, Any], what: str, weeks: int, *, whole: bool = True) -> dict[str, Any]:
    """Return, per treated street, the look after so many weeks: state, numbers, and sentences."""
    measure, question = measure_of(plain), Question(what)
    streets = monitor(read_hours(dsn, measure, whole=whole), measure, question, weeks=[weeks])
    return {
        one.segment: {
            **one.to_dict(),
            "sentences": {code: week_sentences(one, measure, question, code) for code in LANGUAGES},
            "found": one,
        }
        for one in streets
    }


def end_of(measure: Mapping[str, Any], language: str, *, last: bool) -> str:
    """Return the sentence that says when the letters end."""
    date_in_words = day(followed_until(measure), language)
    return word("follow.last" if last else "follow.until", language, weeks=WEEKS_MAX, date=date_in_words)


async def keep(
    database: Database,
    settings: ApiSettings,
    measure: Mapping[str, Any],
    what: str,
    weeks: int,
    found: dict[str, Any],
    before: Mapping[str, Any],
    done: Round,
) -> None:
    """Keep a look and, in the same transaction, the letters about what is news in it."""
    number = measure["measure_id"]
    news = {segment: look.pop("found").news_since(before.get(segment, {})) for segment, look in found.items()}
    fresh = [segment for segment, parts in news.items() if parts]
    state = Jsonb({segment: look["state"] for segment, look in found.items()})
    async with database.connection() as connection, connection.transaction():
        kept = await (await connection.execute(KEEP, (number, what, weeks, state, Json(finite(found))))).fetchone()
        is_last = weeks == WEEKS_MAX
        if kept is None or not (fresh or is_last):
            return
        done.news += 1
        people = await (await connection.execute(FOLLOWERS, (number, what))).fetchall()
        streets = list(found) if is_last else fresh
        told = {
            code: [
                *(line for one in streets for line in found[one]["sentences"][code]),
                end_of(measure, code, last=is_last),
            ]
            for code in LANGUAGES
        }
        for letter in letter_rows(settings, measure, what, weeks, told, people):
            await connection.execute(WRITE, letter)
            done.written += 1
