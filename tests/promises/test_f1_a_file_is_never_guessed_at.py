"""F1: a file is read as what it proves about itself; what it leaves open is asked, and never guessed."""

from __future__ import annotations

import gzip
import re
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pandas as pd
import pytest

from telstraat_store import CountsFileError, read_counts
from telstraat_store.imports import CountsFile, Reading, Refusal, Row, read_files

ZONE = ZoneInfo("Europe/Brussels")
TEXT = "segment,start,car_lft,car_rgt\nElm,2025-03-04T10:00:00Z,12,3\nElm,2025-03-04T11:00:00Z,,4\n"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines_of(path: Path) -> list[Row | Refusal]:
    return list(CountsFile(path, Reading(lambda _: ZONE)).rows())


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.csv", TEXT.encode()),
        ("signature.csv", b"\xef\xbb\xbf" + TEXT.encode()),
        ("utf16.csv", TEXT.encode("utf-16")),
        ("utf16le.csv", TEXT.encode("utf-16-le")),
        ("zipped.csv.gz", gzip.compress(TEXT.encode(), mtime=0)),
        ("sep.csv", ("sep=;\r\n" + TEXT.replace(",", ";").replace("\n", "\r\n")).encode()),
        ("tabs.txt", TEXT.replace(",", "\t").encode()),
        ("quotes.csv", TEXT.replace("Elm", '"Elm"').encode()),
        ("preamble.csv", ("Counter: Elm\n\n" + TEXT).encode()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_same_counts_in_another_dress_are_the_same(tmp_path: Path, name: str, content: bytes) -> None:
    read = read_counts([write(tmp_path / name, content)])
    assert read[["segment", "car_rgt"]].to_numpy().tolist() == [
        ["Elm", 3.0]
    ]  # the other hour lacks a direction: no total
    both = lines_of(tmp_path / name)
    assert [row.counts[6:8] for row in both if isinstance(row, Row)] == [(12.0, 3.0), (None, 4.0)], "absent is not zero"


def test_a_spreadsheet_is_read_by_its_values(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for line in (
        ["Street", "Date", "Cars"],
        ["Elm", datetime.fromisoformat("2025-03-04T10:00"), 12],
        ["Elm", datetime.fromisoformat("2025-03-04T11:00"), 7.5],
    ):
        sheet.append(line)
    book.save(tmp_path / "counts.xlsx")
    read = read_counts([tmp_path / "counts.xlsx"], times="local")
    assert read["car"].tolist() == [12.0, 7.5]
    assert read["start"].iloc[0] == pd.Timestamp("2025-03-04T09:00Z")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["12,5", "1.234"], [12.5, 1234.0]),
        (["0.5", "1,234"], [0.5, 1234.0]),
        (["1.234,5", "7"], [1234.5, 7.0]),
        (["1 234", "7"], [1234.0, 7.0]),
        (["1'234'567", "7"], [None, 7.0]),  # above what a street can have
        (["1,234", "7"], [None, 7.0]),
        (["1.234", "7"], [None, 7.0]),
        (["12,5", "0.5"], [None, 0.5]),
        (["-3", "7"], [None, 7.0]),
        (["1e3", "٣"], [1000.0, None]),
    ],
)
def test_a_number_is_read_when_the_file_proves_its_marks(
    tmp_path: Path, cells: list[str], values: list[float | None]
) -> None:
    rows = "".join(f"Elm;2025-03-04T{hour + 10}:00Z;{cell}\n" for hour, cell in enumerate(cells))
    read = lines_of(write(tmp_path / "a.csv", "segment;start;car\n" + rows))
    assert [row.totals[3] if isinstance(row, Row) else None for row in read] == values
    for row in read:
        if isinstance(row, Refusal):
            assert row.number == 2 + values.index(None)
            assert row.reason.startswith("car ")
            assert ";" in row.reason, "it says what to write instead"


