"""The advanced reports that add up: totals over a period, speeds by hour of day, and one month against the one before."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from telstraat_api.errors import BadRequestError
from telstraat_api.http.access import connections_for
from telstraat_api.telraam.envelope import described, ok
from telstraat_api.telraam.request_parsing import read_body, read_id, read_ids, read_window, read_word
from telstraat_api.telraam.rows import DECIMALS, MODES, NOT_TOLD_APART, Interval, rounded, without_motorcycles
from telstraat_api.telraam.traffic import KEYS, LEVELS, complete, names_of, read_intervals, timezone_of
from telstraat_contract.road_users import COUNTED, SPEED_BINS
from telstraat_contract.speeds import added_bins, v85_kmh
from telstraat_store.counts.period import total
from telstraat_store.counts.reading import Key
from telstraat_store.counts.windows import Bucket, Window, local_midnight, zone

router = APIRouter(tags=["Telraam-compatible"])
DAYS_MAX = 366
CLASSES = MODES[:-1]
GOOD, BAD = 0.9, 0.5
"""Borders of uptime in the monthly quality chart."""

PERIOD = {
    "level": "segments", "id": [1001], "time_start": "2026-02-01 00:00:00Z", "time_end": "2026-03-01 00:00:00Z"
}  # fmt: skip


def is_night(interval: Interval) -> bool:
    """Tell whether more passed unclassified in the dark than in all classes of the day."""
    return (interval.both("night") or 0.0) > (total(interval.both(kind) for kind in CLASSES) or 0.0)


def added_speeds(intervals: Iterable[Interval]) -> list[float]:
    """Return the cars per 5 km/h of all intervals, or per 10 km/h where some tell no more."""
    return added_bins(interval.speeds for interval in intervals if interval.speeds)


def speeds_shape(intervals: Iterable[Interval]) -> dict[str, Any]:
    """Return cars per 5 km/h, null where only coarser bins are known, and V85."""
    cars = added_speeds(intervals)
    return {"sum_car_speed_hist_0to120plus": cars if len(cars) == SPEED_BINS else None, "v85": v85_kmh(cars)}


def sums(intervals: Sequence[Interval]) -> dict[str, float | None]:
    """Return the sums of classes and of modes, as far as four classes can tell; null for what was never counted."""
    of: dict[str, float | None] = {kind: total(interval.both(kind) for interval in intervals) for kind in COUNTED}
    values: dict[str, float | None] = {f"sum_{kind}": rounded(of[kind]) for kind in CLASSES}
    values["sum_mode_bicycle"] = without_motorcycles(of["bike"], of["motorcycle"])
    values["sum_mode_car"] = values["sum_car"]
    values["sum_mode_motorcycle"] = rounded(of["motorcycle"])
    values["sum_mode_pedestrian"] = values["sum_pedestrian"]
    values["sum_mode_night"] = rounded(of["night"])
    values.update({f"sum_mode_{mode}": None for mode in NOT_TOLD_APART})
    return values


async def read_hours(request: Request, key: Key, number: int, window: Window) -> tuple[list[Interval], str] | None:
    """Return the complete hours of a segment or instance and its time zone; None when there is none of that number."""
    timezone = await timezone_of(request.app.state.database, key, number)
    if timezone is None:
        return None
    span = complete(window, Bucket.HOUR, timezone, datetime.now(UTC))
    return await read_intervals(connections_for(request), key, number, span, Bucket.HOUR, timezone), timezone


@router.post(
    "/advanced/reports/traffic_summary",
    summary="Totals over a period",
    openapi_extra=described({"status_code": 200, "message": "ok", "report": [{"segment_id": 1001}]}, body=PERIOD),
)
async def traffic_summary(request: Request) -> Response:
    """Return totals per segment or instance, with how much of the time they rest on."""
    body = await read_body(request)
    key = KEYS[read_word(body, "level", LEVELS, "segments")]
    window = read_window(body, DAYS_MAX)
    hours = max(1, window.length_s // 3600)
    rows = []
    for number in read_ids(body.get("id")):
        hours_and_zone = await read_hours(request, key, number, window)
        if hours_and_zone is None:
            continue
        counted = [interval for interval in hours_and_zone[0] if interval.uptime > 0]
        rows.append(
            {
                **{name: value for name, value in names_of(key, number).items() if value != -1},
                **sums(counted),
                "samplesize": len(counted),
                "samplesize_night": sum(map(is_night, counted)),
                "uptime": round(sum(i.uptime for i in counted) / len(counted), DECIMALS) if counted else 0.0,
                "coverage": round(len(counted) / hours, DECIMALS),
                **speeds_shape(counted),
            }
        )
    return ok(report=rows)


@router.post(
    "/advanced/reports/hourly_speeds",
    summary="Speeds by hour of day",
    openapi_extra=described(
        {"status_code": 200, "message": "ok", "report": [{"time": "08:00", "v85": 40.0}]}, body=PERIOD
    ),
)
async def hourly_speeds(request: Request) -> Response:
    """Return cars per 5 km/h and V85 for each hour of the local day."""
    body = await read_body(request)
    key = KEYS[read_word(body, "level", LEVELS, "segments")]
    window = read_window(body, DAYS_MAX)
    rows = []
    for number in read_ids(body.get("id")):
        hours_and_zone = await read_hours(request, key, number, window)
        if hours_and_zone is None:
            continue
        intervals, timezone = hours_and_zone
        by_hour: dict[int, list[Interval]] = {}
        for interval in intervals:
            by_hour.setdefault(interval.start.astimezone(zone(timezone)).hour, []).append(interval)
        for hour in sorted(by_hour):
            row = {name: value for name, value in names_of(key, number).items() if value != -1}
            rows.append({**row, "time": f"{hour:02}:00", **speeds_shape(by_hour[hour])})
    return ok(report=rows)


def read_month(value: object) -> date:
    """Read `YYYY-MM`."""
    if isinstance(value, str) and re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])", value):
        return date(int(value[:4]), int(value[5:]), 1)
    raise BadRequestError(f"month={value!r} is not a month; write 2026-03")


def month_window(first: date, tz: ZoneInfo) -> Window:
    """Return a local month."""
    following = (first + timedelta(days=32)).replace(day=1)
    return Window(local_midnight(first, tz), local_midnight(following, tz))


def quality_code(interval: Interval | None) -> int:
    """Return 0 for nothing, 1 to 3 for how well an hour was observed, negative by night."""
    if interval is None or interval.uptime <= 0:
        return 0
    code = 3 if interval.uptime >= GOOD else 2 if interval.uptime >= BAD else 1
    return -code if is_night(interval) else code


def cents(value: float | None) -> float | None:
    """Return a figure to two decimals; what is not known stays so."""
    return None if value is None else round(value, 2)


class Month:
    """What one month of hours comes to."""

    def __init__(self, intervals: Sequence[Interval], window: Window, tz: ZoneInfo) -> None:
        self.tz = tz
        self.first = window.start.astimezone(tz).date()
        self.days = (window.end.astimezone(tz).date() - self.first).days
        self.counted = [interval for interval in intervals if interval.uptime > 0]
        self.hours = window.length_s / 3600

    def totals(self) -> dict[str, float | None]:
        """Return the figures that are compared with the month before; null for a class that was not counted."""
        sums_of = {kind: cents(total(i.both(kind) for i in self.counted)) for kind in (*CLASSES, "night")}
        return {
            "uptime": round(100 * sum(i.uptime for i in self.counted) / self.hours, 2),
            "days_counted": len({self.day_of(i) for i in self.counted}),
            "total": cents(total(sums_of.values())),
            **sums_of,
        }

    def day_of(self, interval: Interval) -> date:
        """Return the local day of an interval."""
        return interval.start.astimezone(self.tz).date()

    def quality_chart(self) -> list[list[int]]:
        """Return a code for each hour of each day."""
        known = {(self.day_of(i), i.start.astimezone(self.tz).hour): i for i in self.counted}
        days = (self.first + timedelta(days=n) for n in range(self.days))
        return [[quality_code(known.get((day, hour))) for hour in range(24)] for day in days]

    def daily_totals(self, kind: str) -> list[float | None]:
        """Return a class's count of each day; null where it was not counted."""
        by_day: list[list[float | None]] = [[] for _ in range(self.days)]
        for interval in self.counted:
            by_day[(self.day_of(interval) - self.first).days].append(interval.both(kind))
        return [cents(total(counts)) for counts in by_day]

    def hourly_averages(self, kind: str) -> list[float | None]:
        """Return a class's mean per hour of day; null where nothing was counted."""
        by_hour: list[list[float]] = [[] for _ in range(24)]
        for interval in self.counted:
            if (count := interval.both(kind)) is not None:
                by_hour[interval.start.astimezone(self.tz).hour].append(count)
        return [round(sum(counts) / len(counts), 2) if counts else None for counts in by_hour]

    def modal_share(self) -> list[float | None]:
        """Return the shares of heavy, car, bike and pedestrian in percent, night left out; null for what was not counted."""
        totals = [total(i.both(kind) for i in self.counted) for kind in CLASSES]
        everything = total(totals)
        return [None if n is None or not everything else round(100 * n / everything, 2) for n in totals]


