"""Evaluations as they were computed, with their questions, and the reports that were set from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection, Connection
from psycopg.types.json import Json, Jsonb

from telstraat_store.connection import Row
from telstraat_store.queries import execute, fetch_all, fetch_one
from telstraat_store.work.published import Audience, NewestPage, Page, delete_row, fetch_newest, fetch_page, update_row

SELECT = "select e.*, a.email from evaluation e left join account a using (account_id)"
BRIEF = "select evaluation_id, measure_id, account_id, note, published, created_at from evaluation"
EVERYTHING = Audience(None, sees_everything=True)
OF_MEASURE = "and (%(measure)s::bigint is null or measure_id = %(measure)s)"


async def find_evaluation(connection: AsyncConnection[Any], evaluation_id: int) -> Row | None:
    """Return an evaluation with its maker's address, or None."""
    return await fetch_one(connection, SELECT + " where e.evaluation_id = %s", (evaluation_id,))


async def list_evaluations(
    connection: AsyncConnection[Any], audience: Audience, page: Page, measure_id: int | None = None
) -> list[Row]:
    """Return evaluations by number, those of a measure or all."""
    return await fetch_page(connection, SELECT, "evaluation_id", audience, page, OF_MEASURE, measure=measure_id)


async def list_brief(
    connection: AsyncConnection[Any], audience: Audience, page: NewestPage, measure_id: int
) -> tuple[list[Row], bool]:
    """Return the evaluations of a measure, the newest first, without what they found, which is long; and whether there are older ones."""
    return await fetch_newest(connection, BRIEF, "evaluation_id", audience, page, more=OF_MEASURE, measure=measure_id)


async def find_shown(
    connection: AsyncConnection[Any], audience: Audience, measure_id: int, number: int | None
) -> Row | None:
    """Return the evaluation of a measure that is asked for and the audience sees, else the latest published one, else the latest."""
    rows, _ = await fetch_newest(
        connection,
        SELECT,
        "evaluation_id",
        audience,
        NewestPage(1, 1),
        "coalesce(evaluation_id = %(number)s::bigint, false) desc, published desc,",
        OF_MEASURE,
        measure=measure_id,
        number=number,
    )
    return rows[0] if rows else None


async def add_evaluation(
    connection: AsyncConnection[Any], account_id: int | None, measure_id: int, values: Mapping[str, Any]
) -> Row | None:
    """Keep an evaluation and return it; None when its measure is gone.

    Parameters
    ----------
    connection
        With all rights.
    account_id
        Whose it is.
    measure_id
        What was evaluated.
    values
        `note`, `questions`, `answered`, `published`, and as JSON in text `result` and `contents`; `inputs`, hashes of what it was
        computed from by name, among them `sha256` of all.
    """
    row = await fetch_one(
        connection,
        """
        insert into evaluation
            (measure_id, account_id, note, questions, answered, result, contents, published, inputs, inputs_sha256)
        select measure_id, %(account_id)s, %(note)s, %(questions)s, %(answered)s, %(result)s::json, %(contents)s::json,
            %(published)s, %(inputs)s, %(sha256)s from measure where measure_id = %(measure_id)s
        returning evaluation_id
        """,
        {
            **values,
            "questions": Jsonb(values["questions"]),
            "inputs": Json(values["inputs"]),
            "sha256": values["inputs"]["sha256"],
            "account_id": account_id,
            "measure_id": measure_id,
        },
    )
    return None if row is None else await find_evaluation(connection, row["evaluation_id"])


def find_same_inputs(connection: Connection[Any], measure_id: int, sha256: str, account_id: int | None) -> int | None:
    """Return the number of an evaluation of a measure from the very same inputs, of this account's before others; None without."""
    row = connection.execute(
        """
        select evaluation_id from evaluation where measure_id = %s and inputs_sha256 = %s
        order by account_id is not distinct from %s desc, evaluation_id limit 1
        """,
        (measure_id, sha256, account_id),
    ).fetchone()
    return None if row is None else int(row[0])


async def change_evaluation(connection: AsyncConnection[Any], evaluation: Row, values: Mapping[str, Any]) -> Row | None:
    """Change `note` or `published` of an evaluation as it was read; `StaleRecordError` when somebody was quicker."""
    await update_row(connection, "evaluation", "evaluation_id", evaluation, values)
    return await find_evaluation(connection, evaluation["evaluation_id"])


async def delete_evaluation(connection: AsyncConnection[Any], evaluation_id: int) -> None:
    """Delete an evaluation with its reports."""
    await delete_row(connection, "evaluation", "evaluation_id", evaluation_id)


async def latest_answers(
    connection: AsyncConnection[Any], audience: Audience, measures: Sequence[int]
) -> dict[int, Row]:
    """Return, by measure, what its latest visible evaluation answered first, and when, with its interval and weeks.

    A published evaluation comes before one that is not.
    """
    rows = await fetch_all(
        connection,
        """
        select distinct on (measure_id) measure_id, evaluation_id, published, created_at,
            result #> '{evaluations,0,sentence}' as sentence, result #> '{evaluations,0,effect}' as effect,
            result #> '{evaluations,0,streets,0,weeks}' as weeks, result #>> '{evaluations,0,question,what}' as what,
            coalesce((result #>> '{evaluations,0,reliable}')::boolean, true) as reliable
        from evaluation
        where measure_id = any(%(measures)s) and (published or account_id = %(account)s::int or %(everything)s)
        order by measure_id, published desc, evaluation_id desc
        """,
        {"measures": list(measures), "account": audience.account_id, "everything": audience.sees_everything},
    )
    return {row["measure_id"]: row for row in rows}


async def results_of_measure(
    connection: AsyncConnection[Any], measure_id: int | None, audience: Audience = EVERYTHING
) -> list[dict[str, Any]]:
    """Return the results of the evaluations of a measure that an audience sees, the first one first, without their words."""
    rows = await fetch_all(
        connection,
        """
        select result from evaluation
        where measure_id = %(measure)s and (published or account_id = %(account)s::int or %(everything)s)
        order by evaluation_id
        """,
        {"measure": measure_id, "account": audience.account_id, "everything": audience.sees_everything},
    )
    return [row["result"] for row in rows]


async def find_report(connection: AsyncConnection[Any], evaluation_id: int, language: str, form: str) -> bytes | None:
    """Return a report that was set before, or None."""
    row = await fetch_one(
        connection,
        "select body from evaluation_report where (evaluation_id, language, form) = (%s, %s, %s)",
        (evaluation_id, language, form),
    )
    return None if row is None else bytes(row["body"])


async def keep_report(
    connection: AsyncConnection[Any], evaluation_id: int, language: str, form: str, body: bytes
) -> None:
    """Keep a report; one that is there already stays."""
    await execute(
        connection,
        "insert into evaluation_report (evaluation_id, language, form, body) values (%s, %s, %s, %s)"
        " on conflict do nothing",
        (evaluation_id, language, form, body),
    )
