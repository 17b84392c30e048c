"""Classifies what crossed, and how fast it was, while learning the camera and the street.

Nothing is trained. What streets have in common is known: a car is 4.3 m long, a person walks at 1.3 m/s (`bodies`). What
this street has of its own is not: pixels per metre, how steeply the camera looks down, which classes come here. The
first two are a probability over a grid of cameras (`perspective`), and every crossing sharpens it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.crossings.bodies import BODIES, BodyPrior, BodyPriors
from telstraat_device.counting.crossings.crossing import CLASSES, ClassName
from telstraat_device.counting.crossings.perspective import Grid, Perspective
from telstraat_device.counting.foreground.background import WORKING_WIDTH_PX
from telstraat_device.counting.foreground.cast_shadow import CastShadow
from telstraat_device.counting.tracking.observation import Observation

KMH = 3.6  # km/h in a metre per second
SCALES = 36
SCALE_MIN, SCALE_MAX = 4.0, 90.0  # pixels per metre in a picture 320 wide: 80 m to 3.5 m of street
SCALE_USUAL, SCALE_SPREAD = 20.0, 0.55  # a view from a window shows 10 to 30 m
ANGLES_DEG = (6.0, 9.0, 13.0, 18.0, 24.0, 32.0, 43.0, 56.0, 72.0)
ANGLE_WEIGHTS = (0.06, 0.10, 0.14, 0.17, 0.17, 0.14, 0.11, 0.07, 0.04)
MEMORY = 0.985  # the street's knowledge fades, so that a moved camera is learnt again
OUTLIER = 1e-3
MIX_PRIOR = 6.0  # crossings that the usual mix is worth
SEEN_IN_THE_DARK = 0.4  # of those without headlights, for one motor vehicle that is seen
MIDDLE_M = 0.75  # height of the middle of what passes: the line is drawn, and a scale taken, where middles pass
EDGE_PX = 1.5  # what an edge may be off
BOX_MIN_PX, SPREAD_BOX_MIN_PX = 2.0, 3.0  # what is smaller has that size; so has what edges are off by
WOBBLE_SPREAD, WOBBLE_MIN = 0.7, 0.02
LOOKS_WEIGHT = 0.7  # fill and wobble go together
GROWTH_SPREAD = 0.15  # of its height in a second: arms, doors, a foot hidden by a kerb


class Classifier:
    """What one camera has learnt of its street, and the class of each crossing in that light.

    Parameters
    ----------
    width, height : int
        Working size in pixels; all sizes and speeds given to it are in working pixels.
    line_y : float
        Height of the line's middle in the picture, which the scale belongs to.
    scale : float or None
        Pixels per metre of what passes with its middle on the line's middle, when known by hand.
    """

    def __init__(
        self, width: int, height: int, line_y: float, scale: float | None = None, bodies: tuple[BodyPrior, ...] = BODIES
    ) -> None:
        k = width / WORKING_WIDTH_PX
        scales = np.geomspace(SCALE_MIN * k, SCALE_MAX * k, SCALES) if scale is None else np.array([scale])
        foot_y = line_y + (MIDDLE_M * scale if scale else 0.0)
        self.perspective = Perspective(scales, np.radians(ANGLES_DEG), width, height, foot_y)
        self.cast_shadow = CastShadow()
        usual = -0.5 * (np.log(scales / (SCALE_USUAL * k)) / SCALE_SPREAD) ** 2
        prior = usual[:, None] + np.log(ANGLE_WEIGHTS)[None, :]
        self._prior: Grid = prior - prior.max()
        self._log_belief: Grid = self._prior.copy()
        self._bodies = BodyPriors(bodies)
        self._counts = np.zeros(len(bodies))

    @property
    def belief(self) -> Grid:
        """Probability of each (scale, angle); sums to 1."""
        weights: Grid = np.exp(self._log_belief - self._log_belief.max())
        weights /= weights.sum()
        return weights

    def scale(self) -> tuple[float, float]:
        """Return pixels per metre at the line (working pixels) and its uncertainty as a factor (1 is certain)."""
        weights = self.belief.sum(axis=1)
        logs = np.log(self.perspective.scales)
        middle = float((weights * logs).sum())
        spread = math.sqrt(max(0.0, float((weights * (logs - middle) ** 2).sum())))
        return math.exp(middle), math.exp(spread)

    def likelihood(self, observation: Observation) -> tuple[Grid, Grid]:
        """Return log-likelihoods of an observation, and its speed in m/s, each (scales, angles, bodies)."""
        body = self._bodies
        w, h = max(observation.w, BOX_MIN_PX), max(observation.h, BOX_MIN_PX)
        point = self.perspective.point(observation.x, observation.foot, observation.vx, observation.v_foot)
        wide, high, speed = self.perspective.boxes(point, body)
        spread_w = np.hypot(body.size_spread, EDGE_PX / max(w, SPREAD_BOX_MIN_PX))
        spread_h = np.hypot(body.tall_spread, EDGE_PX / max(h, SPREAD_BOX_MIN_PX))
        off_w = (math.log(w) - np.log(wide)) / spread_w
        off_h = (math.log(h) - np.log(high)) / spread_h
        off_v = (np.log(speed) - np.log(body.speed_ms)) / body.speed_spread
        logs: Grid = -0.5 * (off_w**2 + off_h**2 + off_v**2) - np.log(spread_w * spread_h * body.speed_spread)
        if observation.growth_error > 0.0:
            spread = math.hypot(GROWTH_SPREAD, 2 * observation.growth_error)
            off = (observation.growth - observation.v_foot / point.below_px) / spread
            logs = logs - np.log1p(0.5 * off**2)[None, :, None]
        return logs + self._looks(observation), speed

    def _looks(self, observation: Observation) -> NDArray[np.float64]:
        """Return log-likelihoods (bodies,) of fill and wobble."""
        body = self._bodies
        looks = np.zeros(len(body))
        if observation.fill > 0:
            looks -= 0.5 * (np.log(observation.fill / body.fill) / body.fill_spread) ** 2 + np.log(body.fill_spread)
        if observation.wobble > 0:
            looks -= 0.5 * (np.log(max(observation.wobble, WOBBLE_MIN) / body.wobble) / WOBBLE_SPREAD) ** 2
        return LOOKS_WEIGHT * looks

    def classify(
        self, observation: Observation, trust: float = 1.0, *, dark: bool = False
    ) -> tuple[ClassName, float, float]:
        """Return class, confidence and ground speed in km/h of what crossed, and learn from it.

        `trust` below 1 gives the observation less weight: the box of a car at night is that of its headlights' glare.
        `dark` gives motor vehicles more.
        """
        logs, speed = self.likelihood(self.cast_shadow.restore(observation))
        likely = np.exp(trust * logs) * self._mix(dark)
        joint = likely * self.belief[..., None]
        total = joint.sum()
        per_body = joint.sum(axis=(0, 1)) / total if total > 0 else self._mix(dark)
        class_of = self._bodies.class_of
        per_class = np.bincount(class_of, per_body, minlength=len(CLASSES))
        best = int(per_class.argmax())
        joint[..., class_of != best] = 0.0
        weight = joint if joint.sum() > 0 else np.ones_like(joint)
        speed_kmh = KMH * math.exp(float((weight * np.log(speed)).sum() / weight.sum()))
        self.learn(likely, per_body, trust)
        return CLASSES[best], min(1.0, float(per_class[best])), speed_kmh

    def learn(self, likely: Grid, per_body: NDArray[np.float64], trust: float) -> None:
        """Update the belief in cameras and the mix by one crossing."""
        evidence = trust * np.log(likely.sum(axis=2) + OUTLIER)
        self._log_belief = MEMORY * (self._log_belief - self._prior) + self._prior + evidence
        self._counts = self._counts * MEMORY + trust * per_body

    def _mix(self, dark: bool) -> NDArray[np.float64]:
        """Return the share (bodies,) of each body in the traffic: the usual mix, updated by what crossed here."""
        share: NDArray[np.float64] = (self._bodies.share * MIX_PRIOR + self._counts) / (MIX_PRIOR + self._counts.sum())
        if dark:
            share = np.where(self._bodies.motor, share, SEEN_IN_THE_DARK * share)
            share /= share.sum()
        return share