def test_the_order_of_a_date_is_proven_or_asked_for(tmp_path: Path) -> None:
    text = "start,car\n03/04/2025 10:00Z,1\n{}/04/2025 10:00Z,2\n"
    assert isinstance(lines_of(write(tmp_path / "open.csv", text.format("05")))[0], Refusal)
    first = lines_of(write(tmp_path / "proven.csv", text.format("13")))[0]
    assert isinstance(first, Row)
    assert first.period_start == datetime(2025, 4, 3, 10, tzinfo=UTC)
    given = read_counts([tmp_path / "open.csv"], dates="mdy")
    assert given["start"].iloc[0] == pd.Timestamp("2025-03-04T10:00Z")


def local_year(start: str, days: int, *, as_utc: bool = False, hours: range = range(24)) -> str:
    """Write hours with the profile of a street that follows the local clock, times without an offset."""
    starts = pd.date_range(start, periods=days * 24, freq="h", tz="UTC")
    local = starts.tz_convert(ZONE)
    counts = np.where((local.hour >= 7) & (local.hour < 9), 90, 10) + local.hour
    visible = (starts if as_utc else local).tz_localize(None)
    lines = [
        f"{at:%Y-%m-%d %H:%M},{n}" for at, hour, n in zip(visible, local.hour, counts, strict=True) if hour in hours
    ]
    return "start,car\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("start", ["2025-03-10", "2025-10-06"])
@pytest.mark.parametrize("hours", [range(24), range(6, 21)])
@pytest.mark.parametrize("as_utc", [False, True])
def test_a_wrong_word_about_times_is_contradicted_by_the_file(
    tmp_path: Path, start: str, hours: range, as_utc: bool
) -> None:
    path = write(tmp_path / "elm.csv", local_year(start, 40, as_utc=as_utc, hours=hours))
    with pytest.raises(CountsFileError, match="are they local or UTC"):
        read_counts([path])
    right, wrong = ("utc", "local") if as_utc else ("local", "utc")
    assert len(read_counts([path], times=right)) > 500  # type: ignore[arg-type]
    with pytest.raises(CountsFileError, match="speak against it"):
        read_counts([path], times=wrong)  # type: ignore[arg-type]


def night(quarters: bool) -> list[tuple[str, int]]:
    step = timedelta(minutes=15 if quarters else 60)
    begin = datetime(2025, 10, 25, 20, tzinfo=UTC)
    return [(f"{(begin + n * step).astimezone(ZONE):%Y-%m-%d %H:%M}", n) for n in range(32 if quarters else 8)]


@pytest.mark.parametrize("quarters", [True, False])
def test_the_doubled_hour_is_never_swapped(tmp_path: Path, quarters: bool) -> None:
    orders = {
        "as it was": night(quarters),
        "descending": night(quarters)[::-1],
        "sorted": sorted(night(quarters), key=lambda line: line[0]),
        "sorted descending": sorted(night(quarters), key=lambda line: line[0], reverse=True),
    }
    begin = datetime(2025, 10, 25, 20, tzinfo=UTC)
    for name, lines in orders.items():
        path = write(tmp_path / "elm.csv", "start,car\n" + "".join(f"{at},{n}\n" for at, n in lines))
        read = read_files([path], times="local")
        passed = pd.to_timedelta(read.frame["car"] * (15 if quarters else 60), unit="min")
        assert (read.frame["start"] == begin + passed).all(), name
        refused = sum(map(len, read.refused.values()))
        assert len(read.frame) + refused == len(lines)
        if name == "as it was":
            assert refused == 0


def test_an_export_that_broke_off_is_not_taken_for_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", TEXT + "# INCOMPLETE: OperationalError; ask for a shorter period or try again\r\n")
    with pytest.raises(CountsFileError, match="broke off"):
        read_counts([path])


def test_a_line_with_an_unquoted_decimal_comma_is_refused(tmp_path: Path) -> None:
    first, second = lines_of(
        write(tmp_path / "a.csv", "start,car,bike\n2025-03-04T10:00Z,12,5,3\n2025-03-04T11:00Z,1,2\n")
    )
    assert isinstance(first, Refusal)
    assert "has 4 cells, the header 3" in first.reason
    assert isinstance(second, Row)


