"""The aiming picture: for the phone that opened it, for ten minutes, and then neither picture nor encoder is there."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from telstraat_contract.languages import gettext_noop
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.errors import AimOverError, NotOwnerError
from telstraat_device.setup.looking.look import Look, OpenCamera, TrackedShare
from telstraat_device.setup.looking.picture import PictureEncoder
from telstraat_device.setup.owner import Monotonic
from telstraat_device.setup.progress import AimedView

AIM_S = 600.0
TEST_S = 900.0
ELSEWHERE = gettext_noop("Another phone has the camera now. Open it here to have it on this phone.")
OVER = gettext_noop("The picture has ended: it is shown for ten minutes at most. Open it again when you need it.")


@dataclass(frozen=True, slots=True)
class AimPicture:
    """What the owner sees: a JPEG, and what is tracked in it."""

    jpeg: bytes
    boxes: tuple[TrackedShare, ...]
    left_s: float


@dataclass(slots=True)
class OpenLook:
    """A look that somebody has opened."""

    look: Look
    owner: str
    ends_s: float
    encoder: PictureEncoder | None


class CameraDesk:
    """Hands the camera to who aims or tests: one at a time, for a limited time; the counting service has it otherwise."""

    def __init__(
        self,
        open_camera: OpenCamera,
        *,
        before: Callable[[], None],
        after: Callable[[], None],
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self._open_camera = open_camera
        self._before, self._after = before, after
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._open: OpenLook | None = None

    def aim(self, owner: str, view: AimedView) -> None:
        """Open the picture for a phone; whoever had it open before has it no more."""
        self._begin(owner, view, AIM_S, PictureEncoder())

    def test(self, owner: str, view: AimedView) -> None:
        """Count without a picture, for a walk past the window."""
        self._begin(owner, view, TEST_S, None)

    def turn_to(self, owner: str, view: AimedView) -> None:
        """Change how an open look looks."""
        with self._lock:
            self._of(owner).look.turn_to(view)

    def picture(self, owner: str) -> AimPicture | None:
        """Return the picture of now, None when the camera has not given one yet; raise `AimOverError`."""
        with self._lock:
            opened = self._of(owner)
            encoder, left_s = opened.encoder, opened.ends_s - self._monotonic()
            luma, boxes = opened.look.picture()
        if encoder is None:
            raise AimOverError(OVER)
        return None if luma is None else AimPicture(encoder.encode(luma), boxes, left_s)

    def crossings(self, owner: str) -> tuple[int, list[Crossing]]:
        """Return how many crossings a test has seen, and the latest."""
        with self._lock:
            return self._of(owner).look.crossings()

    def trouble(self, owner: str) -> str:
        """Return what is wrong with the camera; empty when nothing is."""
        with self._lock:
            return self._of(owner).look.trouble

    @property
    def is_open(self) -> bool:
        """Whether somebody looks through the camera."""
        with self._lock:
            return self._open is not None

    def end(self) -> None:
        """End whatever look is open; the camera goes back."""
        with self._lock:
            opened, self._open = self._open, None
            if opened is not None:
                opened.encoder = None
                opened.look.end()
                self._after()

    def step(self) -> None:
        """End a look whose time is over; called every second."""
        with self._lock:
            if self._open is not None and self._open.ends_s <= self._monotonic():
                self.end()

    def _begin(self, owner: str, view: AimedView, for_s: float, encoder: PictureEncoder | None) -> None:
        with self._lock:
            opened, self._open = self._open, None
            if opened is not None:
                opened.encoder = None
                opened.look.end()
            else:
                self._before()
            look = Look(self._open_camera, view)
            self._open = OpenLook(look, owner, self._monotonic() + for_s, encoder)

    def _of(self, owner: str) -> OpenLook:
        self.step()
        if self._open is None:
            raise AimOverError(OVER)
        if self._open.owner != owner:
            raise NotOwnerError(ELSEWHERE)
        return self._open
