"""A measure in the words of the analysis: with the streets' names and what people said had happened there, also as TOML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection

from telstraat_store.connection import Row
from telstraat_store.places.segments import names_of
from telstraat_store.work.events import events_until
from telstraat_store.work.measures import other_measures_in

CHANGES = ("road_works", "closure", "detour")
"""Events that change the traffic for good or for weeks: beside a measure they raise a doubt."""


async def analysed(connection: AsyncConnection[Any], measure: Mapping[str, Any]) -> dict[str, Any]:
    """Return the measure as `telstraat_analytics` calls it, with what else was marked or done in its streets."""
    segments = [*measure["treated"], *measure["boundary"], *measure["controls"]]
    names = await names_of(connection, segments)
    events = await events_until(connection, segments, end_of(measure))
    others = await other_measures_in(connection, segments, measure["measure_id"])
    zone = ZoneInfo(measure["timezone"])
    return {
        "name": measure["name"],
        "date": measure["first_day"],
        **{role: [str(number) for number in measure[role]] for role in ("treated", "controls", "boundary")},
        **{name: measure[name] for name in ("timezone", "before_days", "after_days", "transition_days")},
        "excluded": [
            *(
                {
                    "first": days["first_day"],
                    "last": days["last_day"],
                    "reason": days["reason"],
                    "segments": [str(number) for number in days["segments"]],
                }
                for days in measure["excluded"]
            ),
            *(excluded(event, zone) for event in events if event["excludes"]),
        ],
        "other_measures": [
            *([other["day"], other["name"]] for other in (*measure["other_measures"], *others)),
            *(
                [event["from_at"].astimezone(zone).date().isoformat(), public_words(event)]
                for event in events
                if event["kind"] in CHANGES and not event["excludes"]
            ),
        ],
        **{name: measure[name] for name in ("chosen_for", "closed_to", "speed_limit_kmh")},
        "names": {str(number): name for number, name in names.items()},
    }


def end_of(measure: Mapping[str, Any]) -> datetime:
    """Return the end of the time that is compared: events that began later are left out.

    How far back the analysis looks is its own affair: days that must not be compared are no history either.
    """
    zone = ZoneInfo(measure["timezone"])
    first = datetime.combine(date.fromisoformat(measure["first_day"]), time(), zone).astimezone(UTC)
    return first + timedelta(days=measure["transition_days"] + measure["after_days"] + 1)


def public_words(event: Row) -> str:
    """Return what an evaluation may say of an event: its words only when they are public."""
    kind = str(event["kind"]).replace("_", " ")
    return f"{kind}: {event['title']}" if event["published"] else kind


def excluded(event: Row, zone: ZoneInfo) -> dict[str, Any]:
    """Return the days that an event takes out of the comparison, in its street."""
    last = (event["until_at"] - timedelta(microseconds=1)).astimezone(zone).date()
    return {
        "first": event["from_at"].astimezone(zone).date().isoformat(),
        "last": last.isoformat(),
        "reason": public_words(event),
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
    for days in measure["excluded"]:
        lines += ["", "[[excluded]]", f"first = {days['first']}", f"last = {days['last']}"]
        lines += [f"reason = {text(days['reason'])}", f"segments = {texts(days['segments'])}"]
    lines += ["", "[names]", *(f"{text(number)} = {text(name)}" for number, name in measure["names"].items())]
    if questions:
        first = questions[0]
        lines += ["", "[question]", f"what = {texts([question['what'] for question in questions])}"]
        lines += [f"hours = {list(first['hours'])}", f"days = {text(first['days'])}"]
        lines.append(f"direction = {text(first['direction'])}")
    return "\n".join(lines) + "\n"
