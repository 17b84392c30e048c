"""What really crossed: exact crossings of the simulated street, and the file they are written to.

One line of the file is one JSON object; lines are appended in order of time and never changed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from telstraat_device.counting.crossings.crossing import ClassName, Direction
from telstraat_firmware_sim.errors import TruthError


class TrueCrossing(msgspec.Struct, frozen=True):
    """One object whose middle was on the counting line.

    `t_s` is street time in seconds; `t0_s` to `t1_s` is the whole time the object lies on the line; `kind` is finer
    than the class (`panel-van`, `bus`, `jogger` ...); `object_id` ties the crossing to the object's masks; `at_utc` is there
    when the street has a place in real time.
    """

    t_s: float
    class_name: ClassName
    direction: Direction
    speed_kmh: float
    kind: str
    object_id: int
    t0_s: float
    t1_s: float
    at_utc: datetime | None = None


def read_truth(path: Path) -> list[TrueCrossing]:
    """Read a file of truth; a last line that a crash cut short is left out."""
    crossings: list[TrueCrossing] = []
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        if not line:
            continue
        try:
            crossings.append(msgspec.json.decode(line, type=TrueCrossing))
        except msgspec.MsgspecError as error:
            if number == len(lines):
                break
            raise TruthError(f"{path}, line {number}: not a true crossing ({error})") from error
    return crossings


class TruthWriter:
    """Appends crossings to a JSONL file; opened again after a crash, it goes on without doubling any."""

    def __init__(self, path: Path, street_zero_utc: datetime | None = None) -> None:
        self._zero_utc = street_zero_utc
        earlier = read_truth(path) if path.exists() else []
        text = b"".join(msgspec.json.encode(crossing) + b"\n" for crossing in earlier)
        if path.exists() and path.read_bytes() != text:
            path.write_bytes(text)  # the cut line at the end
        self._written = {crossing.object_id for crossing in earlier}
        self._file = path.open("ab")

    def write(self, crossings: list[TrueCrossing]) -> None:
        """Append those that are not in the file yet, and flush."""
        fresh = [crossing for crossing in crossings if crossing.object_id not in self._written]
        if not fresh:
            return
        self._file.write(b"".join(msgspec.json.encode(self._dated(crossing)) + b"\n" for crossing in fresh))
        self._file.flush()
        self._written.update(crossing.object_id for crossing in fresh)

    def _dated(self, crossing: TrueCrossing) -> TrueCrossing:
        if self._zero_utc is None:
            return crossing
        at_utc = self._zero_utc + timedelta(seconds=crossing.t_s)
        return msgspec.structs.replace(crossing, at_utc=at_utc)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
