"""Signs of life for systemd."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from telstraat_device.errors import CameraError
from telstraat_device.troubles import REMEMBERED_S, Troubles
from telstraat_device.watchdog import Watchdog


def test_systemd_hears_that_the_service_is_ready_and_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        monkeypatch.delenv("WATCHDOG_USEC", raising=False)
        watchdog = Watchdog()
        watchdog.ready()
        watchdog.feed()
        watchdog.feed()  # too soon: not a second one
        assert [systemd.recv(100) for _ in range(2)] == [b"READY=1", b"WATCHDOG=1"]
        systemd.setblocking(False)
        with pytest.raises(BlockingIOError):
            systemd.recv(100)


def test_the_first_frame_may_take_as_long_as_numba_compiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(address))
        systemd.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        monkeypatch.setenv("WATCHDOG_USEC", "120000000")
        watchdog = Watchdog()
        watchdog.ready()
        watchdog.counted()
        watchdog.counted()
        words = [systemd.recv(100) for _ in range(3)]
    assert words == [b"READY=1\nWATCHDOG_USEC=1800000000", b"WATCHDOG_USEC=120000000", b"WATCHDOG=1"]


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    Watchdog().feed()
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    Watchdog().feed()


def test_an_alarm_ends_when_the_trouble_does() -> None:
    troubles = Troubles()
    assert troubles.add(CameraError("camera 0 gives no picture"), 0.0)
    troubles.camera_is_away(CameraError("camera 0 gives no picture"), 1_795_262_400)
    assert not troubles.add(CameraError("camera 0 gives no picture"), 5.0)
    troubles.camera_is_away(CameraError("camera 0 gives no picture"), 1_795_262_405)
    assert troubles.alarms(6.0) == ["no pictures since 2026-11-21 12:00 UTC, tried 2 times: camera 0 gives no picture"]
    troubles.camera_is_back()
    assert troubles.alarms(7.0) == ["2 errors, the last: camera 0 gives no picture"]
    assert troubles.alarms(6.0 + REMEMBERED_S) == []
    troubles.add(ValueError("quotes a picture"), 7.0 + REMEMBERED_S)
    assert troubles.alarms(8.0 + REMEMBERED_S) == ["1 errors, the last: ValueError"]