@router.post(
    "/advanced/reports/monthly_report",
    summary="A month against the month before",
    openapi_extra=described(
        {"status_code": 200, "message": "ok", "report": {"car_this_month": 8123.5}},
        body={"level": "segments", "id": 1001, "month": "2026-02"},
    ),
)
async def monthly_report(request: Request) -> Response:
    """Return a month's figures, those of the month before, the difference, and the quality of every hour."""
    body = await read_body(request)
    key = KEYS[read_word(body, "level", LEVELS, "segments")]
    number, first = read_id(body.get("id")), read_month(body.get("month"))
    timezone = await timezone_of(request.app.state.database, key, number)
    if timezone is None:
        return ok(report={})
    tz = zone(timezone)
    months = []
    for start in (first, (first - timedelta(days=1)).replace(day=1)):
        window = month_window(start, tz)
        hours_and_zone = await read_hours(request, key, number, window)
        months.append(Month(hours_and_zone[0] if hours_and_zone else [], window, tz))
    return ok(report=month_shape(key, number, *months))


def month_shape(key: Key, number: int, this: Month, past: Month) -> dict[str, Any]:
    """Return a month and the one before as one object."""
    report: dict[str, Any] = {name: value for name, value in names_of(key, number).items() if value != -1}
    report["month"] = this.first.strftime("%Y-%m")
    now, before = this.totals(), past.totals()
    for name, value in now.items():
        report[f"{name}_this_month"] = value
        report[f"{name}_past_month"] = before[name]
        past_value = before[name]
        report[f"{name}_change_abs"] = None if value is None or past_value is None else round(value - past_value, 2)
    report["quality_chart"] = this.quality_chart()
    for kind in (*CLASSES, "night"):
        report[f"{kind}_daily_totals"] = this.daily_totals(kind)
        report[f"{kind}_hourly_avg_this_month"] = this.hourly_averages(kind)
        report[f"{kind}_hourly_avg_past_month"] = past.hourly_averages(kind)
    for name, month in (("this", this), ("past", past)):
        report[f"v85_{name}_month"] = v85_kmh(added_speeds(month.counted))
        report[f"modal_share_heavy_car_bike_pedestrian_{name}_month"] = month.modal_share()
    return report
