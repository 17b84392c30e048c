"""The job that looks for odd sensors: their counts against their own past and against their neighbours, as evaluations doubt them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import psycopg

from telstraat_analytics.days import local_table
from telstraat_analytics.quality.findings import Finding
from telstraat_analytics.quality.health import daylight_days, health
from telstraat_analytics.quality.neighbours import against_neighbours
from telstraat_api.evaluations.evaluating import read_frame
from telstraat_api.jobs.kinds import JobRun
from telstraat_contract.languages import gettext_noop
from telstraat_store.places.fleet import standing_streets

LOOKING = gettext_noop("Looking at the sensors")
WEEKS_BACK = 16
RECENT = pd.Timedelta(days=28)
STREETS_AT_ONCE = 60
"""So many streets are each other's neighbours, and in memory together."""

ODD_KINDS = ("silent", "dead_channel", "moved", "class_drift", "gain_drift", "low_uptime")
"""Findings that ask for somebody to look at the sensor; the others are how a sensor begins, or known."""


def odd_sensors(run: JobRun) -> dict[str, Any]:
    """Return `findings` of the last four weeks, each with street, kind and local days, and how many `streets` were looked at."""
    today = pd.Timestamp(run.arguments["day"])
    findings: list[dict[str, Any]] = []
    with psycopg.connect(run.dsn) as connection:
        streets = standing_streets(connection)
        for begin in range(0, len(streets), STREETS_AT_ONCE):
            run.report(begin / len(streets), LOOKING)
            some = streets[begin : begin + STREETS_AT_ONCE]
            findings += [plain_finding(finding) for finding in looked_at(connection, some, today)]
    return {"day": run.arguments["day"], "streets": len(streets), "findings": findings}


def looked_at(
    connection: psycopg.Connection[Any], streets: Sequence[tuple[int, str]], today: pd.Timestamp
) -> list[Finding]:
    """Return what is odd about the sensors of some streets, each with its time zone, as of a day."""
    windows = {
        number: (
            (today - pd.Timedelta(weeks=WEEKS_BACK)).tz_localize(timezone).tz_convert("UTC"),
            (today + pd.Timedelta(days=1)).tz_localize(timezone).tz_convert("UTC"),
        )
        for number, timezone in streets
    }
    frame = read_frame(connection, windows)
    if frame is None:
        return []
    findings: list[Finding] = []
    days: dict[str, pd.DataFrame] = {}
    for number, timezone in streets:
        table = local_table(frame, str(number), timezone)
        if not table.empty:
            findings += health(str(number), table)
            days[str(number)] = daylight_days(table)
    findings += against_neighbours(days)
    return [
        finding
        for finding in findings
        if finding.kind in ODD_KINDS and max(finding.first, finding.last) >= today - RECENT
    ]


def plain_finding(finding: Finding) -> dict[str, Any]:
    """Return a finding as JSON."""
    return {
        "segment_id": int(finding.segment),
        "kind": finding.kind,
        "first": f"{finding.first:%Y-%m-%d}",
        "last": f"{max(finding.first, finding.last):%Y-%m-%d}",
        "classes": list(finding.classes),
    }
