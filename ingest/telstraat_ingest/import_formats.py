"""Reads the counts of others: Telraam's API rows (JSON or CSV), Telraam's portal export (CSV) and a plain CSV.

docs/import.md describes the three for those who make such files. A line that cannot be read is returned with its reason.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from telstraat_ingest.errors import ImportFileError

Format = Literal["telraam-api", "telraam-portal", "plain"]
CLASSES = ("pedestrian", "bike", "motorcycle", "car", "heavy", "night")
COUNTS = tuple(f"{name}_{way}" for name in CLASSES for way in ("lft", "rgt"))
MOTOR = ("motorcycle_lft", "motorcycle_rgt")
COUNT_MAX = 1e6
UPTIME_MAX = 2.0
"""Above 1 in old rows of others (up to 1.16 was seen)."""
OFFSETS_H = {"UTC": 0, "Z": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}
_ZONE_WORD = re.compile(r"(.*\d)\s*([A-Z]{1,4})")
_PORTAL = {
    "pedestrian_lft": "pedestrian(a>b)", "pedestrian_rgt": "pedestrian(b>a)", "bike_lft": "bike(a>b)", "bike_rgt": "bike(b>a)",
    "motorcycle_lft": "modemotorcycle(a>b)", "motorcycle_rgt": "modemotorcycle(b>a)", "car_lft": "car(a>b)",
    "car_rgt": "car(b>a)", "heavy_lft": "heavy(a>b)", "heavy_rgt": "heavy(b>a)", "night_lft": "night(a>b)",
    "night_rgt": "night(b>a)",
}  # fmt: skip
_PORTAL_SPEEDS = ("0-10", "10-20", "20-30", "30-40", "40-50", "50-60", "60-70", "70+")


class LineError(Exception):
    """A line that cannot be taken; the text says which value and why."""


@dataclass(frozen=True)
class Row:
    """One period of one street, as published: counts for the whole period."""

    number: int
    street: str
    period_start: datetime
    period_s: int
    uptime: float
    counts: tuple[float | None, ...]
    v85_kmh: float | None = None
    car_speed: tuple[float, ...] | None = None
    is_corrected: bool = True


@dataclass(frozen=True)
class Bad:
    """A line that cannot be taken, and why."""

    number: int
    reason: str
    line: str


ZoneOf = Callable[[str], ZoneInfo | None]
"""The time zone of a street, by its name in the file; needed where a file has local times only."""


def detect(path: Path) -> Format:
    """Tell the format of a file by its beginning."""
    head = path.read_text(encoding="utf-8-sig", errors="replace")[:4000].lstrip()
    if head[:1] in {"{", "["}:
        return "telraam-api"
    columns = {
        _plain(name)
        for name in next(csv.reader([head.splitlines()[0] if head else ""], delimiter=_delimiter(head)), [])
    }
    if "dateandtime(local)" in columns:
        return "telraam-portal"
    if {"date", "uptime", "segment_id"} <= columns:
        return "telraam-api"
    if {"segment", "period_start", "period_s"} <= columns:
        return "plain"
    raise ImportFileError(
        f"{path}: columns {', '.join(sorted(columns)[:6])} ... are neither Telraam's API rows, nor its portal export, nor the "
        "plain format; docs/import.md shows all three"
    )


def read(path: Path, kind: Format, zone_of: ZoneOf) -> Iterator[Row | Bad]:
    """Read a file line by line."""
    if kind == "telraam-portal":
        yield from _portal(path, zone_of)
        return
    take = _api_row if kind == "telraam-api" else _plain_row
    for number, found in enumerate(_objects(path), start=1):
        yield _tried(number, found, take)


def _tried(number: int, found: Mapping[str, Any], take: Callable[[int, Mapping[str, Any]], Row]) -> Row | Bad:
    try:
        return take(number, found)
    except LineError as error:
        return Bad(number, str(error), json.dumps(found, default=str)[:500])


def _objects(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        begin = file.read(4000)
        file.seek(0)
        if begin.lstrip()[:1] in {"{", "["}:
            try:
                found = json.load(file)
            except json.JSONDecodeError as error:
                raise ImportFileError(f"{path}: is not JSON: {error}") from error
            rows = found.get("report") if isinstance(found, dict) else found
            if not isinstance(rows, list):
                raise ImportFileError(f"{path}: has no list 'report'")
            yield from (row if isinstance(row, dict) else {"row": row} for row in rows)
        else:
            yield from csv.DictReader(file, delimiter=_delimiter(begin))


def _api_row(number: int, found: Mapping[str, Any]) -> Row:
    street = str(found.get("segment_id") or "").removesuffix(".0")
    if street in {"", "-1"}:
        street = str(found.get("instance_id") or "")
    interval = str(found.get("interval") or "hourly")
    if interval not in {"hourly", "quarterly"}:
        raise LineError(f"interval {interval!r} is neither hourly nor quarterly")
    counts = tuple(None if name in MOTOR else _count(found, name) for name in COUNTS)
    speeds = _shares(found.get("car_speed_hist_0to120plus")) or _shares(found.get("car_speed_hist_0to70plus"))
    return Row(
        number,
        street,
        _moment(str(found.get("date") or "")),
        3600 if interval == "hourly" else 900,
        _number(found, "uptime", UPTIME_MAX) or 0.0,
        counts,
        _number(found, "v85", 300),
        speeds,
    )


def _plain_row(number: int, found: Mapping[str, Any]) -> Row:
    period = str(found.get("period_s") or "")
    if period not in {"900", "3600"}:
        raise LineError(f"period_s {period!r} is neither 900 nor 3600")
    corrected = str(found.get("corrected") or "").lower()
    if corrected not in {"yes", "no"}:
        raise LineError(f"corrected {corrected!r} is neither yes nor no: were the counts divided by uptime?")
    uptime = _number(found, "uptime", UPTIME_MAX)
    if uptime is None:
        raise LineError("uptime is empty; 1 means counted all the time")
    counts = tuple(_count(found, name) for name in COUNTS)
    if corrected == "no":
        counts = tuple(n / uptime if n is not None and uptime else n for n in counts)
    return Row(
        number,
        str(found.get("segment") or ""),
        _moment(str(found.get("period_start") or "")),
        int(period),
        uptime,
        counts,
        _number(found, "v85_kmh", 300),
        is_corrected=corrected == "yes",
    )


def _portal(path: Path, zone_of: ZoneOf) -> Iterator[Row | Bad]:
    period_s = _portal_period_s(path)
    before: dict[str, datetime] = {}
    for number, raw in enumerate(_objects(path), start=1):
        found = {_plain(str(name)): value for name, value in raw.items() if name is not None}
        street = str(found.get("installationid") or "")

        def take(number: int, found: Mapping[str, Any], street: str = street) -> Row:
            zone = zone_of(street)
            if zone is None:
                raise LineError(f"segment {street!r} is not one of ours: its local times cannot be read")
            start = _local_moment(str(found.get("dateandtime(local)") or ""), zone, before.get(street))
            before[street] = start
            speeds = tuple(_number(found, f"speedcar{name}km/h(%)", 100) or 0.0 for name in _PORTAL_SPEEDS)
            return Row(
                number,
                street,
                start,
                period_s,
                _portal_uptime(str(found.get("uptime") or "")),
                tuple(_count(found, _PORTAL[name]) for name in COUNTS),
                _number(found, "speedv85km/h", 300),
                speeds if any(speeds) else None,
            )

        yield _tried(number, found, take)


def _portal_period_s(path: Path) -> int:
    """Tell a file of quarters from one of hours: only quarters begin beside the hour."""
    for number, raw in enumerate(_objects(path)):
        found = {_plain(str(name)): value for name, value in raw.items() if name is not None}
        if not str(found.get("dateandtime(local)") or "").endswith(":00"):
            return 900
        if number > 20_000:
            break
    return 3600


def _portal_uptime(text: str) -> float:
    match = re.search(r"(\d+(?:\.\d+)?)\s*$", text)
    if match is None:
        raise LineError(f"uptime {text!r} does not end in a number")
    return _in_range("uptime", float(match[1]), UPTIME_MAX)


def _moment(text: str) -> datetime:
    """Return a time in UTC; a time without an offset is refused, because nobody knows what it means."""
    word = _ZONE_WORD.fullmatch(text.strip())
    offset: timedelta | None = None
    if word and word[2] != "Z":
        if word[2] not in OFFSETS_H:
            raise LineError(f"date {text!r}: {word[2]!r} is not a time zone that is known here; write UTC with Z")
        text, offset = word[1], timedelta(hours=OFFSETS_H[word[2]])
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise LineError(f"date {text!r} is not a time like 2026-03-01T10:00:00Z") from error
    if at.tzinfo is None:
        if offset is None:
            raise LineError(f"date {text!r} has no offset from UTC; write 2026-03-01T10:00:00Z")
        at = at.replace(tzinfo=UTC) - offset
    return _aligned(at.astimezone(UTC), text)


def _local_moment(text: str, zone: ZoneInfo, before: datetime | None) -> datetime:
    """Return local time in UTC. An hour that the clock shows twice is told by the order of the lines."""
    try:
        local = datetime.fromisoformat(text.strip()).replace(tzinfo=zone)
    except ValueError as error:
        raise LineError(f"date {text!r} is not a local time like 2026-03-01 10:00") from error
    first, second = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if first > second:
        raise LineError(f"date {text!r} does not exist in {zone.key}: the clock was put forward")
    at = second if before is not None and before >= first and before < second else first
    return _aligned(at, text)


def _aligned(at: datetime, text: str) -> datetime:
    if at.minute % 15 or at.second or at.microsecond:
        raise LineError(f"date {text!r} is not the start of a quarter or an hour")
    if at.year < 2000 or at > datetime.now(UTC) + timedelta(days=1):
        raise LineError(f"date {text!r} is before 2000 or in the future")
    return at


def _count(found: Mapping[str, Any], name: str) -> float | None:
    return _number(found, name, COUNT_MAX)


def _number(found: Mapping[str, Any], name: str, largest: float) -> float | None:
    value = found.get(name)
    if value is None or value == "":
        return None
    try:
        return _in_range(name, float(value), largest)
    except (TypeError, ValueError) as error:
        raise LineError(f"{name} {value!r} is not a number") from error


def _in_range(name: str, value: float, largest: float) -> float:
    if not math.isfinite(value) or not 0 <= value <= largest:
        raise LineError(f"{name} {value:g} is not between 0 and {largest:g}")
    return value


def _shares(value: Any) -> tuple[float, ...] | None:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as error:
            raise LineError(f"speed histogram {value[:40]!r} is not a list") from error
    if not value:
        return None
    if not isinstance(value, list) or len(value) not in {8, 25}:
        raise LineError(f"speed histogram {str(value)[:40]!r} has neither 8 nor 25 bins")
    shares = tuple(_in_range("speed share", float(share), 100.001) for share in value)
    return shares if any(shares) else None


def _plain(name: str) -> str:
    return name.replace(" ", "").strip().lower()


def _delimiter(head: str) -> str:
    line = head.splitlines()[0] if head else ""
    return max(",;\t", key=line.count)
