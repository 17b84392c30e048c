"""The proof that nothing is lost or doubled: every closed report of a sensor's outbox beside the row in the table."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Literal

from telstraat_contract.messages import Confidence, Counts, Directed, Report, decode
from telstraat_contract.road_users import CLASSES, CONFIDENCE_COLUMNS, COUNT_COLUMNS, COUNTED, columns_of
from telstraat_contract.topics import Channel

Problem = Literal["missing", "different", "unknown", "doubled"]
Key = tuple[int, int]  # epoch, seq
LIGHTS = {"u": "unknown", "d": "day", "k": "dusk", "n": "night"}
COLUMNS = ", ".join(f"r.{name}" for name in ("light", "car_speed", "flags", *COUNT_COLUMNS, *CONFIDENCE_COLUMNS))
QUERY = f"""
select t.epoch, r.seq, r.period_start, r.observed_s, {COLUMNS}
from report r join sensor s using (sensor_id) join stream t using (sensor_id, epoch_no)
where s.name = %s order by r.period_start, t.epoch"""  # noqa: S608 - the columns' names are ours


@dataclass(frozen=True)
class Difference:
    """One report that is not in the table as the device closed it, or a row that no device closed."""

    problem: Problem
    key: Key
    detail: str

    def __str__(self) -> str:
        return f"report {self.key[1]} of epoch {self.key[0]} is {self.problem}: {self.detail}"


def closed_reports(outbox: Path) -> list[Report]:
    """Return every closed report that the outbox still holds, receipted or not."""
    with contextlib.closing(sqlite3.connect(f"{outbox.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        rows = connection.execute("select payload from report order by epoch, seq").fetchall()
    return [decode(Channel.REPORT, _bytes(row[0])) for row in rows]


def waiting_reports(outbox: Path) -> int:
    """Return how many closed reports have no receipt yet."""
    with contextlib.closing(sqlite3.connect(f"{outbox.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        return int(connection.execute("select count(*) from report where receipted_s is null").fetchone()[0])


def stored_reports(dsn: str, sensor: str) -> list[Report]:
    """Return every report of a sensor in the table, as the message that it came as."""
    import psycopg

    with psycopg.connect(dsn) as connection:
        rows = connection.execute(QUERY, (sensor,)).fetchall()
    return [_report(sensor, row) for row in rows]


def differences(closed: Iterable[Report], stored: Iterable[Report]) -> list[Difference]:
    """Compare what devices closed with what the table holds; an empty list is the proof."""
    problems: list[Difference] = []
    expected = {(report.epoch, report.seq): report for report in closed}
    seen: set[Key] = set()
    for row in stored:
        key = (row.epoch, row.seq)
        if key in seen:
            problems.append(Difference("doubled", key, f"quarter {row.period_start.isoformat()} stands twice"))
        elif key not in expected:
            problems.append(Difference("unknown", key, f"no device closed quarter {row.period_start.isoformat()}"))
        elif row != expected[key]:
            problems.append(Difference("different", key, f"closed {expected[key]}, stored {row}"))
        seen.add(key)
    for key, report in expected.items():
        if key not in seen:
            problems.append(
                Difference("missing", key, f"quarter {report.period_start.isoformat()} is not in the table")
            )
    return problems


def _bytes(payload: str | bytes) -> bytes:
    return payload.encode() if isinstance(payload, str) else payload


def _report(sensor: str, row: tuple) -> Report:  # type: ignore[type-arg]  # columns of QUERY
    epoch, seq, period_start, observed_s, light, car_speed, flags, *numbers = row
    by_column = dict(zip((*COUNT_COLUMNS, *CONFIDENCE_COLUMNS), numbers, strict=True))
    return Report(
        sensor=sensor,
        epoch=epoch,
        seq=seq,
        period_start=period_start.astimezone(UTC),
        observed_s=observed_s,
        counts=Counts(**{name: Directed(*(by_column[c] for c in columns_of(name))) for name in COUNTED}),
        car_speed=None if car_speed is None else tuple(car_speed),
        confidence=Confidence(**{name: by_column[f"{name}_conf"] for name in CLASSES}),
        light=LIGHTS[light.decode() if isinstance(light, bytes) else light],  # type: ignore[arg-type]
        flags=flags,
    )
