"""E9: files and database give one answer. The same counts have the same hash and the same result, whoever reads them."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import orjson
import pandas as pd
import psycopg
import pytest
from tests.analytics.streets import town
from tests.api.streets import QUARTER, add_reports, add_sensor

from telstraat_analytics import Measure, Question, as_counts, days_needed, evaluate, monitor, read_measure
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.report.following import week_sentences
from telstraat_api.evaluations.computing import evaluation
from telstraat_api.evaluations.evaluating import read_hours
from telstraat_api.following.weekly import looked
from telstraat_api.jobs.kinds import JobRun
from telstraat_api.settings import ApiSettings
from telstraat_cli.main import main
from telstraat_contract.road_users import SPEED_BINS
from telstraat_store import places, read_counts
from telstraat_store.counts.rollup import refresh_all
from telstraat_store.imports.writing import Source, import_file

NAMES = ("9000000001", "9000000002", "9000000003")
CLASSES = ("pedestrian", "bike", "car", "heavy")


def unchanged(frame: pd.DataFrame) -> pd.DataFrame:
    return frame


def with_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out weeks, lower uptime on some days, and add hours in which nobody looked."""
    day = (frame["start"] - frame["start"].min()).dt.days
    out: pd.DataFrame = frame[~((frame["segment"] == NAMES[1]) & day.between(20, 41))].copy()
    out.loc[(day % 17 == 3) & (out["segment"] == NAMES[0]), "uptime"] = 0.35
    blind = (day % 23 == 5).reindex(out.index)
    out.loc[blind, [*CLASSES, "uptime"]] = 0.0
    return out


