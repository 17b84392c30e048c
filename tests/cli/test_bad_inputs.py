"""No input of a user ends in a traceback: every command of `telstraat`, every argument of it, with a table of bad values."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import pytest

from telstraat_cli.main import COMMANDS, main, parser_for

NOWHERE = "postgresql://127.0.0.1:1/none?connect_timeout=1"
SERVICES = {
    ("demo",),
    ("device",),
    ("setup",),
    ("ingest",),
    ("api",),
    ("work",),
    ("sim", "street"),
    ("sim", "chaos"),
    ("sim", "fleet"),
}
"""What would start and stay: only inputs that must be refused before that."""

TEXTS = (
    "",
    "-1",
    "-73.56,45.5,-73.55,45.6",
    "99999999999999999999",
    "²",
    "A=²",
    "①-②",
    "1e400",
    "nan",
    "a\0b",
    "\udcff\udcfe",
    "💥" * 50,
    "2026-02-30",
    "../" * 40,
)
FILES: dict[str, Callable[[Path], object]] = {
    "missing.csv": lambda _: None,
    "folder.csv": lambda path: path.mkdir(),
    "empty.csv": lambda path: path.write_bytes(b""),
    "binary.csv": lambda path: path.write_bytes(bytes(range(256)) * 20),
    "latin.toml": lambda path: path.write_bytes("[measure]\nname = 'Münster'".encode("latin-1")),
    "nonsense.toml": lambda path: path.write_text("[measure\n= = ="),
    "odd.toml": lambda path: path.write_text("measure = 3\nbroker = [1, [2]]\nlines = {}"),
    "values.toml": lambda path: path.write_text("[measure]\nname = 3\ndate = 'soon'\ntreated = 7\n[data]\nfiles = 5\n"),
    "zeros.json": lambda path: path.write_bytes(b"\0" * 100),
    "deep.json": lambda path: path.write_text("[" * 100_000),
    "cells.json": lambda path: path.write_text(
        '[{"segment_id": {}, "date": [1], "interval": [], "uptime": 1'
        + "0" * 400
        + ', "car_lft": [2], "street": "a\\u0000\\ud800"},'
        ' {"segment_id": "²", "date": "2025-01-01T00:00Z", "interval": "hourly", "uptime": 1, "car_lft": 1'
        + "0" * 400
        + "}]"
    ),
    "clock.csv": lambda path: path.write_text(
        "segment,date,hour,car\n²,2025-01-01,²,3\n" + "9" * 5000 + ",2025-01-01,8,3\n"
    ),
    "system.geojson": lambda path: path.write_text(
        '{"type": "FeatureCollection", "crs": {"properties": 5}, "features": [{"geometry": null, "id": "way/²"}]}'
    ),
    "list.json": lambda path: path.write_text("[1, null, {}]"),
    "bare.geojson": lambda path: path.write_text(
        '{"type": "FeatureCollection", "features": [null, 3, {"geometry": 3}]}'
    ),
    "broken.csv.gz": lambda path: path.write_bytes(b"\x1f\x8b\x08broken"),
    "broken.xlsx": lambda path: path.write_bytes(b"PK\x03\x04broken"),
    "broken.parquet": lambda path: path.write_bytes(b"PAR1broken"),
    "broken.arrow": lambda path: path.write_bytes(b"\xff\xff\xff\xffbroken"),
    "quotes.csv": lambda path: path.write_text('start,car\n"2025-01-01,3\n'),
    "columns.csv": lambda path: path.write_text("start,car,car\n2025-01-01T00:00Z,1,2\n"),
}
BASES = {"measure": "good.toml", "files": "good.csv"}
GOOD = {
    "good.csv": "segment,start,car\n"
    + "".join(f"a,2025-01-0{day}T{hour:02}:00Z,5\n" for day in (1, 2) for hour in range(24)),
    "good.toml": '[measure]\nname = "m"\ndate = 2025-01-02\ntreated = ["a"]\n[data]\nfiles = ["good.csv"]\n',
}
VALUES = {
    "--line": "4.7,50.8,4.8,50.9",
    "--name": "a-name",
    "--source": "someone",
    "email": "a@example.org",
    "--from": "2026-05-01T09:00+02:00",
}


def walk(
    parser: argparse.ArgumentParser, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    children = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not children:
        yield path, parser
    for action in children:
        for name, child in action.choices.items():
            yield from walk(child, (*path, name))


def commands() -> list[tuple[tuple[str, ...], argparse.ArgumentParser]]:
    return [leaf for name in COMMANDS for leaf in walk(parser_for(name), (name,))]


LEAVES = commands()


def arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if not isinstance(action, argparse._HelpAction) and action.nargs != 0]


def words_with(parser: argparse.ArgumentParser, bad: argparse.Action, value: str, files: Path) -> list[str]:
    """Return a line of words in which everything that is required is plausible, and one argument is bad."""
    out = []
    for action in arguments(parser):
        name = (action.option_strings or [action.dest])[0]
        if action is bad:
            given = value
        elif action.required or not action.option_strings:
            given = (
                VALUES.get(name)
                or (str(files / BASES[name]) if name in BASES else "")
                or ("1" if action.type is int else str(files / "missing.csv"))
            )
        else:
            continue
        out += [name, given] if action.option_strings else [given]
    return out


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad")
    for name, make in FILES.items():
        make(folder / name)
    for name, text in GOOD.items():
        (folder / name).write_text(text)
    return folder


def too_long(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError("still running: it was not refused")


def outcome(words: list[str]) -> tuple[int, str]:
    """Run a command here and return its exit code and what it wrote."""
    written = io.StringIO()
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    try:
        with contextlib.redirect_stderr(written), contextlib.redirect_stdout(written):
            code = main(words)
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        signal.alarm(0)
    return code, written.getvalue()


@pytest.mark.parametrize(("path", "parser"), LEAVES, ids=[" ".join(path) for path, _ in LEAVES])
def test_bad_values_are_refused_in_a_sentence(
    path: tuple[str, ...], parser: argparse.ArgumentParser, files: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TELSTRAAT_DSN", NOWHERE)
    monkeypatch.chdir(tmp_path)
    for action in arguments(parser):
        is_refused_early = action.type is not None and action.type is not Path
        values = list(TEXTS)
        if action.type is Path or not action.option_strings or "file" in action.dest or "settings" in action.dest:
            values += [str(files / name) for name in FILES]
        for value in values:
            words = [*path, *words_with(parser, action, value, files)]
            if path in SERVICES and not (is_refused_early and value in {"", "a\0b", "2026-02-30", "💥" * 50}):
                continue
            if path == ("plan",) and value == "-1" and "out" in action.dest:
                continue  # that is a name, and the plan takes seconds
            code, text = outcome(words)
            assert code in {0, 1, 2}, (words, text)
            assert code == 0 or text.strip(), f"{words}: refused without a word"
            assert "Traceback" not in text, words


OF_THE_DATABASE = [
    leaf
    for leaf in LEAVES
    if leaf[0][0] in {"sensor", "segments", "account"} or leaf[0] in {("db", "import"), ("db", "export")}
]


@pytest.mark.parametrize(("path", "parser"), OF_THE_DATABASE, ids=[" ".join(path) for path, _ in OF_THE_DATABASE])
def test_what_a_database_refuses_is_told_in_a_sentence(
    path: tuple[str, ...],
    parser: argparse.ArgumentParser,
    files: Path,
    database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TELSTRAAT_DSN", database)
    monkeypatch.chdir(tmp_path)
    for action in arguments(parser):
        for value in (*TEXTS, *(str(files / name) for name in (*FILES, *GOOD) if action.type is Path)):
            words = [*path, *words_with(parser, action, value, files)]
            code, text = outcome(words)
            assert code in {0, 1, 2}, (words, text)
            assert text.strip(), f"{words}: not a word"


def test_a_place_west_of_greenwich_is_a_value_and_no_option(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELSTRAAT_DSN", NOWHERE)
    code, text = outcome(["sensor", "segment", "--name", "Elm", "--line", "-73.56,45.5,-73.55,45.6"])
    assert code == 2
    assert "the database does not answer" in text
    code, text = outcome(["segments", "import", str(files / "binary.csv"), "--bbox", "-0.2,51.4,0.1,51.6"])
    assert "expected one argument" not in text


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.csv"
    path.write_text("start,car\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        path = tmp_path / ("x" * 300)  # who may read everything gets another error of the system
    code, text = outcome(["describe", str(path)])
    assert code == 2
    assert str(path) in text
