"""What a source of frames gives: luma planes with the time since the source began.

A frame lives for one iteration and is never written or sent.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the street, in memory only.

    Attributes
    ----------
    luma : uint8 (height, width), C-contiguous
        Brightness. The array may be reused by the source for its next frame: copy what must last.
    t_s : float
        Seconds since the source began, rising, on the clock of the capture.
    """

    luma: Luma
    t_s: float


class FrameSource(Protocol):
    """A camera, a file, a stream or a simulated street: anything that gives frames in order."""

    @property
    def name(self) -> str:
        """What a person calls it."""

    @property
    def width(self) -> int:
        """Width in pixels."""

    @property
    def height(self) -> int:
        """Height in pixels."""

    @property
    def fps(self) -> float:
        """Nominal frames per second."""

    @property
    def frames(self) -> int | None:
        """How many frames there will be; None when it does not end by itself."""

    @property
    def timed(self) -> bool:
        """Whether its frames carry true times: without them speeds cannot be told."""

    def __iter__(self) -> Iterator[Frame]:
        """Yield the frames, oldest first."""

    def close(self) -> None:
        """Release the camera or file; closing twice is harmless."""


class ClosingSource:
    """Base of our own sources: `with source:` closes it, and its frames carry true times where nothing else is said."""

    @property
    def timed(self) -> bool:
        """Whether its frames carry true times."""
        return True

    def close(self) -> None:
        """Release the camera or file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
