"""Streets in each of the four states: counted (a zero included), missing, withheld, not yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from tests.api.streets import BRUSSELS, QUARTER, add_reports, add_segment, add_sensor, plausible_days


@dataclass(frozen=True)
class Town:
    """One street for each state; their days end yesterday, so that the time of day of a test does not matter."""

    counted: int  # two weeks, but for a day without reports, one of two hours and one on which nobody passed
    silent: int  # counted until a week ago
    withheld: int  # watched for a quarter of an hour each hour, which the public is not told
    new: int  # a sensor that has never spoken
    yesterday: datetime  # local midnight


def a_town(connection: psycopg.Connection[Any], now: datetime) -> Town:
    """Store the streets, up to yesterday's end."""
    today = now.astimezone(BRUSSELS).replace(hour=0, minute=0, second=0, microsecond=0)

    def midnight(days: int) -> datetime:
        return (today.replace(tzinfo=None) - timedelta(days=days)).replace(tzinfo=BRUSSELS)

    numbers = [add_segment(connection, f"{name} street") for name in ("Counted", "Silent", "Withheld", "New")]
    sensors = [
        add_sensor(connection, f"state-{number}", number, from_at=midnight(30), online=at != 1)
        for at, number in enumerate(numbers)
    ]
    rows = plausible_days(sensors[0], midnight(14), today, seed=1)
    rows = [row for row in rows if not midnight(6) <= row["period_start"] < midnight(5)]
    rows = [row for row in rows if not midnight(4) + timedelta(hours=9) <= row["period_start"] < midnight(3)]
    rows = [row for row in rows if not midnight(4) <= row["period_start"] < midnight(4) + timedelta(hours=7)]
    nobody = midnight(2), midnight(1)
    keys = ("sensor_id", "period_start")
    rows = [
        {**{name: row[name] for name in keys}, "observed_s": 900}
        if nobody[0] <= row["period_start"] < nobody[1]
        else row
        for row in rows
    ]
    known = {row["period_start"] for row in rows}
    rows += [
        {"sensor_id": sensors[0], "period_start": at}
        for at in (nobody[0] + n * QUARTER for n in range(96))
        if at not in known and at < nobody[1]
    ]
    add_reports(connection, sorted(rows, key=lambda row: row["period_start"]))
    add_reports(connection, plausible_days(sensors[1], midnight(12), midnight(7), seed=2))
    hours = [midnight(1) + timedelta(hours=n) for n in range(6, 20)]
    add_reports(
        connection,
        [{"sensor_id": sensors[2], "period_start": at, "car_lft": 1, "seq": n} for n, at in enumerate(hours, 2)],
    )
    # Its first report is still asked for: what came after it is not settled either.
    connection.execute("update stream set missing = '{[1,2)}' where sensor_id = %s", (sensors[2],))
    counted, silent, withheld, new = numbers
    return Town(counted, silent, withheld, new, yesterday=midnight(1))
