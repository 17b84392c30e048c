"""A measure in the words of the analysis: with the streets' names and what people said had happened there, also as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from telstraat_store.connection import Database, Row

CHANGES = ("road_works", "closure", "detour")
"""Events that change the traffic for good or for weeks: beside a measure they raise a doubt."""

EVENTS = """
select * from street_event where segment_id = any(%(segments)s) and from_at < %(end)s order by from_at, event_id
"""

OTHERS = """
select to_char(m.first_day, 'YYYY-MM-DD') as day, case when m.published then m.name else 'another measure' end as name
from measure m where m.measure_id <> %(measure)s and exists (
    select from measure_segment p
    where p.measure_id = m.measure_id and p.role = 'treated' and p.segment_id = any(%(segments)s)
) order by m.first_day, m.measure_id
"""


async def analysed(database: Database, measure: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measure as `telstraat_analytics` calls it, with what else was marked or done in its streets."""
    segments = [*measure["treated"], *measure["boundary"], *measure["controls"]]
    names = await database.rows("select segment_id, name from segment where segment_id = any(%s)", (segments,))
    events = await events_of(database, measure, segments)
    others = await database.rows(OTHERS, {"measure": measure["measure_id"], "segments": segments})
    zone = ZoneInfo(measure["timezone"])
    return {
        "name": measure["name"],
        "date": measure["first_day"],
        **{role: [str(one) for one in measure[role]] for role in ("treated", "controls", "boundary")},
        **{name: measure[name] for name in ("timezone", "before_days", "after_days", "transition_days")},
        "excluded": [
            *(
                {
                    "first": one["first_day"],
                    "last": one["last_day"],
                    "reason": one["reason"],
                    "segments": [str(number) for number in one["segments"]],
                }
                for one in measure["excluded"]
            ),
            *(excluded(one, zone) for one in events if one["excludes"]),
        ],
        "other_measures": [
            *([one["day"], one["name"]] for one in (*measure["other_measures"], *others)),
            *(
                [one["from_at"].astimezone(zone).date().isoformat(), said(one)]
                for one in events
                if one["kind"] in CHANGES and not one["excludes"]
            ),
        ],
        **{name: measure[name] for name in ("chosen_for", "closed_to", "speed_limit_kmh")},
        "names": {str(row["segment_id"]): row["name"] for row in sorted(names, key=lambda row: row["segment_id"])},
    }


async def events_of(database: Database, measure: Mapping[str, Any], segments: Sequence[int]) -> list[Row]:
    """Return what was marked in the streets of a measure until the end of the time that is compared.

    How far back the analysis looks is its own affair: days that must not be compared are no history either.
    """
    zone = ZoneInfo(measure["timezone"])
    first = datetime.combine(date.fromisoformat(measure["first_day"]), time(), zone).astimezone(UTC)
    end = first + timedelta(days=measure["transition_days"] + measure["after_days"] + 1)
    return await database.rows(EVENTS, {"segments": list(segments), "end": end})


def said(event: Row) -> str:
    """Return what an evaluation may say of an event: its words only when they are public."""
    kind = str(event["kind"]).replace("_", " ")
    return f"{kind}: {event['title']}" if event["published"] else kind


def excluded(event: Row, zone: ZoneInfo) -> dict[str, Any]:
    """Return the days that an event takes out of the comparison, in its street."""
    last = (event["until_at"] - timedelta(microseconds=1)).astimezone(zone).date()
    return {
        "first": event["from_at"].astimezone(zone).date().isoformat(),
        "last": last.isoformat(),
        "reason": said(event),
        "segments": [str(event["segment_id"])],
    }


def text(value: str) -> str:
    """Write a text as TOML does: as JSON, with the one character escaped that JSON leaves."""
    return json.dumps(value).replace("\x7f", "\\u007f")


def texts(values: Sequence[str]) -> str:
    """Write a list of texts."""
    return f"[{', '.join(map(text, values))}]"


def toml(measure: Mapping[str, Any], questions: Sequence[Mapping[str, Any]] = ()) -> str:
    """Return the file that `telstraat evaluate` reads: the same measure gives the same answer there."""
    lines = ["[measure]", f"name = {text(measure['name'])}", f"date = {measure['date']}"]
    lines += [f"{role} = {texts(measure[role])}" for role in ("treated", "controls", "boundary")]
    lines.append(f"timezone = {text(measure['timezone'])}")
    lines += [
        f"{name} = {measure[name]}" for name in ("before_days", "after_days", "transition_days", "speed_limit_kmh")
    ]
    others = ", ".join(f"[{text(day)}, {text(name)}]" for day, name in measure["other_measures"])
    lines += [f"other_measures = [{others}]", f"chosen_for = {text(measure['chosen_for'])}"]
    lines.append(f"closed_to = {texts(measure['closed_to'])}")
    for one in measure["excluded"]:
        lines += ["", "[[excluded]]", f"first = {one['first']}", f"last = {one['last']}"]
        lines += [f"reason = {text(one['reason'])}", f"segments = {texts(one['segments'])}"]
    lines += ["", "[names]", *(f"{text(number)} = {text(name)}" for number, name in measure["names"].items())]
    if questions:
        first = questions[0]
        lines += ["", "[question]", f"what = {texts([one['what'] for one in questions])}"]
        lines += [f"hours = {list(first['hours'])}", f"days = {text(first['days'])}"]
        lines.append(f"direction = {text(first['direction'])}")
    return "\n".join(lines) + "\n"
