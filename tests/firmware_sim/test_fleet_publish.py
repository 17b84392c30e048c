"""A simulated fleet on the wire: the device's own outbox and publisher, a real broker, a real ingester, a real table."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from tests.harness.brokers import TestBroker, password_of
from tests.harness.moments import yesterday
from tests.ingest.sending import Ingest

from telstraat_contract.messages import decode, encode
from telstraat_contract.topics import Channel
from telstraat_demo.chaos.registration import register_fleet
from telstraat_demo.chaos.run import differences
from telstraat_demo.run.reconciliation import stored_reports
from telstraat_device.quarters.tally import report_of
from telstraat_firmware_sim.errors import FleetError
from telstraat_firmware_sim.fleet.fleet import Fleet, FleetSettings, made_up_fleet
from telstraat_firmware_sim.fleet.publish import FleetClock, FleetPublisher, FleetSensor, Wire, live_of, quarter_of

DAY = yesterday() - timedelta(days=2)
AT_ONCE = 1e9


def fleet(sensors: int = 3) -> Fleet:
    return made_up_fleet(
        FleetSettings(sensors=sensors, start=DAY.date(), days=1, kinds={"telstraat": 1, "v1": 1, "s2": 1})
    )


def clock(hours: float = 6.0, speed: float = AT_ONCE) -> FleetClock:
    return FleetClock(DAY, DAY + timedelta(hours=hours), speed, time.time() - 1)


def wire(folder: Path, names: tuple[str, ...], port: int = 1) -> Wire:
    passwords = folder / "passwords"
    passwords.mkdir(exist_ok=True)
    for name in names:
        (passwords / name).touch(mode=0o600)
        (passwords / name).write_text(password_of(name))
    return Wire(host="127.0.0.1", port=port, passwords=passwords, state=folder / "state", resend_s=1.0)


def test_a_quarter_in_the_outbox_gives_the_report_that_the_fleet_says() -> None:
    here = fleet()
    for name in here.names:
        for report in here.reports(name):
            assert report_of(quarter_of(report), name, report.epoch, report.seq) == report


def test_every_report_of_a_fleet_reaches_the_table_once(tmp_path: Path, database: str, mosquitto: TestBroker) -> None:
    here = fleet()
    register_fleet(database, here, tmp_path / "access", tmp_path / "unused")
    mosquitto.let_in(*here.names)
    with Ingest(database, mosquitto):
        reports = {name: list(here.reports(name)) for name in here.names}
        sending = FleetPublisher(reports, wire(tmp_path, here.names, mosquitto.port), clock())
        sending.start()
        assert sending.join()
    for name in here.names:
        assert differences(reports[name][:24], stored_reports(database, name)) == []
    with psycopg.connect(database) as connection:
        streets = connection.execute(
            "select s.name, g.name from sensor s join installation using (sensor_id) join segment g using (segment_id) order by 1"
        ).fetchall()
    assert streets == [(name, f"{here.sensor(name).demand.street.name}, {here.towns[0].name}") for name in here.names]


def test_without_a_broker_the_reports_wait_and_a_second_start_goes_on(tmp_path: Path) -> None:
    here = fleet(1)
    reports = {"sim-0001": list(here.reports("sim-0001"))}
    for hours in (2.0, 5.0):
        sending = FleetPublisher(reports, wire(tmp_path, here.names), clock(hours))
        sending.start()
        while sending.progress().closed < hours * 4:
            time.sleep(0.02)
        sending.stop()
        assert not sending.join()
    settings = wire(tmp_path, here.names).settings("sim-0001")
    sensor = FleetSensor(reports["sim-0001"], settings, clock(5.0))
    waiting = sensor.outbox.waiting(100)
    sensor.close()
    assert [row.seq for row in waiting] == list(range(1, 21))
    assert len({row.start_s for row in waiting}) == 20


def test_a_fleets_clock_runs_faster_and_stops_at_its_end() -> None:
    passed_s = FleetClock(DAY, DAY + timedelta(days=1), 900.0, time.time() - 4).now_s() - DAY.timestamp()
    assert 4 * 900 <= passed_s < 60 * 900
    assert clock(1.0).over
    assert clock(1.0).now_s() == DAY.timestamp() + 3600
    assert FleetClock(DAY, DAY + timedelta(days=1), 900.0, time.time() + 1000).now_s() == DAY.timestamp()


def test_a_sensor_without_a_password_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(FleetError, match="no password for sensor 'sim-0001'"):
        FleetPublisher({"sim-0001": []}, Wire(host="127.0.0.1", port=1, passwords=tmp_path, state=tmp_path), clock())
    assert threading.active_count() < 50


def test_registering_a_fleet_twice_adds_nothing_and_keeps_its_passwords(tmp_path: Path, database: str) -> None:
    here = fleet(2)
    assert register_fleet(database, here, tmp_path / "access", tmp_path / "passwords") == 2
    before = (tmp_path / "passwords" / "sim-0001").read_text()
    assert register_fleet(database, here, tmp_path / "access", tmp_path / "passwords") == 0
    assert (tmp_path / "passwords" / "sim-0001").read_text() == before
    assert (tmp_path / "passwords" / "sim-0001").stat().st_mode & 0o077 == 0
    assert before.strip() != (tmp_path / "passwords" / "sim-0002").read_text().strip()
    assert "sim-0002:" in (tmp_path / "access" / "passwords").read_text()


def test_the_open_quarter_grows_second_by_second_to_what_its_report_says() -> None:
    report = max(fleet(1).reports("sim-0001"), key=lambda each: each.counts.car.lft)
    course = [live_of(report, elapsed_s) for elapsed_s in range(0, 901, 60)]
    cars = [live.counts.car.lft for live in course]
    assert cars == sorted(cars)
    assert 0 == cars[0] < cars[7] < cars[-1] == report.counts.car.lft
    assert course[-1].counts == report.counts
    assert course[-1].observed_s == report.observed_s
    assert decode(Channel.LIVE, encode(course[7])) == course[7]


def test_somebody_who_looks_sees_the_open_quarter_of_a_simulated_sensor(tmp_path: Path) -> None:
    reports = list(fleet(1).reports("sim-0001"))
    moment = FleetClock(
        DAY, DAY + timedelta(minutes=100), AT_ONCE, time.time() - 1
    )  # in the middle of the seventh quarter
    sensor = FleetSensor(reports, wire(tmp_path, ("sim-0001",)).settings("sim-0001"), moment)
    live = sensor.live()
    sensor.close()
    assert live
    assert live.period_start == DAY + timedelta(minutes=90)
    assert live.at == DAY + timedelta(minutes=100)
