"""P6: a search for an answer, or a difference of two answers, that tells less than a whole hour of one sensor.

Every report counts a power of two of its own, so a sum tells which reports are in it. Whatever is asked, in whatever
order reports, epochs, gaps, installations and rollups come: what an answer holds of an hour of a sensor is all four
quarters, and the same in all answers ever. Then no sum of answers, with any signs, tells less.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from tests.api.conftest import served
from tests.api.streets import QUARTER, SIDES, add_reports, add_segment, add_sensor

from telstraat_analytics import Measure
from telstraat_analytics.errors import FrameError
from telstraat_api.evaluations.evaluating import read_hours
from telstraat_api.settings import ApiSettings
from telstraat_store.counts.rollup import refresh_all
from telstraat_store.counts.windows import local_midnight, zone

HOUR = timedelta(hours=1)
HOURS = 4  # two before a local midnight, two after it
SMALLEST = ApiSettings().quarter_min
NAMES = count()
Atom = tuple[int, int, int]
"""A report: sensor, epoch, number of its quarter."""


@pytest.fixture(scope="module")
def public(module_database: str) -> Iterator[httpx.Client]:
    with (
        served(ApiSettings(dsn=module_database, keep_s=0)) as address,
        httpx.Client(base_url=address, timeout=60) as client,
    ):
        yield client


class Street:
    """One street, what its sensors have reported, and what the public has learnt of it."""

    def __init__(self, connection: psycopg.Connection[Any], client: httpx.Client, timezone: str) -> None:
        self.connection, self.client, self.timezone = connection, client, timezone
        day = datetime.now(zone(timezone)).date() - timedelta(days=1)
        self.first = local_midnight(day, zone(timezone)).replace(minute=0) - 2 * HOUR
        self.segment = add_segment(connection, timezone=timezone)
        self.sensors = [add_sensor(connection, f"searched-{next(NAMES)}", self.segment) for _ in range(2)]
        self.atoms: dict[Atom, int] = {}  # observed seconds
        self.of_mark: dict[tuple[str, int], Atom] = {}
        self.learnt: dict[tuple[int, int], set[Atom]] = {}
        self.numbers: dict[tuple[int, int], int] = {}  # last of each stream
        self.waiting: dict[Atom, int] = {}  # numbered, but not here yet

    @property
    def dsn(self) -> str:
        """The database's address, as an evaluation gets it."""
        return f"{self.connection.info.dsn} password={self.connection.info.password}"

    @property
    def window(self) -> dict[str, str]:
        return {"from": (self.first - 26 * HOUR).isoformat(), "to": (self.first + 30 * HOUR).isoformat()}

    def number(self, atom: Atom) -> int:
        """Return the number of a report in its stream: reports are numbered as they are closed."""
        if atom in self.waiting:
            return self.waiting.pop(atom)
        self.numbers[atom[:2]] = self.numbers.get(atom[:2], 0) + 1
        return self.numbers[atom[:2]]

    def hold_back(self, atom: Atom) -> None:
        """Number a report without delivering it: a gap."""
        if atom not in self.atoms and atom not in self.waiting:
            self.waiting[atom] = self.number(atom)

    def deliver(self, atoms: list[Atom], observed_s: int) -> None:
        """Store the reports of new atoms, each with a mark of its own, and what their streams know of gaps."""
        rows = []
        for atom in dict.fromkeys(atoms):
            if atom in self.atoms:
                continue
            number = len(self.atoms)
            side, bit = SIDES[number % len(SIDES)], number // len(SIDES)
            self.atoms[atom] = observed_s
            self.of_mark[side, bit] = self.of_mark["speed", number] = atom
            speeds = [int(n == number) for n in range(25)]
            rows.append(
                {"sensor_id": self.sensors[atom[0]], "epoch_no": atom[1], "seq": self.number(atom), "observed_s": observed_s,
                 "period_start": self.first + atom[2] * QUARTER, side: 2**bit, "car_speed": speeds}
            )  # fmt: skip
        add_reports(self.connection, rows)
        for stream in self.numbers:
            gaps = [n for atom, n in self.waiting.items() if atom[:2] == stream]
            missing = ",".join(f"[{n},{n + 1})" for n in gaps if n < self.numbers[stream])
            self.connection.execute(
                "update stream set missing = %s::int4multirange where sensor_id = %s and epoch_no = %s",
                ("{" + missing + "}", self.sensors[stream[0]], stream[1]),
            )

    def learn(self, what: str, sums: dict[str, int]) -> None:
        """Read which reports a sum of each column holds, and raise when they are not whole hours, always the same."""
        held = {
            self.of_mark[side, bit]
            for side, n in sums.items()
            for bit in range(16)
            if n >> bit & 1 and (side, bit) in self.of_mark
        }
        self.check(what, held)

    def check(self, what: str, held: set[Atom]) -> None:
        cells: dict[tuple[int, int], set[Atom]] = {}
        for atom in held:
            cells.setdefault((atom[0], atom[2] // 4), set()).add(atom)
        for cell, parts in cells.items():
            assert sorted(part[2] % 4 for part in parts) == [0, 1, 2, 3], f"{what} tells a part of an hour: {parts}"
            assert min(self.atoms[part] for part in parts) >= 180, f"{what} tells an hour hardly watched: {parts}"
            assert self.learnt.setdefault(cell, parts) == parts, f"{what} has changed by {self.learnt[cell] ^ parts}"

    def periods(self, bucket: str, **more: str) -> list[dict[str, Any]]:
        query = {"bucket": bucket, **self.window, **more}
        answer = self.client.get(f"/api/v1/segments/{self.segment}/reports", params=query)
        assert answer.status_code == 200, answer.text
        periods: list[dict[str, Any]] = answer.json()["periods"]
        return periods

    def ask_json(self) -> list[dict[str, Any]]:
        """Ask for every bucket and return the hours."""
        for bucket in ("hour", "day", "week", "month", "year"):
            for period in self.periods(bucket, speed="true"):
                self.learn(f"{bucket} {period['start']}", raw_of(period))
                timed = {n for n, cars in enumerate((period["speed"] or {}).get("cars", [])) if cars}
                self.check(f"speeds of {bucket}", {self.of_mark["speed", n] for n in timed})
                if bucket == "hour":  # nothing that weighs one quarter against another
                    for side, n in raw_of(period).items():
                        kind, way = side.split("_")
                        corrected = n * 3600 / period["sensor_s"]
                        assert period["corrected"][kind][way] == pytest.approx(corrected, abs=1e-3), period
        for cut in (1, 2, 3):  # windows that begin and end within an hour
            window = {
                "from": (self.first + cut * QUARTER).isoformat(),
                "to": (self.first + (9 + cut) * QUARTER).isoformat(),
            }
            for period in self.periods("hour", **window):
                self.learn("a window that cuts an hour", raw_of(period))
        return self.periods("hour")

    def ask_quarters(self) -> None:
        """Ask for quarters: of each hour a class is there in all or in none, and never small."""
        visible: dict[tuple[str, str], list[int | None]] = {}
        for period in self.periods("quarter"):
            for kind, ways in period["raw"].items():
                for way, n in ways.items():
                    assert n is None or n == 0 or n >= SMALLEST, (period["start"], kind, way)
                    hour = datetime.fromisoformat(period["start"]).astimezone(UTC).isoformat()[:13]
                    visible.setdefault((hour, f"{kind}_{way}"), []).append(n)
        assert all(len(four) == 4 and four.count(None) in {0, 4} for four in visible.values())
        for (hour, side), four in visible.items():
            self.learn(f"quarters of {hour}", {side: sum(n or 0 for n in four)})

    def ask_files(self) -> None:
        """Ask for files of hours and days and for columns."""
        for bucket in ("hour", "day"):
            query = {"segments": str(self.segment), "bucket": bucket, **self.window}
            text = self.client.get("/api/v1/reports/file.csv", params=query).content.decode("utf-8-sig")
            table = pa.ipc.open_stream(self.client.get("/api/v1/reports/file.arrow", params=query).content).read_all()
            packed = pq.read_table(io.BytesIO(self.client.get("/api/v1/reports/file.parquet", params=query).content))
            columns = self.client.get("/api/v1/reports/columns", params=query).json()["columns"]
            turned = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
            for form in (list(csv.DictReader(io.StringIO(text))), table.to_pylist(), packed.to_pylist(), turned):
                for row in form:
                    if row.get("state", "counted") != "counted":
                        assert not any(row[side] or row[f"{side}_seen"] or row["observed_s"] for side in SIDES), row
                        continue
                    self.learn(f"a file by {bucket}", {side: int(row[f"{side}_seen"]) for side in SIDES})

    def ask_telraam(self, hours: list[dict[str, Any]]) -> None:
        """Ask what Telraam's clients ask: the hours, and nothing that is not in them."""
        known = {utc(hour["start"]): hour for hour in hours}
        body = {
            "time_start": f"{self.first:%Y-%m-%d %H:%M:%SZ}",
            "time_end": f"{self.first + 30 * HOUR:%Y-%m-%d %H:%M:%SZ}",
        }
        for path in ("/v1/reports/traffic", "/advanced/reports/traffic"):
            rows = self.client.post(path, json={**body, "level": "segments", "id": self.segment}).json()["report"]
            for row in rows:
                hour = known.get(utc(row["date"]))
                for side in SIDES:
                    kind, way = side.split("_")
                    allowed = hour["corrected"][kind][way] if hour else 0
                    assert row[side] == pytest.approx(allowed, abs=1e-3), row
        for n in range(HOURS):
            moment = {"time": f"{self.first + n * HOUR:%Y-%m-%d %H:%M:%SZ}", "contents": "minimal"}
            for feature in self.client.post("/v1/reports/traffic_snapshot", json=moment).json()["features"]:
                if feature["properties"]["segment_id"] == self.segment:
                    assert utc(feature["properties"]["date"]) in known, feature
        summary = {**body, "level": "segments", "id": self.segment}
        answer = self.client.post("/advanced/reports/traffic_summary", json=summary).json()
        text = answer["report"][0] if isinstance(answer.get("report"), list) and answer["report"] else {}
        sums = sum(sum(hour["corrected"]["car"].values()) for hour in hours)
        assert text.get("sum_car", 0) in (None, pytest.approx(sums, abs=1)), text

    def ask_page(self, hours: list[dict[str, Any]]) -> None:
        """Look at the street's page of both days: its table has numbers of the public hours and of no others."""
        tz = zone(self.timezone)
        days: set[date] = {(self.first + n * HOUR).astimezone(tz).date() for n in range(HOURS)}
        for day in days:
            page = self.client.get(f"/street/{self.segment}", params={"day": day.isoformat()}).text
            table = page[page.index('id="counts-table"') :].split("</table>")[0]
            rows = [row for row in table.split("<tr ")[1:] if re.search(r"<td>\d", row)]
            visible = {re.findall(r'<th scope="row">([^<]+)</th>', row)[0] for row in rows}
            public = {hour["start"][11:16] for hour in hours if hour["start"].startswith(day.isoformat())}
            assert visible <= public, day

    def ask_evaluation(self) -> None:
        """Read what an evaluation is computed from: the public hours as they are, none more and none less."""
        refresh_all(self.connection)
        hours = {utc(hour["start"]): hour for hour in self.ask_json()}
        frame = read_hours(self.dsn, Measure("m", (self.first + 48 * HOUR).date(), (str(self.segment),)))
        assert {start.to_pydatetime() for start in frame["start"]} == set(hours)
        for row in frame.to_dict("records"):
            for side in SIDES:
                kind, way = side.split("_")
                assert row[side] == pytest.approx(hours[row["start"].to_pydatetime()]["corrected"][kind][way], abs=1e-3)

    def ask(self) -> None:
        """Ask everything."""
        hours = self.ask_json()
        self.ask_quarters()
        self.ask_files()
        self.ask_telraam(hours)
        self.ask_page(hours)


def raw_of(period: dict[str, Any]) -> dict[str, int]:
    return {side: period["raw"][side.split("_")[0]][side.split("_")[1]] or 0 for side in SIDES}


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


class Search(RuleBasedStateMachine):
    """Reports of two sensors come in any order and by any epoch; somebody asks everything in between."""

    connection: psycopg.Connection[Any]
    client: httpx.Client
    street: Street

    @initialize(timezone=st.sampled_from(["UTC", "Asia/Kolkata", "Asia/Kathmandu", "America/St_Johns"]))
    def begin(self, timezone: str) -> None:
        self.street = Street(self.connection, self.client, timezone)

    @rule(
        sensor=st.integers(0, 1),
        epoch=st.sampled_from([1, 1, 1, 2]),
        quarters=st.lists(st.integers(0, 4 * HOURS - 1), min_size=1, max_size=6),
        observed_s=st.sampled_from([900, 900, 840, 1, 0]),
    )
    @precondition(lambda self: len(self.street.atoms) < 100)
    def some_reports_come(self, sensor: int, epoch: int, quarters: list[int], observed_s: int) -> None:
        self.street.deliver([(sensor, epoch, quarter) for quarter in sorted(quarters)], observed_s)

    @rule(sensor=st.integers(0, 1), epoch=st.integers(1, 2), quarter=st.integers(0, 4 * HOURS - 1))
    def a_report_is_held_back(self, sensor: int, epoch: int, quarter: int) -> None:
        self.street.hold_back((sensor, epoch, quarter))

    @rule()
    def what_was_held_back_comes(self) -> None:
        self.street.deliver(list(self.street.waiting), 900)

    @rule(sensor=st.integers(0, 1), epoch=st.integers(1, 2), hour=st.integers(0, HOURS - 1))
    def an_hour_comes(self, sensor: int, epoch: int, hour: int) -> None:
        self.street.deliver([(sensor, epoch, 4 * hour + n) for n in range(4)], 900)

    @rule(sensor=st.integers(0, 1), quarter=st.integers(-1, 4 * HOURS - 1))
    def an_operator_corrects_since_when_it_stands_there(self, sensor: int, quarter: int) -> None:
        self.connection.execute(
            "update installation set from_at = %s where sensor_id = %s",
            (self.street.first + quarter * QUARTER, self.street.sensors[sensor]),
        )

    @rule()
    def sums_follow(self) -> None:
        refresh_all(self.connection)

    @rule()
    @precondition(lambda self: self.street.learnt)
    def an_evaluation_is_computed(self) -> None:
        with contextlib.suppress(FrameError):  # there is nothing to compare
            self.street.ask_evaluation()

    @rule()
    def somebody_asks_everything(self) -> None:
        self.street.ask()


@pytest.fixture
def search(module_database: str, public: httpx.Client) -> Iterator[type[Search]]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield type("Search", (Search,), {"connection": connection, "client": public})


def test_no_order_of_reports_and_questions_tells_less_than_a_whole_hour(search: type[Search]) -> None:
    usual = settings(max_examples=15, stateful_step_count=12, deadline=None, print_blob=True, derandomize=True)
    run_state_machine_as_test(
        search, settings=settings(usual, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    )


def test_an_hour_of_one_quarter_is_withheld(search: type[Search]) -> None:
    street = Street(search.connection, search.client, "UTC")
    street.deliver([(0, 1, n) for n in (0, 4, 5, 6, 7)], 900)
    street.ask()
    assert [hour["start"] for hour in street.periods("hour")] == [(street.first + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")]


def test_a_late_report_of_an_older_epoch_moves_no_public_hour(search: type[Search]) -> None:
    street = Street(search.connection, search.client, "UTC")
    street.deliver([(0, 1, n) for n in (0, 1, 2, 3, 4)] + [(0, 2, n) for n in range(8, 16)], 900)
    refresh_all(search.connection)
    street.ask()
    assert len(street.periods("hour")) == 3
    street.deliver([(0, 1, 9)], 900)  # a second part of a quarter that was public
    street.ask()
    refresh_all(search.connection)
    street.ask()
    assert len(street.periods("hour")) == 2  # withdrawn, not changed


def test_days_of_half_hour_zones_and_their_hours_have_no_half_hour_between_them(search: type[Search]) -> None:
    for timezone in ("Asia/Kolkata", "Asia/Kathmandu"):
        street = Street(search.connection, search.client, timezone)
        street.deliver([(0, 1, n) for n in range(16)], 900)
        street.ask()
        refresh_all(search.connection)
        street.ask()
        assert len(street.periods("day")) == 2


def test_an_evaluation_reads_no_hour_that_the_public_does_not(search: type[Search]) -> None:
    street = Street(search.connection, search.client, "UTC")
    street.deliver([(0, 1, n) for n in (0, 1, 2, 4, 5, 6, 7)], 900)
    street.deliver([(1, 1, n) for n in (4, 5)], 900)
    street.ask_evaluation()
    assert [hour["start"] for hour in street.periods("hour")] == [(street.first + HOUR).strftime("%Y-%m-%dT%H:%M:%SZ")]
