"""Evaluate a measure: before and after, with its doubts, from files of counts or from a database.

A measure is a TOML file (see docs/evaluation.md): what was done where and when, streets to compare with, and [data] with
the files to read. The sentence and the table are printed; --out writes the report.

    telstraat evaluate measure.toml
    telstraat evaluate measure.toml --out report --language nl
    telstraat evaluate measure.toml --dsn postgresql://user@host/telstraat
    telstraat evaluate measure.toml --what car --what bike --json

No server is needed for files: answers of the Telraam API (JSON or CSV) and exports of its portal are read as they are.
"""

from __future__ import annotations

import argparse
import difflib
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telstraat_cli.database_options import add_database_arguments, dsn_of, names_database
from telstraat_cli.errors import CliError
from telstraat_cli.reading_options import CHOICES, add_reading_arguments, file_name
from telstraat_contract.languages import LANGUAGES, SOURCE
from telstraat_contract.road_users import CLASSES

if TYPE_CHECKING:
    import pandas as pd

    from telstraat_analytics import Evaluation, Measure, Question
    from telstraat_analytics.report.content import Content

FORMATS = ("html", "pdf", "json")
OTHER_TABLES = ("measure", "calendar", "excluded", "names")
KEYS: dict[str, tuple[str, ...]] = {
    "question": ("what", "direction", "hours", "days", "against", "by"),
    "data": ("files", "counts", "times", "dates", "decimal", "weather", "map", "source", "licence"),
}
"""What a measure's file may hold beside what `telstraat_analytics.read_measure` reads."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `telstraat evaluate` understands."""
    parser.add_argument("measure", type=Path, metavar="MEASURE.toml", help="what was done where and when")
    add_database_arguments(parser, "read the counts from this database instead of [data] files; also TELSTRAAT_DSN")
    parser.add_argument(
        "--what",
        action="append",
        help=f"{', '.join(CLASSES)}, motor, active, all, v85, above_limit, bike_share, …; may be repeated",
    )
    parser.add_argument("--direction", default="", help="lft (A to B) or rgt; both if not given")
    parser.add_argument(
        "--hours", metavar="FIRST-LAST", help="local start hours, e.g. 7-9; all that were seen if not given"
    )
    parser.add_argument("--days", default=None, help="all, workdays or weekend")
    parser.add_argument(
        "--against", help="before (the weeks before the measure) or 'last year' (the same weeks a year before)"
    )
    parser.add_argument("--by", action="append", help="answer in parts, too: hour, direction, speed; may be repeated")
    parser.add_argument("--language", default=SOURCE, choices=LANGUAGES, help=f"one of {', '.join(LANGUAGES)}")
    add_reading_arguments(parser)
    parser.add_argument("--weather", type=Path, help="CSV of day, temperature_c, rain_mm")
    parser.add_argument("--out", type=file_name, metavar="NAME", help="write NAME.html, NAME.pdf and NAME.json")
    parser.add_argument("--formats", default=",".join(FORMATS), help="which of html,pdf,json to write")
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")


def run(args: argparse.Namespace) -> int:
    """Evaluate, print and write; 0 when there is an answer, 1 when every question was refused."""
    from telstraat_analytics import evaluate_all, read_measure
    from telstraat_analytics.errors import AnalysisError
    from telstraat_analytics.report.content import evaluation_content
    from telstraat_store.errors import TelstraatStoreError

    if args.out is not None:
        formats_of(args)
    try:
        measure, tables = read_measure(args.measure)
        _known(args.measure, tables)
        questions = _questions(args, tables)
        frame, counts = counts_of(args, measure, tables)
        _tell_missing(measure, {str(segment) for segment in frame["segment"].unique()})
        weather = _weather(args, tables)
        by = args.by or tables.get("question", {}).get("by", ())
        evaluations = evaluate_all(frame, measure, questions, counts=counts, weather=weather, by=by)
        content = evaluation_content(
            evaluations, args.language, lines=_lines(args, measure, tables), source=_source(tables)
        )
        if args.json:
            print(_json(evaluations), end="")
        else:
            show(content)
        if args.out:
            _write(evaluations, content, args)
    except (AnalysisError, TelstraatStoreError) as error:
        raise CliError(str(error)) from error
    return 0 if any(evaluation.effect is not None for evaluation in evaluations) else 1


