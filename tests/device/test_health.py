"""Health: what is wrong is said, in a message that always fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.device.toys import NOON_S

from telstraat_contract.messages import MAX_PAYLOAD_BYTES, decode, encode
from telstraat_contract.topics import Channel
from telstraat_device import health
from telstraat_device.delivery.outbox import Outbox
from telstraat_device.health import Condition, board_alarms, fit_into_message, health_messages
from telstraat_device.quarters.periods import SavedState
from telstraat_device.quarters.tally import Quarter

CONDITION = Condition(
    at_s=NOON_S + 60.0, clock_trusted=True, config=3, fps=24.987, dropped_frames=4, restarts=1, alarms=("no receipt",)
)


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    outbox = Outbox(tmp_path, "elm-1")
    outbox.begin()
    return outbox


def test_a_healthy_sensor_tells_its_stream_and_its_pace(outbox: Outbox) -> None:
    outbox.save(SavedState(), [Quarter(NOON_S)])
    (message,) = health_messages("elm-1", outbox, CONDITION)
    assert (message.last_seq, message.waiting, message.config, message.fps) == (1, 1, 3, 24.99)
    assert message.alarms == ("no receipt",)
    assert message.disk_free_mb is not None
    assert decode(Channel.HEALTH, encode(message)) == message
    outbox.close()


def test_losses_of_an_older_stream_are_announced_before_the_current_one(outbox: Outbox) -> None:
    outbox.save(SavedState(generation=1), [Quarter(NOON_S), Quarter(NOON_S, generation=1)])
    old, new = outbox.streams()
    outbox._db.execute("insert into lost (epoch, first, last) values (?, 1, 1)", (old.epoch,))
    first, then = health_messages("elm-1", outbox, CONDITION)
    assert (first.epoch, first.lost, first.last_seq) == (old.epoch, ((1, 1),), 1)
    assert (then.epoch, then.lost) == (new.epoch, ())
    outbox.close()


def test_the_longest_health_still_fits_into_a_message(outbox: Outbox) -> None:
    outbox.save(SavedState(), [Quarter(NOON_S)])
    epoch = outbox.current().epoch
    outbox._db.executemany(
        "insert into lost (epoch, first, last) values (?, ?, ?)",
        [(epoch, 2**31 - 3 * k, 2**31 - 3 * k) for k in range(1, 400)],
    )
    condition = Condition(
        at_s=NOON_S, clock_trusted=True, config=0, fps=None, dropped_frames=0, restarts=0, alarms=tuple("é" * 900 + str(n) for n in range(40))
    )  # fmt: skip
    (message,) = health_messages("elm-1", outbox, condition)
    assert len(encode(message)) <= MAX_PAYLOAD_BYTES
    assert decode(Channel.HEALTH, encode(message)) == message
    outbox.close()


def test_the_same_alarm_is_told_once_and_silence_is_none() -> None:
    assert fit_into_message(["hot", "", "hot", "full"]) == ("hot", "full")


def test_a_hot_board_and_a_full_disk_are_alarms() -> None:
    assert board_alarms(None, None) == []
    assert board_alarms(60.0, 5_000) == []
    hot, full = board_alarms(81.2, 12)
    assert "81 °C" in hot
    assert "12 MB" in full


def test_a_machine_without_a_thermometer_tells_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(health, "THERMAL", tmp_path / "none")
    assert health.temperature() is None
    (tmp_path / "temp").write_text("48312\n")
    monkeypatch.setattr(health, "THERMAL", tmp_path / "temp")
    assert health.temperature() == pytest.approx(48.312)
    assert health.free_mb(tmp_path / "nowhere") is None
