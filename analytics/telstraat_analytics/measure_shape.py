"""What each key of a measure's file must hold: a text where a list belongs is told, with the key, before anything reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from telstraat_analytics.errors import MeasureError

NUMBER_MAX = 100_000
Kind = tuple[str, Callable[[Any], bool]]


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= NUMBER_MAX


def _is_list(value: Any, *kinds: type) -> bool:
    return isinstance(value, list) and all(isinstance(item, kinds) and not isinstance(item, bool) for item in value)


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, list) and len(item) == 2 for item in value)


TEXT: Kind = ("a text", lambda value: isinstance(value, str) and "\0" not in value)
NUMBER: Kind = ("a whole number", _is_number)
TEXTS: Kind = ("a list of texts", lambda value: _is_list(value, str, int))
ONE_OR_MORE: Kind = ("a text or a list of texts", lambda value: isinstance(value, str) or _is_list(value, str))
HOURS: Kind = ("a list of hours, 0 to 23", lambda value: _is_list(value, int) and all(0 <= hour < 24 for hour in value))
PAIRS: Kind = ("a list of pairs", _are_pairs)
FLAG: Kind = ("true or false", lambda value: isinstance(value, bool))

SHAPES: dict[str, dict[str, Kind]] = {
    "measure": {
        "name": TEXT, "treated": TEXTS, "controls": TEXTS, "boundary": TEXTS, "closed_to": TEXTS, "timezone": TEXT, "chosen_for": TEXT,
        "before_days": NUMBER, "after_days": NUMBER, "transition_days": NUMBER, "speed_limit_kmh": NUMBER, "other_measures": PAIRS,
    },
    "calendar": {"country": TEXT, "region": TEXT, "school": PAIRS, "southern": FLAG},
    "question": {"what": ONE_OR_MORE, "direction": TEXT, "hours": HOURS, "days": TEXT, "by": ONE_OR_MORE},
    "data": {
        "files": TEXTS, "counts": TEXT, "times": TEXT, "dates": TEXT, "decimal": TEXT, "weather": TEXT, "map": TEXT, "source": TEXT,
        "licence": TEXT,
    },
    "names": {},
}  # fmt: skip


def check_shape(path: Path, content: Mapping[str, Any]) -> None:
    """Refuse a measure's file in which a key holds what it cannot.

    Raises
    ------
    MeasureError
        The file, the key, its value and what belongs there.
    """
    for name, kinds in SHAPES.items():
        table = content.get(name, {})
        if not isinstance(table, Mapping):
            raise MeasureError(f"{path}: {name} is {table!r}; write a table [{name}]")
        for key, (what, fits) in kinds.items():
            if key in table and not fits(table[key]):
                raise MeasureError(f"{path}: [{name}] {key} is {str(table[key])[:80]!r}; write {what}")
    excluded = content.get("excluded", [])
    if not isinstance(excluded, list) or not all(isinstance(entry, Mapping) for entry in excluded):
        raise MeasureError(f"{path}: excluded is {str(excluded)[:80]!r}; write tables [[excluded]]")
    for entry in excluded:
        if not TEXTS[1](entry.get("segments", [])):
            raise MeasureError(f"{path}: [[excluded]] segments is {str(entry['segments'])[:80]!r}; write {TEXTS[0]}")