def _known(path: Path, tables: dict[str, Any]) -> None:
    """Refuse a table or a key that nothing reads, with the one that was probably meant."""
    for table, content in tables.items():
        if table not in KEYS:
            raise CliError(f"{path}: there is no table [{table}]; {_meant(table, (*OTHER_TABLES, *KEYS))}")
        for key in content:
            if key not in KEYS[table]:
                raise CliError(f"{path}: [{table}] has no key {key!r}; {_meant(key, KEYS[table])}")


def _meant(given: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(given, known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"


def _questions(args: argparse.Namespace, tables: dict[str, Any]) -> list[Question]:
    from telstraat_analytics import Question

    table = tables.get("question", {})
    what = args.what or table.get("what", ["car"])
    hours = _hours(args.hours) if args.hours else tuple(table.get("hours", ()))
    days = args.days or table.get("days", "all")
    names = [what] if isinstance(what, str) else list(what)
    against = args.against or table.get("against", "before")
    direction = args.direction or table.get("direction", "")
    return [Question(name, direction, hours, days, against) for name in names]


def _hours(text: str) -> tuple[int, ...]:
    first, dash, last = text.partition("-")
    from telstraat_store.imports.numbers import whole_number

    begin = whole_number(first.strip())
    end = whole_number(last.strip()) if dash else begin
    if begin is None or end is None or not 0 <= begin <= end <= 23:
        raise CliError(f"--hours {text!r}: write FIRST-LAST, the first and the last start hour from 0 to 23, e.g. 7-9")
    return tuple(range(begin, end + 1))


def counts_of(args: argparse.Namespace, measure: Measure, tables: dict[str, Any]) -> tuple[pd.DataFrame, Any]:
    """Return a measure's counts from the database that is asked for, else from the files that it names."""
    from telstraat_store.imports import read_files

    data = tables.get("data", {})
    dsn = _dsn(args, data)
    if dsn:
        return _database(dsn, args.settings, measure), "corrected"
    if not data.get("files"):
        raise CliError(f'{args.measure}: no counts: give --dsn, or [data] with files = ["counts.csv"]')
    folder = args.measure.parent
    files: list[Path] = []
    for name in data["files"]:
        paths = sorted(folder.glob(name)) if any(sign in name for sign in "*?[") else [folder / name]
        if not paths:
            raise CliError(f"{args.measure}: [data] files: nothing matches {name!r} in {folder}")
        files += paths
    known = {name: getattr(args, name, None) or data.get(name) for name in CHOICES}
    for name, value in known.items():
        if value not in {None, *CHOICES[name]}:
            raise CliError(f"{args.measure}: [data] {name} is {value!r}; write {' or '.join(map(repr, CHOICES[name]))}")
    counts = data.get("counts", "corrected")
    if counts not in {"corrected", "raw"}:
        raise CliError(f"{args.measure}: [data] counts is {counts!r}; write 'corrected' or 'raw'")
    read = read_files(files, measure.timezone, counts=counts, **known)
    for sentence in read.sentences():
        print(f"telstraat evaluate: {sentence}", file=sys.stderr)
    return read.frame, counts


def _tell_missing(measure: Measure, known: set[str]) -> None:
    """Say which of the named streets have no counts at all: a name may be misspelt."""
    for segment in measure.segments:
        if segment not in known:
            near = difflib.get_close_matches(segment, sorted(known), 1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            print(f"telstraat evaluate: {segment!r} is not in the counts{hint}", file=sys.stderr)


def _weather(args: argparse.Namespace, tables: dict[str, Any]) -> pd.DataFrame | None:
    import pandas as pd

    name = args.weather or tables.get("data", {}).get("weather")
    if not name:
        return None
    path = args.measure.parent / name
    try:
        return pd.read_csv(path)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise CliError(f"{path}: cannot be read as weather: {error}") from error


def _database(dsn: str, settings: Path | None, measure: Measure) -> pd.DataFrame:
    """Return the hours of a measure's streets as the API reads them, so that both give one answer."""
    import psycopg

    from telstraat_api.evaluations.evaluating import read_hours
    from telstraat_api.settings import read_settings

    try:
        return read_hours(dsn, measure, whole=read_settings(settings, {"dsn": dsn}).quarter_min > 0)
    except psycopg.Error as error:
        raise CliError(f"the database cannot be read: {str(error).strip()}") from error


def _source(tables: dict[str, Any]) -> str:
    data = tables.get("data", {})
    return ", ".join(str(data[name]) for name in ("source", "licence") if data.get(name))


def _lines(args: argparse.Namespace, measure: Measure, tables: dict[str, Any]) -> dict[str, Any]:
    """Return where the streets lie: from the file that is named, else from the database, else nowhere."""
    import psycopg

    from telstraat_analytics.lines import read_lines
    from telstraat_api.evaluations.evaluating import lines_around

    data = tables.get("data", {})
    if data.get("map"):
        return dict(read_lines(args.measure.parent / data["map"]))
    dsn = _dsn(args, data)
    try:
        return lines_around(dsn, measure) if dsn else {}
    except psycopg.Error as error:
        raise CliError(f"the database cannot be read: {str(error).strip()}") from error


def _dsn(args: argparse.Namespace, data: dict[str, Any]) -> str:
    """Return the database to read, or nothing where files are named and no database was asked for."""
    if data.get("files") and not (args.dsn or args.settings):
        return ""
    return dsn_of(args) if names_database(args) else ""


def show(content: Content) -> None:
    """Print what stands in a report: sentences and tables."""
    from rich.table import Table

    from telstraat_cli.screen import screen

    console = screen()
    for section in content.sections:
        console.print(f"\n[bold]{section.title}[/bold]\n{section.sentence}\n", highlight=False, soft_wrap=True)
        if section.verdict:
            console.print(section.verdict, highlight=False)
        for table in section.tables:
            drawn = Table(*table.head, title=table.title, title_justify="left")
            for row in table.rows:
                drawn.add_row(*row)
            console.print(drawn)
            if table.note:
                console.print(table.note, highlight=False, soft_wrap=True)
    for table in content.tables:
        drawn = Table(*table.head, title=table.title, title_justify="left")
        for row in table.rows:
            drawn.add_row(*row)
        console.print(drawn)
    for line in content.foot:
        console.print(line, highlight=False, soft_wrap=True)


def _json(evaluations: Sequence[Evaluation]) -> str:
    from telstraat_analytics.report.write import as_json

    return as_json({"evaluations": [evaluation.to_dict() for evaluation in evaluations]})


def formats_of(args: argparse.Namespace) -> list[str]:
    """Return what is to be written; what stands in its way is said before anything is computed."""
    from telstraat_analytics.report import write  # noqa: F401 - a library of it that is missing is told now

    formats = [name.strip() for name in args.formats.split(",") if name.strip()]
    for name in formats:
        if name not in FORMATS:
            raise CliError(f"--formats {name!r}: there are {', '.join(FORMATS)}")
    try:
        args.out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CliError(f"--out {args.out}: {error.strerror}") from error
    return formats


def _write(evaluations: Sequence[Evaluation], content: Content, args: argparse.Namespace) -> None:
    from telstraat_analytics.report.write import html, pdf

    formats = formats_of(args)
    if "html" in formats:
        _file(args.out, "html").write_text(html(content), encoding="utf-8")
    if "pdf" in formats:
        _file(args.out, "pdf").write_bytes(pdf(content))
    if "json" in formats:
        _file(args.out, "json").write_text(_json(evaluations), encoding="utf-8")
    if not args.json:
        print("written: " + ", ".join(str(_file(args.out, form)) for form in formats))


def _file(out: Path, kind: str) -> Path:
    return out.with_name(f"{out.name}.{kind}")
