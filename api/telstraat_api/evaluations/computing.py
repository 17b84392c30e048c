"""The job of an evaluation: counts read, the same inputs looked for, first answers on the way, the result and its words at the end.

The hash of the inputs is over all that the answer depends on: the counts, the measure and the questions (`inputs_sha256` of each answer), the
parts, the lines of the map and the words under it, and the code that computes. The same again is not computed again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

import pandas as pd
import psycopg

from telstraat_analytics import Measure, Question, days_needed, evaluate_all, inputs_hashes
from telstraat_analytics.report.content import evaluation_content
from telstraat_api.evaluations.evaluating import lines_around, measure_of, number_of, read_hours
from telstraat_api.evaluations.inputs import SIDES, code_sha256, digest
from telstraat_api.jobs.kinds import JobRun
from telstraat_contract.languages import LANGUAGES, gettext_noop
from telstraat_store.counts.evaluated import fingerprint_of_counts
from telstraat_store.work.evaluations import find_same_inputs

COMPUTED_FROM, COMPUTED_UNTIL = 0.05, 0.95
"""Shares of an evaluation that are over when the counts are read, and before its words are written down."""


def evaluation(run: JobRun) -> dict[str, Any]:
    """Compute an evaluation, or say which one has the answer already.

    Parameters
    ----------
    run
        Its arguments: `measure` as `telstraat_api.v1.measure_file.analysed` gives it, `measure_id`, `questions`, `by`.

    Returns
    -------
    dict
        `known`, the number of an evaluation of the same inputs; or `result`, `contents` and `answered`. With either `inputs`.
    """
    arguments, settings = run.arguments, run.settings
    whole = settings.quarter_min > 0
    measure, questions = measure_of(arguments["measure"]), questions_of(arguments["questions"])
    run.report(0.0, gettext_noop("Reading the counts"))
    windows = {number_of(segment): window for segment, window in days_needed(measure).items()}
    fingerprint = asyncio.run(fingerprint_now(run.dsn, windows, whole=whole))
    frame = read_hours(run.dsn, measure, whole=whole)
    lines = lines_around(run.dsn, measure)
    source = ", ".join(part for part in (settings.attribution, settings.licence) if part)
    inputs = inputs_of(frame, measure, questions, arguments["by"], {"lines": lines, "source": source})
    inputs |= {
        "counts": fingerprint,
        "measure": digest(arguments["measure"]),
        "phase": arguments["phase"],
        "windows": {str(number): [at.isoformat() for at in window] for number, window in windows.items()},
    }
    with psycopg.connect(run.dsn) as connection:
        known = find_same_inputs(connection, arguments["measure_id"], inputs["sha256"], arguments["account_id"])
    if known is not None:
        return {"known": known, "inputs": inputs}

    def hear(share: float, doing: str, first: Any) -> None:
        answers = None if first is None else {"answers": first}
        run.report(COMPUTED_FROM + share * (COMPUTED_UNTIL - COMPUTED_FROM), doing, answers)

    evaluations = evaluate_all(frame, measure, questions, by=arguments["by"], processes=run.processes, hear=hear)
    run.report(COMPUTED_UNTIL, gettext_noop("Writing it down in every language"))
    return {
        "inputs": inputs,
        "result": {"evaluations": [each.to_dict() for each in evaluations]},
        "contents": {
            code: asdict(evaluation_content(evaluations, code, lines=lines, source=source)) for code in LANGUAGES
        },
        "answered": any(each.effect is not None for each in evaluations),
    }


def questions_of(plain: list[Mapping[str, Any]]) -> list[Question]:
    """Return questions from plain values."""
    return [
        Question(each["what"], each["direction"], tuple(each["hours"]), each["days"], each["against"]) for each in plain
    ]


async def fingerprint_now(dsn: str, windows: Mapping[int, tuple[datetime, datetime]], *, whole: bool) -> str:
    """Return the hash of the counts of streets in their windows, as the database makes it."""
    async with await psycopg.AsyncConnection.connect(dsn) as connection:
        return await fingerprint_of_counts(connection, windows, SIDES, whole=whole)


def inputs_of(
    frame: pd.DataFrame, measure: Measure, questions: list[Question], by: list[str], around: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what an answer depends on, by name, as hashes; `sha256` is over all of them."""
    parts = {
        "questions": inputs_hashes(frame, measure, questions),
        "by": sorted(by),
        "code": code_sha256(),
        "languages": list(LANGUAGES),
        "around": digest(around),
    }
    return {"sha256": digest(parts), **parts}
