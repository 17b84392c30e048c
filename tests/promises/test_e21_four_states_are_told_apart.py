"""E21: missing, withheld, not yet and zero are four different things, in text, chart, table, JSON and files, in every language."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.api.conftest import served
from tests.api.four_states import Town, a_town
from tests.api.streets import BRUSSELS, QUARTER, add_reports, add_segment, add_sensor

from telstraat_api.settings import ApiSettings
from telstraat_store import read_counts
from telstraat_store.counts.rollup import refresh_all
from telstraat_store.export.view_dump import DumpRequest, export
from telstraat_store.imports.writing import Source, import_file

LARGEST = {
    "en": {"missing": "No counts: nobody was watching", "withheld": "Counted, but not shown", "not_yet": "No counts yet"},
    "nl": {"missing": "Geen tellingen: er keek niemand", "withheld": "Geteld, maar niet getoond", "not_yet": "Nog geen tellingen"},
    "fr": {
        "missing": "Pas de comptages : personne n’observait",
        "withheld": "Compté, mais non affiché",
        "not_yet": "Pas encore de comptages",
    },
    "de": {
        "missing": "Keine Zählungen: Niemand hat hingesehen",
        "withheld": "Gezählt, aber nicht gezeigt",
        "not_yet": "Noch keine Zählungen",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def town(module_database: str) -> Town:
    with psycopg.connect(module_database, autocommit=True) as connection:
        town = a_town(connection, datetime.now(UTC) - timedelta(hours=3))  # a day that is just over is not settled yet
        refresh_all(connection)
    return town


@contextlib.contextmanager
def reader(dsn: str, quarter_min: int) -> Iterator[httpx.Client]:
    settings = ApiSettings(dsn=dsn, quarter_min=quarter_min, pool_max=4, keep_s=0)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def public(module_database: str, town: Town) -> Iterator[httpx.Client]:
    """What everybody reads where small numbers are withheld."""
    with reader(module_database, 10) as client:
        yield client


@pytest.fixture(scope="module")
def open_to_all(module_database: str, town: Town) -> Iterator[httpx.Client]:
    """What everybody reads where nothing is withheld."""
    with reader(module_database, 0) as client:
        yield client


def page_of(client: httpx.Client, number: int, day: str, language: str = "en") -> str:
    answer = client.get(f"/street/{number}", params={"day": day, "lang": language, "by": "hour"})
    assert answer.status_code == 200
    return answer.text


def largest(page: str) -> str:
    return " ".join(re.findall(r'<p class="big">(.*?)</p>', page, re.DOTALL)[0].split())


@pytest.mark.parametrize("language", list(LARGEST))
def test_the_largest_type_never_says_zero_of_what_nobody_watched(
    public: httpx.Client, town: Town, language: str
) -> None:
    yesterday = town.yesterday.date().isoformat()
    tomorrow = (datetime.now(BRUSSELS).date() + timedelta(days=1)).isoformat()
    texts = {
        "missing": largest(page_of(public, town.silent, yesterday, language)),
        "withheld": largest(page_of(public, town.withheld, yesterday, language)),
        "not_yet": largest(page_of(public, town.counted, tomorrow, language)),
    }
    assert texts == LARGEST[language]
    today = datetime.now(BRUSSELS).date().isoformat()
    assert largest(page_of(public, town.new, today, language)) == LARGEST[language]["not_yet"]
    assert re.match(r"[\d.,\s]*\d", largest(page_of(public, town.counted, yesterday, language)))


def test_a_zero_is_said_when_somebody_watched_and_nobody_passed(public: httpx.Client, town: Town) -> None:
    page = page_of(public, town.counted, (town.yesterday.date() - timedelta(days=1)).isoformat())
    assert largest(page) == "0 road users passed"
    assert "nobody was watching" not in page


def test_nobody_was_watching_is_said_of_nothing_that_was_counted(public: httpx.Client, town: Town) -> None:
    page = page_of(public, town.withheld, town.yesterday.date().isoformat())
    assert "nobody was watching" not in page
    assert "What was counted is not shown" in page
    assert "nobody was watching" in page_of(public, town.silent, town.yesterday.date().isoformat())


def days_of(client: httpx.Client, number: int, first: date, last: date) -> str:
    """The chart of some days with its table."""
    query = {"from": first.isoformat(), "until": last.isoformat(), "by": "day"}
    page = client.get(f"/street/{number}", params=query).text
    return str(re.findall(r'<figure id="counts".*?</figure>', page, re.DOTALL)[0])


def test_charts_draw_each_state_in_its_own_way(public: httpx.Client, town: Town) -> None:
    day = town.yesterday.date()
    silent = days_of(public, town.silent, day - timedelta(days=5), day)
    assert 'class="state-missing" x=' in silent
    assert "state-withheld" not in silent
    withheld = days_of(public, town.withheld, day - timedelta(days=1), day)
    assert re.findall(r'class="state-(\w+)" x="(\d+%)"', withheld) == [("missing", "0%"), ("withheld", "50%")]
    assert "counted, not shown" in withheld
    page = page_of(public, town.withheld, day.isoformat())
    assert 'class="state-withheld" x=' in page
    assert 'id="is-missing"' in page
    assert 'id="is-withheld"' in page


def test_two_weeks_tell_a_missing_a_short_and_a_quiet_day_apart(open_to_all: httpx.Client, town: Town) -> None:
    day = town.yesterday.date()
    chart = days_of(open_to_all, town.counted, day - timedelta(days=13), day)
    table = re.findall(r"<tbody.*?</tbody>", chart, re.DOTALL)[0]
    rows = [re.sub("<[^>]+>", "|", row) for row in re.findall(r"<tr.*?</tr>", table)]
    assert len(rows) == 14, "a row for each of 14 days"
    assert sum("nobody watched" in row for row in rows) == 1
    assert sum(re.findall(r"[^|]+", row)[-1] == "8%" for row in rows) == 1, (
        "of a short day it says how much of it was watched"
    )
    assert sum(re.findall(r"[^|]+", row)[1:] == ["0"] * 5 + ["100%"] for row in rows) == 1, "a quiet day"
    assert len(re.findall(r'<path class="zero" d="([^"]+)"', chart)[0].split("M")) == 2, "one tick: 0 is a count"
    assert chart.count("pale") >= 1


def test_the_town_says_what_stands_instead_of_a_number(database: str) -> None:
    hour = (datetime.now(UTC) - timedelta(minutes=10)).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    with psycopg.connect(database, autocommit=True) as connection:
        town = a_town(connection, datetime.now(UTC) - timedelta(days=1))  # nothing of it lies in the last hour
        add_reports(connection, last_hour_of(connection, town, hour))
        refresh_all(connection)

    def figure_of(client: httpx.Client, number: int) -> tuple[str, str]:
        page = client.get("/", params={"period": "live"}).text
        row = re.findall(rf'<tr data-street="{number}">(.*?)</tr>', page, re.DOTALL)[0]
        why, text = re.findall(r'<td class="n[^"]*"[^>]*?(?: title="([^"]*)")?>([^<]*)', row)[0]
        return why, text

    with reader(database, 5) as public, reader(database, 0) as open_to_all:
        assert figure_of(open_to_all, town.counted) == figure_of(public, town.counted) == ("", "0")
        assert figure_of(public, town.silent) == ("nobody watched", "")
        assert figure_of(public, town.withheld) == ("counted, not shown", "")
        assert figure_of(open_to_all, town.withheld) == ("", "4")
        assert figure_of(public, town.new) == ("not yet", "")


def last_hour_of(connection: psycopg.Connection, town: Town, hour: datetime) -> list[dict[str, Any]]:
    """Reports of the last full hour: watched whole and nobody passed; one car in the one quarter that was watched."""
    sensors = {
        row[0]: row[1]
        for row in connection.execute("select segment_id, sensor_id from installation where until_at is null")
    }
    whole = [
        {"sensor_id": sensors[town.counted], "period_start": hour + n * QUARTER, "seq": 9000 + n} for n in range(4)
    ]
    return [*whole, {"sensor_id": sensors[town.withheld], "period_start": hour, "car_lft": 1, "seq": 9000}]


def reports_of(client: httpx.Client, number: int, start: datetime, end: datetime, path: str = "") -> dict[str, Any]:
    values = {"bucket": "hour", "from": start.isoformat(), "to": end.isoformat(), "segments": str(number)}
    address = f"/api/v1/segments/{number}/reports" if not path else f"/api/v1/reports/{path}"
    answer = client.get(address, params=values)
    assert answer.status_code == 200, answer.text
    results: dict[str, Any] = answer.json()
    return results


@pytest.mark.parametrize("path", ["", "columns"])
def test_json_says_why_a_period_is_not_there(
    public: httpx.Client, open_to_all: httpx.Client, town: Town, path: str
) -> None:
    start = town.yesterday
    end = start + timedelta(days=3)

    def states(client: httpx.Client, number: int) -> set[str]:
        return {gap["state"] for gap in reports_of(client, number, start, end, path)["gaps"]}

    assert states(open_to_all, town.silent) == {"missing", "not_yet"}
    assert states(public, town.withheld) == {"missing", "withheld", "not_yet"}
    assert "withheld" not in states(open_to_all, town.withheld), "who sees all is shown all"


def test_json_covers_its_whole_window(public: httpx.Client, open_to_all: httpx.Client, town: Town) -> None:
    start, end = town.yesterday - timedelta(days=9), town.yesterday + timedelta(days=3)
    for client in (public, open_to_all):
        for number in (town.counted, town.silent, town.withheld, town.new):
            answer = reports_of(client, number, start, end)
            spans = [(period["start"], period["end"]) for period in answer["periods"]]
            spans += [(gap["from"], gap["to"]) for gap in answer["gaps"]]
            times = sorted((datetime.fromisoformat(a), datetime.fromisoformat(b)) for a, b in spans)
            assert (times[0][0], times[-1][1]) == (start, end)
            assert all(before[1] == after[0] for before, after in itertools.pairwise(times))


def test_json_has_a_state_for_every_class(open_to_all: httpx.Client, public: httpx.Client, town: Town) -> None:
    yesterday = town.yesterday
    hours = reports_of(open_to_all, town.counted, yesterday, yesterday + timedelta(days=1))["periods"]
    assert {(hour["state"], len(hour["not_shown"])) for hour in hours} == {("counted", 0)}
    values = {"bucket": "quarter", "from": yesterday.isoformat(), "to": (yesterday + timedelta(hours=12)).isoformat()}
    quarters = public.get(f"/api/v1/segments/{town.counted}/reports", params=values).json()["periods"]
    for quarter in quarters:
        withheld = {kind for kind, count in quarter["corrected"].items() if count["lft"] is None}
        assert quarter["not_shown"] == dict.fromkeys(withheld, "withheld")
    assert any(quarter["not_shown"] for quarter in quarters)


def file_of(client: httpx.Client, number: int, start: datetime, end: datetime, bucket: str, form: str) -> bytes:
    values = {"bucket": bucket, "from": start.isoformat(), "to": end.isoformat(), "segments": str(number)}
    answer = client.get(f"/api/v1/reports/file.{form}", params=values)
    assert answer.status_code == 200, answer.text
    return answer.content


def lines_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def steps_of(answer: dict[str, Any], hours: int) -> dict[datetime, str]:
    """Return the state of every hour (or of every day, by the hours that it has) that an answer tells of."""
    states = {datetime.fromisoformat(period["start"]): period["state"] for period in answer["periods"]}
    for gap in answer["gaps"]:
        at, end = datetime.fromisoformat(gap["from"]), datetime.fromisoformat(gap["to"])
        while at < end:
            states[at] = gap["state"]
            at += timedelta(hours=hours)
    return states


def test_files_say_of_every_period_what_json_says(public: httpx.Client, open_to_all: httpx.Client, town: Town) -> None:
    start, end = town.yesterday - timedelta(days=9), town.yesterday + timedelta(days=3)
    seen = set()
    for client in (public, open_to_all):
        for number in (town.counted, town.silent, town.withheld, town.new):
            lines = lines_of(file_of(client, number, start, end, "hour", "csv"))
            states = {datetime.fromisoformat(line["start_utc"]): line["state"] for line in lines}
            assert states == steps_of(reports_of(client, number, start, end), 1)
            assert len(states) == len(lines)
            seen |= set(states.values())
            for line in lines:
                assert (line["car_lft"] != "") == (line["state"] == "counted")
                assert line["state"] == "counted" or {line["uptime"], line["car_lft_seen"]} <= {"", "0"}
            zeros = [line for line in lines if line["state"] == "counted" and float(line["car_lft"]) == 0]
            assert zeros or number != town.counted, "a zero that was counted is a zero"
    assert seen == {"counted", "missing", "withheld", "not_yet"}


@pytest.mark.parametrize("bucket", ["quarter", "hour", "day"])
@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_arrays_say_what_the_lines_of_a_file_say(open_to_all: httpx.Client, town: Town, bucket: str, form: str) -> None:
    start, end = town.yesterday - timedelta(days=9), town.yesterday + timedelta(days=3)
    for number in (town.counted, town.new):
        lines = lines_of(file_of(open_to_all, number, start, end, bucket, "csv"))
        data = io.BytesIO(file_of(open_to_all, number, start, end, bucket, form))
        table = pq.read_table(data) if form == "parquet" else pa.ipc.open_stream(data).read_all()
        assert table["state"].to_pylist() == [line["state"] for line in lines]
        assert [start.isoformat() for start in table["start_utc"].to_pylist()] == [
            line["start_utc"].replace("Z", "+00:00") for line in lines
        ]
        assert table["car_lft"].is_null().to_pylist() == [line["car_lft"] == "" for line in lines]
        assert table.schema.names[-1] == next(reversed(lines[0])) == "state", "new columns stand at the end"


def test_a_file_of_counted_periods_alone_is_to_be_had(open_to_all: httpx.Client, town: Town) -> None:
    values = {
        "bucket": "hour",
        "from": town.yesterday.date().isoformat(),
        "segments": str(town.counted),
        "gaps": "false",
    }
    lines = lines_of(open_to_all.get("/api/v1/reports/file.csv", params=values).content)
    assert len(lines) > 3
    assert {line["state"] for line in lines} == {"counted"}


@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu"])
@pytest.mark.parametrize("bucket", ["hour", "day"])
def test_every_period_has_one_row_where_days_begin_beside_the_hour(
    open_to_all: httpx.Client, town: Town, module_database: str, timezone: str, bucket: str
) -> None:
    with psycopg.connect(module_database, autocommit=True) as connection:
        number = add_segment(connection, f"{timezone} {bucket}", timezone=timezone)
        sensor = add_sensor(connection, f"beside-{timezone}-{bucket}", number)
        start = datetime(2025, 9, 20, 5, 30, tzinfo=UTC)
        add_reports(connection, [{"sensor_id": sensor, "period_start": start + n * QUARTER} for n in range(0, 4000, 3)])
        refresh_all(connection)
    window = datetime(2025, 9, 1, tzinfo=UTC), datetime(2025, 11, 30, tzinfo=UTC)
    lines = lines_of(file_of(open_to_all, number, *window, bucket, "csv"))
    starts = [datetime.fromisoformat(line["start_utc"]) for line in lines]
    if bucket == "hour":
        assert {b - a for a, b in itertools.pairwise(starts)} == {timedelta(hours=1)}
    else:
        days = [line["start_local"] for line in lines]
        assert {day[11:] for day in days} == {"00:00"}
        dates = [datetime.fromisoformat(day) for day in days]
        assert {b - a for a, b in itertools.pairwise(dates)} == {timedelta(days=1)}
    assert {line["state"] for line in lines} == {"counted", "missing"}


@pytest.mark.parametrize("step", ["quarter", "hour", "day"])
def test_the_export_of_a_database_says_why_and_is_read_back(
    town: Town, module_database: str, tmp_path: Path, step: str
) -> None:
    path = tmp_path / f"{step}.csv"
    expected = DumpRequest(step, (town.counted, town.new))  # type: ignore[arg-type]
    with psycopg.connect(module_database) as connection:
        export(connection, expected, path)
        lines = lines_of(path.read_bytes())
        counted = [line for line in lines if line["state"] == "counted"]
        assert {line["state"] for line in lines if line["segment_id"] == str(town.new)} <= {"missing", "not_yet"}
        assert {line["state"] for line in lines} == {"counted", "missing", "not_yet"}
        for number in (town.counted, town.new):
            starts = [line["period_start_utc"] for line in lines if line["segment_id"] == str(number)]
            assert len(starts) == len(set(starts)) >= 30
        assert all((line["car_lft"] == "") == (line["state"] != "counted") for line in lines)
        if step != "day":
            copy = add_segment(connection, f"Copy by {step}")
            result = import_file(connection, path, Source(f"copy by {step}"), {str(town.counted): copy})
            assert (result.new, result.refused) == (len(counted), {})
    assert len(read_counts([path])) == len(counted)
