"""S7, and P4 for the device: secrets are files readable by the service only, and stand nowhere else.

A canary password: not in arguments, environment, logs, error messages, `repr`, the state folder, and not in what is said on
the wire but for the greeting; not even when the broker refuses it or the core breaks.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
from tests.device.wires import device_settings, server_of
from tests.harness.brokers import PASSWORD_OF, TestBroker
from tests.harness.processes import wait_until
from tests.promises.test_p1_p2_no_picture_is_stored_or_sent import toml_lines

CANARY = "canary-7d1f0c"
DEVICE = """
import logging, sys
from datetime import UTC, datetime
from pathlib import Path
from tests.device.toys import LINE, ToyCore, ToyStreet
from telstraat_device.quarters.clock import AnchoredClock
from telstraat_device.service import DeviceService, stopped_by_signals
from telstraat_device.settings import read_settings

def fail(number):
    if number == 100:
        raise ValueError(f"pixels {[17, 200, 3] * 50}")

logging.basicConfig(level=logging.DEBUG)
settings = read_settings(Path(sys.argv[1]))
print(repr(settings), flush=True)
service = DeviceService(settings, AnchoredClock(datetime(2026, 11, 20, 12, tzinfo=UTC)), line=LINE,
                        make_counter=lambda *_: ToyCore(on_frame=fail))
with stopped_by_signals(service):
    service.run(lambda: ToyStreet(frames=10**7, pause_s=0.001))
"""


def started(folder: Path, port: int, password: str) -> subprocess.Popen[str]:
    """Start a device whose password is the canary."""
    settings = device_settings(folder, "s7", port, send={"flush_s": 1, "health_s": 0.2})
    secret = Path(settings.sensor.password_file)
    secret.write_text(password)
    file = folder / "device.toml"
    file.write_text("\n".join(toml_lines(msgspec.to_builtins(settings))))
    return subprocess.Popen(
        [sys.executable, "-c", DEVICE, str(file)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def process_says(pid: int) -> str:
    """Return what everybody on the machine, or its owner, can read of a process."""
    return "".join(Path(f"/proc/{pid}/{name}").read_text(errors="replace") for name in ("cmdline", "environ", "status"))


def state_says(folder: Path) -> bytes:
    """Return every byte of the state folder."""
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_a_password_stands_in_its_file_and_nowhere_else(mosquitto: TestBroker, tmp_path: Path) -> None:
    with server_of(mosquitto, "s7") as server:
        password = PASSWORD_OF.format("s7")
        with started(tmp_path, mosquitto.port, password) as device:
            server.listen(lambda: len(server.reports) >= 2)
            seen = process_says(device.pid)
            device.send_signal(signal.SIGTERM)
            log = device.communicate(timeout=30)[0]
    assert "connected" in log
    assert "ValueError" in log
    assert "17, 200" not in log, "what an error quotes may be pixels"
    assert password not in log + seen + repr(server.heard)
    assert password.encode() not in state_says(tmp_path / "state")


def test_a_refused_password_is_told_without_saying_it(mosquitto: TestBroker, tmp_path: Path) -> None:
    mosquitto.let_in("s7")
    with started(tmp_path, mosquitto.port, CANARY) as device:
        wait_until((tmp_path / "state" / "outbox.sqlite").exists)
        for line in device.stdout or ():
            assert CANARY not in line
            if "no connection" in line:
                assert "Not authorized" in line
                break
        device.send_signal(signal.SIGTERM)
        log = device.communicate(timeout=30)[0]
    assert CANARY not in log
    assert CANARY.encode() not in state_says(tmp_path / "state")


def test_what_the_service_writes_is_its_own(tmp_path: Path) -> None:
    with started(tmp_path, 1, CANARY) as device:
        wait_until((tmp_path / "state" / "outbox.sqlite").exists)
        device.send_signal(signal.SIGTERM)
        device.communicate(timeout=30)
    files = [file for file in (tmp_path / "state").rglob("*") if file.is_file()]
    assert files
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0, "nobody else enters the folder"
    assert all(file.stat().st_uid == os.geteuid() for file in files)
