r"""Says what crossed, and how fast, from the size and the way of its box, while learning the scale of the street.

Nothing is trained. What streets have in common is known: a car is 4.4 m long and 1.8 m wide, a person walks at 1.3 m/s.
What this street has of its own is not: pixels per metre at the line, how steeply the camera looks down, and which classes
come here. Those are kept as a probability over a grid, and every crossing sharpens it:

      camera                 a box L x B x T (long, broad, tall) that heads into direction (hx, hy) on the ground shows as
        \ θ
    ─────\────── ground      width  = s (L |hx| + B |hy|)
          \                  height = s ((L |hy| + B |hx|) sin θ + T cos θ)

s is the scale (pixels per metre) where the object is; further up in the picture it is smaller.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from telstraat_device.crossings import CLASSES, ClassName

Grid = NDArray[np.float64]

SCALES = 28
SCALE_MIN, SCALE_MAX = 4.0, 90.0  # pixels per metre in a picture 320 wide: 80 m to 3.5 m of street
SCALE_USUAL, SCALE_SPREAD = 20.0, 0.55  # a view from a window shows 10 to 30 m
ANGLES_DEG = (8.0, 15.0, 24.0, 35.0, 50.0, 70.0)
ANGLE_WEIGHTS = (0.12, 0.22, 0.26, 0.22, 0.12, 0.06)
FOCAL = 0.95  # focal length over width: 55 degrees across, a usual lens
MEMORY = 0.985  # the street's knowledge fades, so that a moved camera is learnt again
OUTLIER = 1e-3
MIX_PRIOR = 6.0  # crossings that the usual mix is worth


@dataclass(frozen=True, slots=True)
class Body:
    """One kind of thing on the street: metres, metres a second, and how much they vary (natural logarithm).

    `fill` is the share of its box that it fills, `wobble` how much its width changes from frame to frame over its mean.
    """

    class_name: ClassName
    share: float
    long_m: float
    broad_m: float
    tall_m: float
    size_spread: float
    speed_ms: float
    speed_spread: float
    fill: float
    fill_spread: float
    wobble: float


BODIES = (
    Body("pedestrian", 0.30, 0.60, 0.55, 1.70, 0.22, 1.3, 0.35, 0.45, 0.28, 0.13),
    Body("bicycle", 0.10, 1.75, 0.65, 1.70, 0.20, 4.2, 0.40, 0.37, 0.28, 0.09),
    Body("motorcycle", 0.06, 2.00, 0.80, 1.60, 0.20, 10.0, 0.55, 0.48, 0.35, 0.055),
    Body("car", 0.34, 4.30, 1.80, 1.48, 0.16, 11.0, 0.70, 0.66, 0.22, 0.035),
    Body("car", 0.12, 5.00, 1.95, 1.85, 0.16, 11.0, 0.70, 0.66, 0.22, 0.035),
    Body("heavy", 0.03, 6.00, 2.20, 2.60, 0.18, 10.0, 0.65, 0.66, 0.22, 0.030),
    Body("heavy", 0.03, 9.50, 2.50, 3.20, 0.22, 10.0, 0.65, 0.66, 0.22, 0.030),
    Body("heavy", 0.02, 15.0, 2.55, 3.60, 0.25, 10.0, 0.65, 0.66, 0.22, 0.030),
)
WOBBLE_SPREAD, WOBBLE_MIN = 0.7, 0.02
LOOKS_WEIGHT = 0.7  # fill and wobble go together


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a crossing, in working pixels and seconds: size, speed, height in the picture, looks.

    A wobble of 0 is unknown: it was seen alone in too few frames.
    """

    w: float
    h: float
    vx: float
    vy: float
    y: float
    fill: float = 0.0
    wobble: float = 0.0


