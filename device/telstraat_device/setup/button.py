"""A long press on a button of the board: held for ten seconds, the device forgets its owner, its town and its counts."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Protocol

from telstraat_device.setup.owner import Monotonic

HOLD_S = 10.0
log = logging.getLogger(__name__)


class PressedButton(Protocol):
    """A button that can be asked."""

    @property
    def is_pressed(self) -> bool:
        """Whether it is down now."""


def gpio_button(pin: int) -> PressedButton | None:
    """Return the button at a pin, None where the board or its library has none."""
    try:
        from gpiozero import Button
        from gpiozero.exc import GPIOZeroError
    except ImportError:
        log.warning("a button needs gpiozero, which is not installed: sudo apt install python3-gpiozero")
        return None
    try:
        button: PressedButton = Button(pin, pull_up=True, bounce_time=0.05)
    except (GPIOZeroError, OSError, RuntimeError) as error:
        log.warning("there is no button at GPIO %d: %s", pin, error)
        return None
    return button


class LongPress:
    """Tells a long press, once each; one that began before the service did counts from its start."""

    def __init__(
        self, button: PressedButton, action: Callable[[], None], monotonic: Monotonic = time.monotonic
    ) -> None:
        self._button, self._action, self._monotonic = button, action, monotonic
        self._since_s: float | None = None
        self._is_done = False

    def step(self) -> None:
        """Look at the button; called several times a second."""
        if not self._button.is_pressed:
            self._since_s, self._is_done = None, False
            return
        now_s = self._monotonic()
        if self._since_s is None:
            self._since_s = now_s
        elif now_s - self._since_s >= HOLD_S and not self._is_done:
            self._is_done = True
            self._action()
