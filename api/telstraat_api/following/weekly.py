"""One round: every followed measure whose next week is over is looked at, and what is news becomes letters."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

import psycopg

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
from telstraat_api.v1.measures import measure_shape
from telstraat_contract.languages import LANGUAGES
from telstraat_store.connection import Database, Row
from telstraat_store.work import followers as stored
from telstraat_store.work.measures import find_measure

log = logging.getLogger("telstraat.api")


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
        if not await stored.begin_round(guard):
            done.already_running = True
            return done
        database = database_of(settings)
        await database.open()
        try:
            async with database.connection() as connection:
                followed = await stored.followed_measures(connection)
            for due in followed:
                await look_at(database, settings, due, now, done)
            await send_waiting(database, settings, done)
        finally:
            await database.close()
    return done


async def look_at(database: Database, settings: ApiSettings, due: Row, now: datetime, done: Round) -> None:
    """Look at one measure, when a week of it has ended since the last look."""
    async with database.connection() as connection:
        row = await find_measure(connection, due["measure_id"])
        if row is None:
            return
        measure, what = measure_shape(row, EVERYBODY), due["what"]
        # Who comes later, or was off then, gets the last look all the same.
        weeks = min(weeks_over(measure, now), WEEKS_MAX)
        last = await stored.last_look(connection, due["measure_id"], what)
        if weeks < FIRST_LOOK_WEEKS or (last is not None and last["weeks"] >= weeks):
            return
        plain = await analysed(connection, {**measure, "after_days": 7 * weeks})
    try:
        looks = await asyncio.to_thread(looked, database.dsn, plain, what, weeks, whole=settings.quarter_min > 0)
    except AnalysisError as error:
        done.refused.append(f"measure {due['measure_id']}, {what}: {error}")
        return
    done.looked += 1
    await keep(database, settings, measure, what, weeks, looks, last["state"] if last else {}, done)


def looked(dsn: str, plain: Mapping[str, Any], what: str, weeks: int, *, whole: bool = True) -> dict[str, Any]:
    """Return, per treated street, the look after so many weeks: state, numbers, and sentences."""
    measure, question = measure_of(plain), Question(what)
    streets = monitor(read_hours(dsn, measure, whole=whole), measure, question, weeks=[weeks])
    return {
        street.segment: {
            **street.to_dict(),
            "sentences": {code: week_sentences(street, measure, question, code) for code in LANGUAGES},
            "found": street,
        }
        for street in streets
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
    looks: dict[str, Any],
    before: Mapping[str, Any],
    done: Round,
) -> None:
    """Keep a look and, in the same transaction, the letters about what is news in it."""
    news = {segment: look.pop("found").news_since(before.get(segment, {})) for segment, look in looks.items()}
    fresh = [segment for segment, parts in news.items() if parts]
    is_last = weeks == WEEKS_MAX
    sentences = {
        code: [
            *(line for segment in (looks if is_last else fresh) for line in looks[segment]["sentences"][code]),
            end_of(measure, code, last=is_last),
        ]
        for code in LANGUAGES
    }
    async with database.connection() as connection:
        letters = await stored.keep_look(
            connection,
            measure["measure_id"],
            what,
            weeks,
            state={segment: look["state"] for segment, look in looks.items()},
            result=finite(looks),
            letters_to=partial(letter_rows, settings, measure, what, weeks, sentences) if fresh or is_last else None,
        )
    if letters is not None:
        done.news += 1
        done.written += letters
