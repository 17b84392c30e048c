"""What light, wind and sensor do at a moment: the gain of the picture, the camera's shaking, the table of noise."""

from __future__ import annotations

from functools import lru_cache
from math import sin, tau

import numpy as np
from numpy.typing import NDArray

from telstraat_firmware_sim.rendering.backdrop import MARGIN_PX
from telstraat_firmware_sim.street.settings import StreetSettings

NOISE_ROOM = 64
GAIN_LIMITS = (0.2, 3.0)
SHAKE_MAX_PX = MARGIN_PX - 1.5


def shake_px(settings: StreetSettings, t_s: float) -> tuple[float, float]:
    """Give how far the picture is shifted at a moment: several swings at once, in gusts."""
    size = settings.lens.shake_px * settings.width / 640
    if size == 0:
        return 0.0, 0.0
    gust = 0.6 + 0.4 * sin(0.7 * t_s + settings.seed)
    x = sin(tau * 3.1 * t_s + 1.3) + 0.6 * sin(tau * 7.3 * t_s) + 0.5 * sin(tau * 0.9 * t_s)
    y = sin(tau * 2.3 * t_s + 0.4) + 0.6 * sin(tau * 6.1 * t_s + 2.0) + 0.4 * sin(tau * 0.7 * t_s)
    return _within(size * gust * x / 1.5), _within(size * gust * y / 1.5)


def _within(shift_px: float) -> float:
    return max(-SHAKE_MAX_PX, min(SHAKE_MAX_PX, shift_px))


def gain_at(settings: StreetSettings, t_s: float) -> float:
    """Give the exposure at a moment: its level, slow drift, and sudden steps between levels that hold for a while."""
    light, seed = settings.light, settings.seed
    wave = sin(tau * t_s / light.drift_s + seed) + 0.4 * sin(tau * 2.7 * t_s / light.drift_s)
    gain = light.level * (1.0 + light.drift * wave / 1.4)
    if light.steps > 0:
        hold = int(t_s // light.step_s)
        change_s = (hold + 0.2 + 0.6 * _dice(seed, hold)) * light.step_s
        level = hold if t_s >= change_s else hold - 1
        gain *= 1.0 + light.steps * (2 * _dice(seed + 101, level) - 1)
    return max(GAIN_LIMITS[0], min(GAIN_LIMITS[1], gain))


@lru_cache(maxsize=64)
def _dice(seed: int, number: int) -> float:
    return float(np.random.default_rng([seed & 0xFFFFFFFF, number & 0xFFFFFFFF]).random())


def noise_table(settings: StreetSettings) -> NDArray[np.int8]:
    """Make int8 noise with a standard deviation of 32, larger than the picture; some of it in blocks."""
    rng = np.random.default_rng([settings.seed, 2])
    shape = (settings.height + NOISE_ROOM, settings.width + 2 * NOISE_ROOM)
    white = rng.standard_normal(shape, dtype=np.float32)
    share = settings.lens.compression
    if share > 0:
        blocks = rng.standard_normal((shape[0] // 4 + 1, shape[1] // 4 + 1), dtype=np.float32)
        coarse = np.kron(blocks, np.ones((4, 4), dtype=np.float32))[: shape[0], : shape[1]]
        white = (1 - share) * white + share * coarse
        white /= white.std()
    return np.clip(np.round(white * 32), -127, 127).astype(np.int8)
