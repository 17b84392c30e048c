"""S8: the counting service listens on nothing, and its units give it no more than it needs.

In a network namespace of its own the service runs against a broker that is away, as it does on most bad days; `ss` is
asked about it all the while. systemd itself says how exposed the units are.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.harness.processes import wait_until
from tests.promises.test_s7_secrets_are_files_of_the_service_only import DEVICE

UNITS = Path(__file__).parents[2] / "deploy"
EXPOSURE = {"telstraat-device.service": 1.5, "telstraat-setup.service": 1.7}
"""Out of 10, by `systemd-analyze security` of systemd 252; what is left is the camera, the network and the user's group."""


@pytest.mark.parametrize("name", EXPOSURE)
def test_systemd_finds_a_unit_no_more_exposed_than_recorded(name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / name)]
    done = subprocess.run(words, capture_output=True, text=True)
    level = re.search(r"Overall exposure level for \S+: ([0-9.]+)", done.stdout)
    assert level, done.stderr
    assert float(level[1]) <= EXPOSURE[name]


@pytest.mark.parametrize("name", EXPOSURE)
def test_a_unit_takes_away_what_it_does_not_need(name: str) -> None:
    lines = set((UNITS / name).read_text().splitlines())
    assert {
        "User=telstraat",
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "DevicePolicy=closed",
        "LimitCORE=0",
    } <= lines
    ports = {line for line in lines if line.startswith(("CapabilityBoundingSet", "AmbientCapabilities"))}
    needed = "" if name == "telstraat-device.service" else "CAP_NET_BIND_SERVICE"
    assert ports == {f"CapabilityBoundingSet={needed}", f"AmbientCapabilities={needed}"}


def test_the_counting_service_listens_on_nothing(tmp_path: Path) -> None:
    if any(shutil.which(tool) is None for tool in ("unshare", "ss", "ip")):
        pytest.skip("unshare, ss and ip are not all installed")
    apart = ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a network namespace")
    (tmp_path / "password").write_text("secret-of-a-test")
    (tmp_path / "password").chmod(0o600)
    file = tmp_path / "device.toml"
    file.write_text(
        f'[sensor]\nname = "s8"\npassword_file = "{tmp_path}/password"\n[broker]\nhost = "127.0.0.1"\nport = 1\n'
        f'[storage]\nfolder = "{tmp_path}/state"\n[send]\nflush_s = 1\n'
    )
    log = (tmp_path / "log").open("w")
    command = [*apart, "sh", "-c", 'ip link set lo up; exec "$@"', "sh", sys.executable, "-c", DEVICE, str(file)]
    with log, subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as device:
        try:
            wait_until(lambda: "no connection" in (tmp_path / "log").read_text())
            inside = ["nsenter", "--user", "--preserve-credentials", "--net", "--target", str(device.pid)]
            listeners = []
            for _ in range(5):
                time.sleep(0.2)
                listeners.append(listening(inside))
            control = subprocess.Popen(
                [*inside, sys.executable, "-c", "import socket; s=socket.create_server(('127.0.0.1', 4)); input()"],
                stdin=subprocess.PIPE,
            )
            with control:
                wait_until(lambda: ":4 " in listening(inside))
                control.communicate(b"\n")
        finally:
            device.send_signal(signal.SIGTERM)
            device.wait(30)
    assert not any(listeners), listeners


def listening(inside: list[str]) -> str:
    """Return who waits to be called in the namespace."""
    return subprocess.run([*inside, "ss", "-Htuln"], capture_output=True, text=True, check=True).stdout
