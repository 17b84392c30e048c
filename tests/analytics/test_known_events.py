"""Known events in real counts: skipped, and said so, where the shared data are not there."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pandas as pd
import pytest

from telstraat_analytics import Measure, Question, as_counts, evaluate
from telstraat_analytics.days import local_table
from telstraat_analytics.quality.health import health
from telstraat_store import read_counts

DATA = Path(os.environ.get("TELSTRAAT_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason=f"KNOWN EVENTS NOT CHECKED: no shared data at {DATA}; set TELSTRAAT_DATA"
)
LOCKDOWN = dt.date(2021, 4, 3)


@pytest.fixture(scope="module")
def chateaubourg() -> pd.DataFrame:
    return read_counts([DATA / "telraam_chateaubourg" / "chateaubourg_hourly.csv.gz"], "Europe/Paris")


@pytest.fixture(scope="module")
def karlsruhe() -> pd.DataFrame:
    return as_counts(read_counts([DATA / "telraam_karlsruhe" / "karlsruhe_hourly.csv.gz"], "Europe/Berlin"))


@pytest.fixture(scope="module")
def fremont() -> pd.Series:
    table = pd.read_csv(DATA / "fremont_bridge" / "fremont_bridge_hourly.csv.gz").drop_duplicates("Date")
    day = pd.to_datetime(table["Date"], format="%m/%d/%Y %I:%M:%S %p").dt.normalize()
    total: pd.Series = table.filter(like="Total").iloc[:, 0].groupby(day).sum()
    return total


def test_the_lockdown_lowers_motor_traffic_by_about_a_sixth(chateaubourg: pd.DataFrame) -> None:
    measure = Measure("lockdown", LOCKDOWN, ("ParisMarché",), timezone="Europe/Paris", before_days=42, after_days=28)
    motor = evaluate(chateaubourg, measure, Question("motor")).effect
    assert motor is not None
    assert -0.22 < motor.estimate < -0.10
    assert motor.low < -0.16 < motor.high


def test_cars_alone_come_with_the_warning_that_the_sensor_was_still_learning(chateaubourg: pd.DataFrame) -> None:
    measure = Measure("lockdown", LOCKDOWN, ("ParisMarché",), timezone="Europe/Paris", before_days=42, after_days=28)
    answer = evaluate(chateaubourg, measure, Question("car"))
    assert answer.effect is not None
    assert answer.effect.low < -0.21 < answer.effect.high
    assert not answer.reliable
    assert "not yet learnt" in answer.sentence("en")


@pytest.mark.parametrize(
    ("segment", "kind", "first"),
    [
        ("9000010417", "silent", "2026-04-19"),
        ("9000008311", "silent", "2026-07-11"),
        ("9000008652", "silent", "2025-12-21"),
        ("9000008652", "moved", "2026-01-13"),
    ],
)
def test_silent_failures_of_karlsruhe_are_found(karlsruhe: pd.DataFrame, segment: str, kind: str, first: str) -> None:
    findings = health(segment, local_table(karlsruhe, segment, "Europe/Berlin"))
    assert any(item.kind == kind and f"{item.first:%Y-%m-%d}" == first for item in findings)


def test_a_silence_of_four_months_is_no_effect(karlsruhe: pd.DataFrame) -> None:
    measure = Measure("m", dt.date(2026, 4, 20), ("9000010417",), ("9000008322",), timezone="Europe/Berlin")
    assert evaluate(karlsruhe, measure, Question("car"), counts="raw").effect is None


def test_every_new_sensor_of_chateaubourg_is_seen_to_learn(chateaubourg: pd.DataFrame) -> None:
    frame = as_counts(chateaubourg)
    learning = [
        segment
        for segment in frame["segment"].unique()
        if any(item.kind == "learning" for item in health(segment, local_table(frame, segment, "Europe/Paris")))
    ]
    assert len(learning) >= 13


def test_bicycles_that_vanish_with_the_cars_are_refused(chateaubourg: pd.DataFrame) -> None:
    controls = ("StDidierNord", "ParisArcEnCiel", "RteVitré")
    measure = Measure("m", dt.date(2022, 3, 7), ("rueVignes",), controls, timezone="Europe/Paris", after_days=28)
    assert evaluate(chateaubourg, measure, Question("bike")).effect is None


def test_the_published_figures_of_fremont_come_out(fremont: pd.Series) -> None:
    years = fremont.groupby(pd.DatetimeIndex(fremont.index).year).sum()
    assert (int(years[2019]), int(years[2023])) == (1_187_146, 902_926)
    may = {year: fremont[f"{year}-05-01" : f"{year}-05-14"].sum() for year in (2019, 2020)}
    assert may[2020] / may[2019] - 1 == pytest.approx(-0.425, abs=0.001)
    april = [fremont[f"{year}-04"].mean() for year in range(2013, 2020)]
    assert fremont["2020-04"].mean() / (sum(april) / len(april)) - 1 == pytest.approx(-0.201, abs=0.002)
    weekend = fremont[pd.DatetimeIndex(fremont.index).day_of_week >= 5]
    workdays = fremont.drop(weekend.index)
    assert workdays["2020-05-01":"2020-05-14"].sum() / workdays["2019-05-01":"2019-05-14"].sum() - 1 == pytest.approx(
        -0.524, abs=0.001
    )
    sunny = [weekend[f"{year}-04"].sum() for year in range(2013, 2020)]
    assert weekend["2020-04"].sum() / (sum(sunny) / len(sunny)) - 1 == pytest.approx(0.707, abs=0.006)