class Classifier:
    """What one camera has learnt of its street, and the class of each crossing in that light.

    Parameters
    ----------
    width : int
        Working width in pixels; all sizes and speeds given to it are in working pixels.
    line_y : float
        Height of the line's middle in the picture: the scale is told there.
    scale : float or None
        Pixels per metre at the line when known by hand.
    """

    def __init__(self, width: int, line_y: float, scale: float | None = None) -> None:
        self._width, self._line_y = width, line_y
        k = width / 320.0
        self._scales = np.geomspace(SCALE_MIN * k, SCALE_MAX * k, SCALES) if scale is None else np.array([scale])
        self._angles = np.radians(ANGLES_DEG)
        usual = -0.5 * (np.log(self._scales / (SCALE_USUAL * k)) / SCALE_SPREAD) ** 2
        prior = usual[:, None] + np.log(ANGLE_WEIGHTS)[None, :]
        self._prior: Grid = prior - prior.max()
        self._log_belief: Grid = self._prior.copy()
        self._class_of = np.array([CLASSES.index(body.class_name) for body in BODIES])
        self._share = np.array([body.share for body in BODIES])
        self._seen = np.zeros(len(BODIES))
        columns = (
            "long_m",
            "broad_m",
            "tall_m",
            "size_spread",
            "speed_ms",
            "speed_spread",
            "fill",
            "fill_spread",
            "wobble",
        )
        self._bodies = {name: np.array([getattr(body, name) for body in BODIES]) for name in columns}

    @property
    def belief(self) -> Grid:
        """Probability of each (scale, angle); sums to 1."""
        weights: Grid = np.exp(self._log_belief - self._log_belief.max())
        weights /= weights.sum()
        return weights

    def scale(self) -> tuple[float, float]:
        """Return pixels per metre at the line (working pixels) and its uncertainty as a factor (1 is certain)."""
        weights = self.belief.sum(axis=1)
        logs = np.log(self._scales)
        middle = float((weights * logs).sum())
        spread = math.sqrt(max(0.0, float((weights * (logs - middle) ** 2).sum())))
        return math.exp(middle), math.exp(spread)

    def likelihood(self, seen: Seen) -> tuple[NDArray[np.float64], Grid]:
        """Return log-likelihoods (scales, angles, bodies) of a box, and its ground speed in m/s (scales, angles)."""
        body = self._bodies
        w, h = max(seen.w, 2.0), max(seen.h, 2.0)
        sin, cos = np.sin(self._angles), np.cos(self._angles)
        tan = np.tan(self._angles)
        nearer = np.clip(1.0 + (seen.y - self._line_y) / (FOCAL * self._width * tan), 0.3, 3.0)
        s = self._scales[:, None] * nearer[None, :]
        gx, gy = (abs(seen.vx) + 0.05) / s, (abs(seen.vy) + 0.05) / (s * sin)  # a still box has some direction, too
        speed = np.hypot(gx, gy) + 1e-6
        hx, hy = (gx / speed)[..., None], (gy / speed)[..., None]
        wide = s[..., None] * (body["long_m"] * hx + body["broad_m"] * hy)
        flat = (body["long_m"] * hy + body["broad_m"] * hx) * sin[None, :, None]
        high = s[..., None] * (flat + body["tall_m"] * cos[None, :, None])
        edge = 1.5 / np.maximum(min(w, h), 3.0)
        spread = np.hypot(body["size_spread"], edge)
        off_w = (np.log(w) - np.log(wide)) / spread
        off_h = (np.log(h) - np.log(high)) / spread
        off_v = (np.log(speed)[..., None] - np.log(body["speed_ms"])) / body["speed_spread"]
        logs: NDArray[np.float64] = (
            -0.5 * (off_w**2 + off_h**2 + off_v**2) - 2 * np.log(spread) - np.log(body["speed_spread"])
        )
        return logs + self._looks(seen), speed

    def _looks(self, seen: Seen) -> NDArray[np.float64]:
        """Return log-likelihoods (bodies,) of fill and wobble."""
        body = self._bodies
        looks = np.zeros(len(BODIES))
        if seen.fill > 0:
            looks -= 0.5 * (np.log(seen.fill / body["fill"]) / body["fill_spread"]) ** 2 + np.log(body["fill_spread"])
        if seen.wobble > 0:
            looks -= 0.5 * (np.log(max(seen.wobble, WOBBLE_MIN) / body["wobble"]) / WOBBLE_SPREAD) ** 2
        return LOOKS_WEIGHT * looks

    def classify(self, seen: Seen, trust: float = 1.0) -> tuple[ClassName, float, float]:
        """Return class, confidence and ground speed in km/h of what crossed, and learn from it.

        `trust` below 1 makes less of what was seen: the box of a car at night is that of its headlights' glare.
        """
        logs, speed = self.likelihood(seen)
        logs *= trust
        share = (self._share * MIX_PRIOR + self._seen) / (MIX_PRIOR + self._seen.sum())
        likely = np.exp(logs) * share
        belief = self.belief
        joint = likely * belief[..., None]
        per_body = joint.sum(axis=(0, 1))
        total = per_body.sum()
        per_body = per_body / total if total > 0 else share
        per_class = np.bincount(self._class_of, per_body, minlength=len(CLASSES))
        best = int(per_class.argmax())
        seen_as = joint[..., self._class_of == best].sum(axis=2)
        weight = seen_as / seen_as.sum() if seen_as.sum() > 0 else belief
        speed_kmh = 3.6 * math.exp(float((weight * np.log(speed)).sum()))
        self._log_belief = (
            MEMORY * (self._log_belief - self._prior) + self._prior + trust * np.log(likely.sum(axis=2) + OUTLIER)
        )
        self._seen = self._seen * MEMORY + trust * per_body
        return CLASSES[best], float(per_class[best]), speed_kmh
