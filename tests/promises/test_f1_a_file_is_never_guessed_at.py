"""F1: a file is read as what it proves about itself; what it leaves open is asked, and never guessed."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
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
    shown = (starts if as_utc else local).tz_localize(None)
    lines = [f"{at:%Y-%m-%d %H:%M},{n}" for at, hour, n in zip(shown, local.hour, counts, strict=True) if hour in hours]
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
