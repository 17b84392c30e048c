"""The fleet: what sensors make of the truth, written beside it; the same seed, the same bytes."""

from __future__ import annotations

import json
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from telstraat_analytics.frames import as_counts
from telstraat_analytics.weather import read_weather
from telstraat_contract.messages import Flag, Report, decode, encode
from telstraat_contract.topics import Channel
from telstraat_firmware_sim.demand.demand import SimulatedMeasure, Town, TownStreet
from telstraat_firmware_sim.demand.profiles import CLASSES, SEEN
from telstraat_firmware_sim.errors import DemandError, FleetError
from telstraat_firmware_sim.fleet.files import write_fleet
from telstraat_firmware_sim.fleet.fleet import (
    COUNT_COLUMNS,
    HOURLY_COLUMNS,
    Fleet,
    FleetSettings,
    made_up_fleet,
    made_up_measure,
)
from telstraat_firmware_sim.fleet.sensors import KINDS, Failure, SimulatedSensor
from telstraat_firmware_sim.fleet.towns import made_up_town, neighbours

START = date(2025, 5, 5)
CAR, HEAVY = CLASSES.index("car"), CLASSES.index("heavy")
TOWN = Town("Here", (TownStreet("Busy", "through"), TownStreet("Quiet"), TownStreet("Mixed", "shopping")))


def fleet(
    *sensors: SimulatedSensor, days: int = 28, measures: tuple[SimulatedMeasure, ...] = (), seed: int = 3
) -> Fleet:
    return Fleet({"Here": sensors}, (TOWN,), START, days, measures=measures, seed=seed)


@lru_cache
def three_kinds() -> Fleet:
    return fleet(*(SimulatedSensor(kind, "Busy", kind, gaps=0.0) for kind in KINDS))


def test_a_perfect_sensor_reports_every_quarter_and_exactly_who_passed() -> None:
    truth = fleet(SimulatedSensor("a", "Busy", perfect=True)).sensor("a")
    assert truth.series.sent.all()
    assert (truth.series.observed_s == 900).all()
    assert np.array_equal(truth.series.counts[:, : len(CLASSES)], truth.demand.passed)
    assert truth.series.counts[:, len(CLASSES)].sum() == 0


def test_no_sensor_sees_more_than_there_is() -> None:
    for truth in three_kinds().truths():
        seen = truth.series.counts.sum(axis=1)
        assert (seen <= truth.demand.passed.sum(axis=1)).all()


def test_a_v1_is_blind_at_night_and_never_sees_a_whole_hour() -> None:
    series = three_kinds().sensor("v1").series
    dark = series.light == 3
    assert series.counts[dark].sum() == 0
    assert (series.observed_s[dark] == 0).all()
    assert (series.flags[dark] & Flag.TOO_DARK).all()
    noon = np.arange(len(dark)) % 96 == 48
    assert 0.70 < series.observed_s[noon].mean() / 900 < 0.84


def test_an_s2_knows_no_classes_at_night_but_counts_something() -> None:
    series = three_kinds().sensor("s2").series
    dark = series.light == 3
    assert series.counts[dark][:, SEEN.index("night")].sum() > 20 * series.counts[dark][:, :4].sum() > 0
    assert series.observed_s[dark].mean() > 890


def test_our_sensor_counts_at_night_and_says_that_it_is_less_sure() -> None:
    truth = three_kinds().sensor("telstraat")
    dark = truth.series.light == 3
    assert (truth.series.flags[dark & (truth.series.observed_s > 0)] & Flag.NIGHT_COUNTED).all()
    share = [
        truth.series.counts[when, CAR].sum() / truth.demand.passed[when, CAR].sum()
        for when in (dark, truth.series.light == 1)
    ]
    assert 0.5 < share[0] < share[1] < 1.0


def test_the_sensors_of_one_street_look_at_the_same_people() -> None:
    older, other = three_kinds().sensor("v1"), three_kinds().sensor("s2")
    assert np.array_equal(older.demand.passed, other.demand.passed)