def days(rows: str, *starts: str) -> str:
    return rows + "".join(f"A,{start},{number}\n" for number, start in enumerate(starts))


HEAD = "segment,start,car\n"
CLOCKS = [f"2025-03-03T{hour:02}:00Z" for hour in range(8, 12)]


@pytest.mark.parametrize(
    ("content", "question"),
    [
        ("Datum;PKW;;Rad;\n;R1;R2;R1;R2\n2025-03-01T10:00Z;5;7;8;9\n", "line 3 has '7' in a column without a name, right of 'PKW'"),
        ("segment,start,Auto_lft,PKW_lft\nA,2025-03-01T10:00Z,5,7\n", "'Auto_lft' and 'PKW_lft' are both car_lft"),
        ("segment,start,car_lft,car_rgt\nA,2025-03-03T10:00Z,1,2\nsegment,start,car_rgt,car_lft\nA,2025-03-03T11:00Z,2,1\n",
         "line 3 is a header with other columns"),
        (HEAD + "".join(f"A,2025-03-03T10:{minute:02}Z,{minute}\n" for minute in range(0, 60, 5)), "5 minutes apart"),
        (HEAD + "".join(f"A,2025-03-03T{hour:02}:00Z,9\n" for hour in range(0, 24, 2)), "2 hours apart, and nothing says how long"),
        (HEAD + "".join(f"A,2025-03-0{day}T00:00Z,900\n" for day in range(1, 6)), "24 hours apart, and nothing says how long"),
        ("date,uur,car\n" + "".join(f"2025-03-03,{hour},{hour}\n" for hour in range(1, 25)), "hours go from 1 to 24"),
    ],
)  # fmt: skip
def test_a_shape_that_reads_well_and_means_something_else_is_asked_about(
    tmp_path: Path, content: str, question: str
) -> None:
    with pytest.raises(CountsFileError, match=re.escape(question)):
        read_counts([write(tmp_path / "a.csv", content)], times="local")


def test_columns_that_are_not_read_are_named(tmp_path: Path) -> None:
    read = read_files(
        [
            write(
                tmp_path / "a.csv",
                "Zählstelle;Datum;PKW;Autos Richtung B\nA;2025-03-01T10:00Z;5;8\nB;2025-03-01T10:00Z;5;8\n",
            )
        ]
    )
    assert read.sentences() == ["a.csv: columns that are not read: Autos Richtung B"]
    assert list(read.frame["segment"]) == ["A", "B"], "two streets with the same count are two"


def test_a_total_of_the_day_is_no_hour_at_midnight(tmp_path: Path) -> None:
    read = read_files([write(tmp_path / "a.csv", days(HEAD, "2025-03-03", *CLOCKS))])
    assert list(read.frame["car"]) == [1, 2, 3, 4]
    assert "has no time of day, and other lines have one" in read.sentences()[0]


@pytest.mark.parametrize("ending", ["", " 00:00:00", "T00:00+01:00"])
def test_a_row_at_each_midnight_is_a_day(tmp_path: Path, ending: str) -> None:
    starts = [f"2025-03-0{day}{ending}" for day in range(1, 6)]
    read = read_files([write(tmp_path / "a.csv", days(HEAD, *starts))], times="local")
    assert set(read.frame["period_s"]) == {86_400}


def test_something_counted_under_an_empty_uptime_is_refused(tmp_path: Path) -> None:
    first, second = lines_of(
        write(tmp_path / "a.csv", "start,uptime,car\n2025-03-03T10:00Z,,5\n2025-03-03T11:00Z,1,5\n")
    )
    assert isinstance(first, Refusal)
    assert "uptime '' is empty, and something was counted" in first.reason
    assert isinstance(second, Row)