def without_heavy(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.drop(columns="heavy")


def with_speeds(frame: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    shares = np.zeros((len(frame), SPEED_BINS))
    shares[:, 4:12] = rng.dirichlet(np.arange(1, 9), len(frame))
    rounded = (100 * shares).round(3)
    rounded[:, 4] += 100 - rounded.sum(axis=1)
    return frame.assign(car_speed_hist_0to120plus=pd.Series(rounded.round(3).tolist(), index=frame.index))


@dataclass(frozen=True)
class Case:
    """Counts of some days before and after a measure, and what is asked of them."""

    date: dt.date = dt.date(2025, 9, 22)
    before: int = 150
    after: int = 28
    timezone: str = "Europe/Brussels"
    controls: tuple[str, ...] = NAMES[1:]
    question: str = 'what = ["car"]'
    change: Callable[[pd.DataFrame], pd.DataFrame] = unchanged
    transition_days: int = 0


CASES = {
    "more than two years, no control": Case(before=820, controls=()),
    "a year and more of the controls": Case(before=430, controls=NAMES[1:2]),
    "both changes of the clock": Case(dt.date(2025, 10, 27), before=230, transition_days=3),
    "south, the clock at midnight": Case(dt.date(2025, 9, 8), timezone="America/Santiago"),
    "half an hour beside the hour": Case(timezone="Asia/Kolkata"),
    "weeks that are missing": Case(change=with_gaps, question='what = ["bike"]\nhours = [8, 9, 10, 11, 12, 13, 14]'),
    "a class that nobody counted": Case(change=without_heavy, question='what = ["bike", "car"]'),
    "speeds": Case(change=with_speeds, question='what = ["v85"]'),
    "last year's same weeks": Case(before=430, question='what = ["car"]\nagainst = "last year"'),
    "one way, on workdays": Case(question='what = ["car"]\ndirection = "rgt"\ndays = "workdays"'),
}


@dataclass(frozen=True)
class Stored:
    """The same counts in a file and in a database, and the measure that names them."""

    measure: Path
    counts: Path
    dsn: str


def stored(case: Case, dsn: str, folder: Path) -> Stored:
    """Write a town's counts to a file and fill a database from it."""
    names = (NAMES[0], *case.controls)
    frame = town(81, names, before=case.before, after=case.after, date=case.date, effects={NAMES[0]: {"car": -0.4}})
    local = frame["start"].dt.tz_convert("Europe/Brussels").dt.tz_localize(None)
    moved = local.dt.tz_localize(case.timezone, ambiguous=True, nonexistent="shift_forward").dt.tz_convert("UTC")
    frame = case.change(frame.assign(start=moved, uptime=0.75))
    present = [name for name in CLASSES if name in frame]
    frame["start"] = frame["start"].dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    for name in present:
        frame[f"{name}_lft"], frame[f"{name}_rgt"] = frame[name] * 0.25, frame[name] * 0.75
    rows = frame.rename(columns={"segment": "segment_id", "start": "date"}).assign(interval="hourly", instance_id=-1)
    counts = folder / "counts.json"
    counts.write_text(json.dumps({"report": rows.to_dict("records")}), encoding="utf-8")
    with psycopg.connect(dsn) as connection:
        for number in names:
            places.draw_segment(
                connection, number, [(4.0, 50.0), (4.1, 50.0)], timezone=case.timezone, segment_id=int(number)
            )
        connection.commit()
        assert import_file(connection, counts, Source("others")).new == len(frame)
    measure = folder / "measure.toml"
    measure.write_text(
        f'[measure]\nname = "Scheme"\ndate = {case.date}\ntreated = ["{NAMES[0]}"]\ncontrols = {list(case.controls)}\n'
        f'timezone = "{case.timezone}"\nbefore_days = 56\nafter_days = {case.after}\n'
        f"transition_days = {case.transition_days}\n"
        f'[question]\n{case.question}\n[data]\nfiles = ["counts.json"]\n',
        encoding="utf-8",
    )
    return Stored(measure, counts, dsn)


def close(left: object, other: object) -> bool:
    """Compare results number by number, whatever they are nested in."""
    if isinstance(left, dict) and isinstance(other, dict):
        return left.keys() == other.keys() and all(close(left[key], other[key]) for key in left)
    if isinstance(left, list) and isinstance(other, list):
        return len(left) == len(other) and all(map(close, left, other))
    if isinstance(left, float) and isinstance(other, float):
        return left == pytest.approx(other, rel=1e-6, abs=1e-9, nan_ok=True)
    return left == other


@pytest.mark.parametrize("name", CASES)
def test_the_hash_and_the_result_are_those_of_the_files(
    name: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TELSTRAAT_DSN", raising=False)
    store = stored(CASES[name], database, tmp_path)
    answers = []
    for options in ([], ["--dsn", database]):
        assert main(["evaluate", str(store.measure), "--json", *options]) == 0
        answers.append(json.loads(capsys.readouterr().out)["evaluations"])
    for file, base in zip(*answers, strict=True):
        assert file["effect"] is not None
        assert file["inputs_sha256"] == base["inputs_sha256"]
        assert file["sentence"] == base["sentence"]
        assert close(file, base)


@dataclass(frozen=True)
class Taken:
    """A street whose imported counts were taken over by an own sensor, and the same counts with their instruments."""

    measure: Measure
    frame: pd.DataFrame


def taken_over(dsn: str, folder: Path, own_days: int) -> Taken:
    """Import a town's hours; from `own_days` before the measure an own sensor counts in the first street, with an outage."""
    measure = Measure("Scheme", Case.date, NAMES[:1], NAMES[1:], timezone=Case.timezone, after_days=28)
    frame = town(82, NAMES, before=140, after=28, date=Case.date)
    days = (frame["start"].dt.tz_convert(Case.timezone).dt.tz_localize(None) - pd.Timestamp(Case.date)).dt.days
    first = (frame["segment"] == NAMES[0]) & (days >= -own_days)
    outage = first & days.between(8, 10)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for number in NAMES:
            places.draw_segment(connection, number, [(4.0, 50.0), (4.1, 50.0)], segment_id=int(number))
        rows = frame.assign(start=frame["start"].dt.strftime("%Y-%m-%dT%H:%M:%S.000Z"), interval="hourly")
        for name in CLASSES:
            rows[f"{name}_lft"], rows[f"{name}_rgt"] = rows[name], 0.0
        rows = rows.rename(columns={"segment": "segment_id", "start": "date"})
        counts = folder / "counts.json"
        counts.write_text(json.dumps({"report": rows.to_dict("records")}), encoding="utf-8")
        assert import_file(connection, counts, Source("others")).new == len(frame)
        sensor = add_sensor(connection, "own-1", int(NAMES[0]))
        sides = [f"{name}_lft" for name in CLASSES]
        own = frame[first & ~outage]
        hours = zip(own["start"], own[list(CLASSES)].astype(int).to_numpy().tolist(), strict=True)
        quarters = [
            {"sensor_id": sensor, "period_start": start.to_pydatetime() + n * QUARTER, **dict(zip(sides, seen, strict=True))}
            for start, counted in hours
            for n, seen in enumerate([counted, [0] * 4, [0] * 4, [0] * 4])
        ]  # fmt: skip
        add_reports(connection, quarters)
        refresh_all(connection)
    night = np.where(first, 0.0, np.nan)  # an own sensor says what passed in the dark
    return Taken(measure, frame.assign(instance=np.where(first, 2, 1), night=night)[~outage])


def test_imported_and_own_counts_of_one_street_give_the_answer_of_a_file_that_names_both(
    database: str, tmp_path: Path
) -> None:
    taken = taken_over(database, tmp_path, own_days=98)
    file, base = evaluate(taken.frame, taken.measure), evaluate(read_hours(database, taken.measure), taken.measure)
    assert file.effect is not None
    assert base.effect is not None
    assert base.inputs_hash == file.inputs_hash
    assert close(base.effect.to_dict(), file.effect.to_dict())
    assert [left.kind for left in base.findings if left.kind != "gap"] == ["new_instance"]


def test_an_own_sensor_that_takes_over_at_the_date_is_another_instrument(database: str, tmp_path: Path) -> None:
    taken = taken_over(database, tmp_path, own_days=0)
    for frame in (taken.frame, read_hours(database, taken.measure)):
        answer = evaluate(frame, taken.measure)
        assert answer.effect is None
        assert "instrument" in {left.key for left in answer.refusals}


@pytest.mark.parametrize("against", ["before", "last year"])
def test_the_service_and_the_weekly_letter_read_the_same_days(
    against: Literal["before", "last year"], database: str, tmp_path: Path
) -> None:
    store = stored(Case(before=430, after=35), database, tmp_path)
    measure, _ = read_measure(store.measure)
    frame = read_counts([store.counts], measure.timezone)
    plain = {
        "name": "Scheme", "date": measure.date.isoformat(), "treated": measure.treated, "controls": measure.controls,
        "boundary": [], "timezone": measure.timezone, "before_days": 56, "after_days": 35, "transition_days": 0,
        "excluded": [], "other_measures": [], "chosen_for": "unknown", "closed_to": [], "speed_limit_kmh": 50, "names": {},
    }  # fmt: skip
    questions = [{"what": "car", "direction": "", "hours": [], "days": "all", "against": against}]
    order = {"measure": plain, "measure_id": 1, "questions": questions, "by": [], "account_id": None, "phase": None}
    run = JobRun(order, ApiSettings(dsn=database), processes=1, reporter=lambda _share, _doing, _first: None)
    served = orjson.loads(orjson.dumps(evaluation(run), option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS))

    mine = evaluate(frame, measure, Question(against=against))
    result = served["result"]["evaluations"][0]
    assert result["inputs_sha256"] == mine.inputs_hash
    assert result["sentence"]["en"] == mine.sentence("en")
    assert ("the year before" in mine.sentence("en")) == (against == "last year")
    followed = monitor(frame, measure, Question("car"), weeks=[5])[0]
    letter = looked(database, plain, "car", 5)[NAMES[0]]
    assert letter["sentences"]["en"] == week_sentences(followed, measure, Question("car"), "en")
    assert close(letter["looks"], followed.to_dict()["looks"])


def test_no_row_that_is_read_is_left_unused_and_none_is_missing(database: str, tmp_path: Path) -> None:
    store = stored(Case(before=820, controls=NAMES[1:2]), database, tmp_path)
    measure, _ = read_measure(store.measure)
    frame = read_hours(store.dsn, measure)
    whole = as_counts(read_counts([store.counts], measure.timezone))
    for segment, table in prepare(whole, measure).tables.items():
        own = frame[frame["segment"] == segment]
        assert (own["start"].min(), own["start"].max(), len(own)) == (
            table["start"].min(), table["start"].max(), len(table),
        )  # fmt: skip
    needs = {segment: (measure.date - first.date()).days for segment, (first, _) in days_needed(measure).items()}
    assert needs[NAMES[0]] > 2 * 365
    assert 365 < needs[NAMES[1]] < needs[NAMES[0]]


@pytest.mark.parametrize("timezone", ["America/Santiago", "Australia/Lord_Howe", "Asia/Beirut", "Pacific/Apia"])
def test_a_day_begins_also_where_the_clock_jumps_over_midnight(timezone: str) -> None:
    for day in pd.date_range("2025-08-20", "2026-04-20", freq="D"):
        measure = Measure("m", day.date(), ("a",), timezone=timezone)
        first, end = days_needed(measure)["a"]
        after = days_needed(replace(measure, after_days=measure.after_days + 1))["a"][1]
        assert first.tz_convert(timezone).date() == (day - pd.Timedelta(days=765)).date()
        assert pd.Timedelta(hours=22) < after - end < pd.Timedelta(hours=26)
