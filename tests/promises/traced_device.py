"""A real device before a simulated street, to be traced: `python -m tests.promises.traced_device SETTINGS FRAMES PLANT`.

PLANT says which betrayal is built in, so that the test of the promise can be seen to turn red: `none`, `dump` (a frame
into the state folder), `pieces` (frames in small pieces), `thumbnail` (one small picture), `elsewhere` (a file outside), `sent` (a
frame to the broker's port).
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from telstraat_contract.messages import Flag
from telstraat_device.cameras.frames import ClosingSource, Frame
from telstraat_device.quarters.clock import AnchoredClock
from telstraat_device.service import run
from telstraat_device.settings import Settings, read_settings
from telstraat_firmware_sim.street.settings import StreetSettings
from telstraat_firmware_sim.street.street import SimulatedStreet

WIDTH, HEIGHT = 320, 240
PIECE_BYTES = 2_000


class TracedStreet(ClosingSource):
    """A simulated street, and whatever betrayal was planted."""

    def __init__(self, settings: Settings, frames: int, plant: str) -> None:
        fps = 8.0
        self.street = SimulatedStreet(
            StreetSettings(seed=3, width=WIDTH, height=HEIGHT, fps=fps, duration_s=frames / fps)
        )
        self.name, self.width, self.height, self.fps, self.frames = "traced", WIDTH, HEIGHT, fps, frames
        self._folder = Path(settings.storage.folder)
        self._broker = (settings.broker.host, settings.broker.port or 1883)
        self._plant = plant

    def __iter__(self) -> Iterator[Frame]:
        for number, frame in enumerate(self.street):
            if self._plant != "none" and number % 20 == 10:
                self._betray(frame.luma.tobytes())
            yield frame

    def _betray(self, picture: bytes) -> None:
        if self._plant == "sent":
            with socket.create_connection(self._broker) as connection:
                connection.sendall(picture)
            return
        file = self._folder / "frame" if self._plant != "elsewhere" else self._folder.parent / "elsewhere"
        picture = picture[::64] if self._plant == "thumbnail" else picture
        step = PIECE_BYTES if self._plant == "pieces" else len(picture)
        with file.open("wb", buffering=0) as out:
            for start in range(0, len(picture), step):
                out.write(picture[start : start + step])


def main(settings_file: str, frames: str, plant: str) -> int:
    """Count the street to its end."""
    settings = read_settings(Path(settings_file))
    street = TracedStreet(settings, int(frames), plant)
    clock = AnchoredClock(datetime(2026, 11, 20, 12, 0, tzinfo=UTC))
    return run(lambda: street, settings, clock, line=street.street.line, extra_flags=Flag.SIMULATED)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