def test_an_hour_starts_where_hours_of_its_street_do(tmp_path: Path) -> None:
    head = "segment,period_start,period_s,uptime,corrected,car_lft\n"
    text = head + "".join(
        f"A,2025-03-03T{hour}:{minute}Z,3600,1,yes,5\n" for hour, minute in ((10, "00"), (11, "15"), (12, "30"))
    )
    in_brussels = lines_of(write(tmp_path / "a.csv", text))
    assert [isinstance(row, Row) for row in in_brussels] == [True, False, False]
    in_kolkata = CountsFile(tmp_path / "a.csv", Reading(lambda _: ZoneInfo("Asia/Kolkata"))).rows()
    assert [isinstance(row, Row) for row in in_kolkata] == [True, False, True]


@pytest.mark.parametrize(
    ("starts", "first_day"),
    [
        (["25-03-13 10:00", "25-03-14 10:00"], "2025-03-13"),
        (["13-03-25 10:00", "14-03-25 10:00"], "2025-03-13"),
        (["13.03.25 10:00"], "2025-03-13"),
        (["25-03-13 10:00"], None),
    ],
)
def test_a_year_of_two_digits_is_proven_or_asked_for(tmp_path: Path, starts: list[str], first_day: str | None) -> None:
    path = write(tmp_path / "a.csv", days(HEAD, *starts))
    if first_day:
        assert str(read_counts([path], times="local")["start"].min().date()) == first_day
    else:
        with pytest.raises(CountsFileError, match="has a year of two digits, first or last"):
            read_counts([path], times="local")


def sheet_of(path: Path, *lines: list[object]) -> Path:
    book = openpyxl.Workbook()
    assert book.active is not None
    for line in lines:
        book.active.append(line)
    book.save(path)
    return path


def test_a_spreadsheet_that_swapped_some_dates_is_asked_about(tmp_path: Path) -> None:
    path = sheet_of(
        tmp_path / "a.xlsx", ["date", "car"], [datetime.fromisoformat("2025-12-03T10:00"), 5], ["13/03/2025 10:00", 6]
    )
    with pytest.raises(CountsFileError, match="day and month of the former may be swapped"):
        read_counts([path], times="local")


def test_a_formula_that_was_never_calculated_is_no_absent_count(tmp_path: Path) -> None:
    path = sheet_of(
        tmp_path / "a.xlsx", ["date", "car", "bike"], [datetime.fromisoformat("2025-12-03T10:00"), "=1+1", 6]
    )
    with pytest.raises(CountsFileError, match=re.escape("car '=1+1' is not a number")):
        read_counts([path], times="local")


@pytest.mark.parametrize("clock", [time(8), 8 / 24, 8, "08:00", "8:00-9:00"])
def test_a_spreadsheets_times_in_a_column_of_their_own_are_read(tmp_path: Path, clock: object) -> None:
    path = sheet_of(tmp_path / "a.xlsx", ["date", "time", "car"], [datetime.fromisoformat("2025-12-03"), clock, 5])
    assert read_counts([path], times="local")["start"].iloc[0] == pd.Timestamp("2025-12-03T07:00Z")


def test_an_empty_line_in_the_hour_that_was_left_out_is_no_contradiction(tmp_path: Path) -> None:
    starts = [f"2025-03-30 {hour:02}:00" for hour in range(24)]
    text = HEAD + "".join(f"A,{start},{'' if '02:00' in start else 5}\n" for start in starts)
    assert len(read_counts([write(tmp_path / "a.csv", text)], times="local")) == 23
    with pytest.raises(CountsFileError, match="which the clock of Europe/Brussels left out"):
        read_counts([write(tmp_path / "b.csv", text.replace(",\n", ",5\n"))], times="local")


@pytest.mark.parametrize("hours", [("1", "1"), ("1", "24")])
def test_an_hour_beside_a_whole_start_changes_nothing(tmp_path: Path, hours: tuple[str, str]) -> None:
    text = "segment,start,hour,car\n" + "".join(
        f"{name},2025-03-03T00:00Z,{hour},5\n" for name, hour in zip("AB", hours, strict=True)
    )
    assert set(read_counts([write(tmp_path / "a.csv", text)])["start"]) == {pd.Timestamp("2025-03-03T00:00Z")}