def test_outages_are_absent_reports_and_stand_in_the_truth() -> None:
    truth = fleet(SimulatedSensor("a", "Busy", "v1", gaps=3.0), days=90).sensor("a")
    events = [event for event in truth.series.events if event.what == "outage"]
    assert events
    assert not truth.series.sent.all()
    start = three_kinds().demand("Here").calendar.start_utc
    for event in events:
        first, end = ((at - start) // timedelta(minutes=15) for at in (event.from_utc, event.until_utc))
        assert not truth.series.sent[first:end].any()


def test_a_silent_failure_counts_nothing_while_uptime_is_fine() -> None:
    series = fleet(SimulatedSensor("a", "Busy", failures=(Failure("silent", 960, 1440),), gaps=0.0)).sensor("a").series
    assert series.counts[960:1440].sum() == 0
    assert series.observed_s[960:1440].mean() > 890
    assert series.counts[1440:1536].sum() > 0
    assert [event.what for event in series.events if event.what == "silent"] == ["silent"]


def test_a_moved_sensor_counts_another_street_and_its_truth_says_so() -> None:
    moved = SimulatedSensor("a", "Busy", failures=(Failure("moved", 960, 28 * 96, street="Quiet"),), perfect=True)
    here = fleet(moved)
    truth = here.sensor("a")
    quiet = here.demand("Here").street("Quiet").passed
    assert np.array_equal(truth.series.counts[960:, :4], quiet[960:])
    assert np.array_equal(truth.series.counts[:960, :4], truth.demand.passed[:960])
    assert [event.detail["street"] for event in truth.series.events if event.what == "moved"] == ["Quiet"]


def test_a_new_v1_knows_no_heavy_vehicles_until_it_has_learnt() -> None:
    series = fleet(SimulatedSensor("a", "Busy", "v1", since_day=2, gaps=0.0)).sensor("a").series
    heavy = series.counts[:, HEAVY].sum(axis=1).reshape(28, 96).sum(axis=1)
    assert not series.sent[: 2 * 96].any()
    assert heavy[2:16].sum() == 0
    assert (heavy[16:] > 0).all()
    assert (series.flags[2 * 96 : 16 * 96] & Flag.LEARNING).all()


def test_drift_changes_what_is_detected_slowly_and_by_no_more_than_asked() -> None:
    share = []
    for drift in (0.0, 0.1):
        truth = fleet(SimulatedSensor("a", "Busy", drift=drift, gaps=0.0), days=364).sensor("a")
        by_day = truth.series.light.reshape(13, -1) == 1
        cars = (
            truth.series.counts[:, CAR].sum(axis=1).reshape(13, -1),
            truth.demand.passed[:, CAR].sum(axis=1).reshape(13, -1),
        )
        share.append((cars[0] * by_day).sum(axis=1) / (cars[1] * by_day).sum(axis=1))
    swing = share[1] / share[0]
    assert 0.85 < swing.min() < 0.97
    assert swing.max() < 1.12


def test_reports_go_over_the_wire_and_say_what_the_series_says() -> None:
    here = three_kinds()
    series = here.sensor("telstraat").series
    reports = list(here.reports("telstraat"))
    assert len(reports) == series.sent.sum() == 28 * 96
    assert [report.seq for report in reports] == list(range(1, len(reports) + 1))
    assert len({report.epoch for report in reports}) == 1
    at = 28 * 48
    assert decode(Channel.REPORT, encode(reports[at])) == reports[at]
    assert reports[at].counts.car.lft == series.counts[at, CAR, 0]
    assert sum(reports[at].car_speed or ()) == series.counts[at, CAR].sum()
    assert all(report.flags & Flag.SIMULATED for report in reports)


def test_the_same_seed_gives_the_same_reports_byte_for_byte() -> None:
    first, again = (
        b"".join(map(encode, made_up_fleet(FleetSettings(sensors=5, days=3, seed=9)).reports("sim-0004")))
        for _ in range(2)
    )
    assert first == again
    assert first != b"".join(map(encode, made_up_fleet(FleetSettings(sensors=5, days=3, seed=10)).reports("sim-0004")))


def test_hours_come_raw_or_corrected_by_the_rule_of_reading() -> None:
    here = fleet(SimulatedSensor("a", "Busy", "v1", gaps=2.0))
    raw, corrected = here.hourly("raw"), here.hourly("corrected")
    assert tuple(raw.columns) == tuple(corrected.columns) == HOURLY_COLUMNS
    series = here.sensor("a").series
    hour = int(np.flatnonzero(raw["quarters"].to_numpy() == 4)[5])
    at = int((raw["start"][hour] - pd.Timestamp(START, tz="UTC")) / pd.Timedelta(minutes=15))
    counts, observed = series.counts[at : at + 4, CAR, 0], series.observed_s[at : at + 4]
    assert raw["car_lft"][hour] == counts.sum()
    assert corrected["car_lft"][hour] == pytest.approx((counts * 900 / observed).sum())
    assert raw["observed_s"][hour] == observed.sum()
    assert (corrected.loc[corrected["quarters"] == 0, list(COUNT_COLUMNS)] == 0).all(axis=None)


def test_the_analysis_reads_the_frames_as_they_are(tmp_path: Path) -> None:
    here = fleet(SimulatedSensor("a", "Busy", "v1", gaps=2.0), days=7)
    write_fleet(here, tmp_path / "out")
    quarters = as_counts(pd.read_parquet(tmp_path / "out" / "reports.parquet"), counts="raw")
    hours = as_counts(here.hourly("raw"), counts="raw")
    assert (
        quarters["car"].sum()
        == hours["car"].sum()
        == here.sensor("a").series.counts[here.sensor("a").series.sent, CAR].sum()
    )
    corrected = as_counts(here.hourly("corrected"), counts="corrected")
    whole = (here.hourly("raw")["quarters"] == 4).to_numpy()
    assert corrected["car"][whole].sum() == pytest.approx(hours["car"][whole].sum(), rel=0.01)
    weather = read_weather(here.weather_days("Here"))
    assert len(weather) == 8  # seven days of UTC touch eight local days
    assert weather["rain_mm"].sum() == pytest.approx(here.demand("Here").weather.rain_mm.sum())


def test_an_hour_without_a_report_has_no_row() -> None:
    here = fleet(SimulatedSensor("a", "Busy", since_day=3, gaps=0.0))
    assert len(here.hourly()) == 25 * 24


def test_the_effect_of_a_measure_is_in_the_counts() -> None:
    plan = SimulatedMeasure("plan", START + timedelta(days=28), ("Busy",), {"car": -0.5})
    cars = (
        fleet(SimulatedSensor("a", "Busy", perfect=True), days=56, measures=(plan,))
        .sensor("a")
        .series.counts[:, CAR]
        .sum(axis=1)
    )
    assert 0.35 < cars[28 * 96 :].sum() / cars[: 28 * 96].sum() < 0.65


def test_made_up_towns_have_streets_of_every_load_and_neighbours_nearby() -> None:
    town = made_up_town(200, seed=1)
    cars = [street.mean_per_hour("car") for street in town.streets]
    assert len({street.name for street in town.streets}) == 200
    assert 25 < np.percentile(cars, 25) < 80
    assert 120 < np.percentile(cars, 75) < 400
    nearest = neighbours(town, town.streets[17].name, 2)
    assert len(set(nearest) - {town.streets[17].name}) == 2


def test_a_made_up_measure_takes_from_busy_streets_and_gives_to_their_neighbours() -> None:
    towns = made_up_fleet(FleetSettings(sensors=30)).towns
    plan = made_up_measure(towns, date(2025, 1, 15), {"car": -0.3}, streets=2, shifted=0.4)
    assert len(plan.streets) == 2
    assert plan.shifted_to
    assert not set(plan.streets) & set(plan.shifted_to)


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_a_fleet_is_written_beside_its_truth(tmp_path: Path, file_format: str) -> None:
    here = fleet(
        SimulatedSensor("a", "Busy"),
        SimulatedSensor("b", "Quiet", "v1", failures=(Failure("silent", 96, 192),)),
        days=7,
    )
    answers: list[str] = []
    written = write_fleet(here, tmp_path / "out", file_format=file_format, reports_jsonl=True, on_sensor=answers.append)  # type: ignore[arg-type]
    read = pd.read_parquet if file_format == "parquet" else pd.read_csv
    truth, reports = read(tmp_path / "out" / f"truth.{file_format}"), read(tmp_path / "out" / f"reports.{file_format}")
    assert answers == ["a", "b"]
    assert len(truth) == 2 * 7 * 96
    assert truth.filter(like="passed").to_numpy().sum() == written.crossings
    assert len(reports) == written.report_rows == sum(here.sensor(name).series.sent.sum() for name in "ab")
    assert reports[list(COUNT_COLUMNS)].to_numpy().sum() == written.counted
    lines = (tmp_path / "out" / "reports" / "a.jsonl").read_bytes().splitlines()
    assert [decode(Channel.REPORT, line) for line in lines] == list(here.reports("a"))
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text().splitlines()]
    assert {"sensor": "b", "what": "silent"}.items() <= next(e for e in events if e["what"] == "silent").items()
    assert json.loads((tmp_path / "out" / "fleet.json").read_text())["seed"] == 3
    assert len((tmp_path / "out" / "weather.csv").read_text().splitlines()) == 7 * 24 + 1


def test_a_folder_that_holds_something_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(FleetError, match="not empty"):
        write_fleet(three_kinds(), tmp_path)


@pytest.mark.parametrize(
    ("settings", "message"), [(FleetSettings(kinds={"v9": 1}), "'v9'"), (FleetSettings(sensors=0), "0 sensors")]
)
def test_a_fleet_that_cannot_be_is_refused_in_words(settings: FleetSettings, message: str) -> None:
    with pytest.raises(DemandError, match=message):
        made_up_fleet(settings)


def test_two_sensors_of_a_fleet_have_two_names() -> None:
    with pytest.raises(DemandError, match="same name"):
        fleet(SimulatedSensor("a", "Busy"), SimulatedSensor("a", "Quiet"))


def test_a_years_reports_fit_the_contract() -> None:
    report = next(iter(made_up_fleet(FleetSettings(sensors=1, days=1)).reports("sim-0001")))
    assert isinstance(report, Report)
