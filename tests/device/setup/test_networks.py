"""How the sensor gets into a network, and when it opens one of its own: rules on a clock, and a real NetworkManager."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.device.setup.sensors import SmallNetwork, TestClock

from telstraat_device.errors import NetworkError
from telstraat_device.setup.network.reachable import FIRST_WAIT_S, LATER_WAIT_S, OWN_S, Reachable
from telstraat_device.setup.network.wifi import NetworkManager, cells_of, checked_wifi

ROOT = Path(__file__).resolve().parents[3]
WITHIN = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run && mkdir -p /run/dbus /run/NetworkManager
mount -t tmpfs tmpfs /etc/NetworkManager/system-connections
ip link set lo up
dbus-daemon --system --fork --print-pid=3 3>/run/dbus.pid
NetworkManager --no-daemon >/dev/null 2>&1 &
manager=$!
for try in $(seq 100); do nmcli general status >/dev/null 2>&1 && break; sleep 0.1; done
strace -f -qq -s 200 -e trace=execve -o "$TRACE" "$PYTHON" -c "$CODE" || status=$?
cat /etc/NetworkManager/system-connections/* || true
kill $manager $(cat /run/dbus.pid)
exit ${status:-0}
"""
CODE = """
from telstraat_device.errors import NetworkError
from telstraat_device.setup.network.wifi import JOINED, NetworkManager
manager = NetworkManager()
print("reach", manager.reach(), manager.visible())
manager._ask("connection", "add", "type", "wifi", "con-name", JOINED, "ifname", "*", "ssid", "My: net\\\\work", "autoconnect", "no")
manager._give_key(JOINED, r"a: key\\ of \\"signs\\"")
try:
    manager.join("Nowhere", "another key")
except NetworkError as error:
    print("refused", error)
manager._ask("connection", "add", "type", "wifi", "con-name", "kept", "ifname", "*", "ssid", "My: net\\\\work", "autoconnect", "no")
manager._give_key("kept", r"a: key\\ of \\"signs\\"")
"""


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


def reachable(network: SmallNetwork, clock: TestClock, *, is_set_up: bool = False) -> Reachable:
    return Reachable(network, "Telstraat-elm", "AAAA-BBBB-CCCC", lambda: is_set_up, clock)


def test_a_sensor_that_reaches_nothing_opens_its_own_network_after_a_while(clock: TestClock) -> None:
    network = SmallNetwork("none")
    keeper = reachable(network, clock)
    keeper.step()
    clock.now_s += FIRST_WAIT_S
    keeper.step()
    assert network.own is None, "a router may be slow"
    clock.now_s += 1
    keeper.step()
    assert network.own == ("Telstraat-elm", "AAAA-BBBB-CCCC")


def test_a_sensor_that_counts_waits_longer_for_its_router(clock: TestClock) -> None:
    network = SmallNetwork("none")
    keeper = reachable(network, clock, is_set_up=True)
    keeper.step()
    clock.now_s += LATER_WAIT_S
    keeper.step()
    assert network.own is None
    clock.now_s += 1
    keeper.step()
    assert network.own is not None


def test_an_own_network_that_nobody_uses_is_closed_so_that_the_known_ones_are_tried(clock: TestClock) -> None:
    network = SmallNetwork("own")
    keeper = reachable(network, clock)
    for _ in range(3):
        clock.now_s += OWN_S - 1
        keeper.used()
        keeper.step()
    assert network.reach() == "own", "somebody uses it"
    clock.now_s += OWN_S + 1
    keeper.step()
    assert network.reach() == "none"


def test_a_key_that_does_not_fit_opens_the_own_network_again_and_the_page_says_why(clock: TestClock) -> None:
    network = SmallNetwork("own")
    keeper = reachable(network, clock)
    keeper.join("Villa", "wrong key")
    assert network.reach() == "own"
    assert keeper.trouble is not None
    keeper.join("Villa", "right key")
    assert network.reach() == "internet"
    assert keeper.trouble is None


@pytest.mark.parametrize(("ssid", "key"), [("", "12345678"), ("x" * 33, "12345678"), ("ü" * 17, ""), ("a\nb", ""), ("a", "short"), ("a", "new\nline1"), ("a", "x" * 65)])  # fmt: skip
def test_what_no_network_is_called_is_refused_before_anything_runs(ssid: str, key: str) -> None:
    with pytest.raises(NetworkError):
        checked_wifi(ssid, key)


def test_lines_of_nmcli_are_read_with_colons_and_backslashes_in_names() -> None:
    assert cells_of(r"*:My\: net\\work:80:WPA2") == ["*", r"My: net\work", "80", "WPA2"]
    assert cells_of("::0:") == ["", "", "0", ""]


def test_without_networkmanager_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    manager = NetworkManager()
    assert manager.reach() == "local"
    with pytest.raises(NetworkError, match="NetworkManager"):
        manager.visible()


def test_a_real_networkmanager_takes_a_key_that_never_stands_in_an_argument(tmp_path: Path) -> None:
    if not all(map(shutil.which, ("NetworkManager", "nmcli", "dbus-daemon", "strace"))) or os.geteuid():
        pytest.skip("NETWORKMANAGER, DBUS OR STRACE IS NOT INSTALLED, OR NOT ROOT: no real network is asked")
    trace = tmp_path / "trace"
    environment = {
        **os.environ,
        "TRACE": str(trace),
        "PYTHON": shutil.which("python3", path=str(ROOT / ".venv/bin")) or "python3",
        "CODE": CODE,
    }
    done = subprocess.run(
        ["unshare", "--net", "--mount", "bash", "-c", WITHIN],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    if "unshare failed" in done.stderr:
        pytest.skip("NO NAMESPACES HERE: no real NetworkManager is asked")
    assert done.returncode == 0, done.stderr
    assert "reach none []" in done.stdout, done.stdout
    assert "refused The network “Nowhere”" in done.stdout
    assert "ssid=Nowhere" not in done.stdout, "a profile that did not work is not left behind"
    assert r"ssid=My: net\\work" in done.stdout
    assert r'psk=a: key\\ of \\"signs\\"' in done.stdout
    arguments = trace.read_text()
    assert "connection" in arguments
    assert "another key" not in arguments
    assert "a: key" not in arguments
