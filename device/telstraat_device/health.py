"""How the device is: what goes into the health message, and what is an alarm."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from telstraat_contract.messages import MAX_RANGES, Health, encode
from telstraat_device.delivery.outbox import Outbox, ReportStream

THERMAL = Path("/sys/class/thermal/thermal_zone0/temp")
HOT_C = 80.0  # a Pi slows itself down from here on
DISK_LOW_MB = 100
ALARMS_MAX = 12  # with as many ranges as fit, a message of these still fits
ALARM_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Condition:
    """What the service knows of itself."""

    at_s: float
    clock_trusted: bool
    config: int
    fps: float | None
    dropped_frames: int
    restarts: int
    alarms: tuple[str, ...] = ()
    refused: int = 0
    refused_why: str = ""


def health_messages(sensor: str, outbox: Outbox, condition: Condition) -> list[Health]:
    """Return the health message of the current stream, after one for each older stream that has losses to announce."""
    *older, current = outbox.streams()
    waiting = outbox.waiting_count()
    temperature_c, disk_free_mb = temperature(), free_mb(outbox.folder)
    alarms = fit_into_message([*condition.alarms, *outbox.alarms, *board_alarms(temperature_c, disk_free_mb)])

    def of(stream: ReportStream) -> Health:
        return Health(
            sensor=sensor,
            at=datetime.fromtimestamp(condition.at_s, UTC),
            epoch=stream.epoch,
            last_seq=stream.announced_seq,
            lost=stream.lost[:MAX_RANGES],
            waiting=waiting,
            version=version("telstraat"),
            config=condition.config,
            refused=condition.refused,
            refused_why=condition.refused_why,
            clock_trusted=condition.clock_trusted,
            fps=None if condition.fps is None else round(condition.fps, 2),
            dropped_frames=condition.dropped_frames,
            temperature_c=temperature_c,
            disk_free_mb=disk_free_mb,
            restarts=condition.restarts,
            alarms=alarms,
        )

    return [of(stream) for stream in [*(s for s in older if s.lost), current]]


def leave_health(file: Path, messages: Iterable[Health]) -> None:
    """Leave the newest health where the local status page reads it, whole or not at all; no page is worth an error."""
    draft = file.with_name(f"{file.name}.new")
    for health in list(messages)[-1:]:
        with contextlib.suppress(OSError):
            draft.write_bytes(encode(health))
            draft.replace(file)


def temperature() -> float | None:
    """Return the temperature of the processor, None where the machine has no sensor."""
    try:
        return int(THERMAL.read_text(encoding="ascii")) / 1000
    except (OSError, ValueError):
        return None


def free_mb(folder: Path) -> int | None:
    """Return the room left on the state folder's disk."""
    try:
        return int(shutil.disk_usage(folder).free // 1_000_000)
    except OSError:
        return None


def board_alarms(temperature_c: float | None, disk_free_mb: int | None) -> list[str]:
    """Return the alarms of the board itself: heat, and a disk that runs full."""
    alarms = []
    if temperature_c is not None and temperature_c >= HOT_C:
        alarms.append(f"the processor is at {temperature_c:.0f} °C and slows down: give it air, or shade")
    if disk_free_mb is not None and disk_free_mb < DISK_LOW_MB:
        alarms.append(f"only {disk_free_mb} MB are free on the disk: make room")
    return alarms


def fit_into_message(alarms: Iterable[str]) -> tuple[str, ...]:
    """Return the alarms without doubles, cut to what a message holds."""
    return tuple(dict.fromkeys(text[:ALARM_LENGTH_MAX] for text in alarms if text))[:ALARMS_MAX]
