"""Named scenes: settings of the street that are wanted again and again, each with one difficulty or a mix."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np

from telstraat_firmware_sim.errors import SceneError
from telstraat_firmware_sim.street.layout import NEAR_PAVEMENT_MIN_M, PARKED_STRIP_M
from telstraat_firmware_sim.street.settings import Lens, Light, Road, StreetSettings, Traffic, View
from telstraat_firmware_sim.street.street import SimulatedStreet

_BUSY = Traffic(pedestrian=420, bicycle=300, motorcycle=50, car=620, heavy=110)
_SUNNY = Light(sun=0.5)

SCENES: dict[str, StreetSettings] = {
    "day": StreetSettings(),
    "rain": StreetSettings(lens=Lens(rain=0.8, noise=2.8, shutter_s=0.01)),
    "shadow": StreetSettings(light=_SUNNY),
    "house-shade": StreetSettings(light=Light(sun=0.45, house_shade_m=4.0, sun_azimuth_deg=30.0)),
    "shake": StreetSettings(lens=Lens(shake_px=1.6)),
    "drift": StreetSettings(light=Light(drift=0.28)),
    "exposure": StreetSettings(light=Light(steps=0.25), lens=Lens(auto_exposure=0.5)),
    "dim": StreetSettings(light=Light(level=0.55), lens=Lens(noise=3.0, shutter_s=0.012)),
    "bright": StreetSettings(light=Light(level=1.55, sun=0.4), lens=Lens(auto_exposure=0.3)),
    "dusk": StreetSettings(light=Light(night=0.5), lens=Lens(noise=3.2, shutter_s=0.02)),
    "night": StreetSettings(light=Light(night=1.0), lens=Lens(noise=4.0, shutter_s=0.04)),
    "night-rain": StreetSettings(light=Light(night=1.0), lens=Lens(noise=4.0, rain=0.7, shutter_s=0.04)),
    "trees": StreetSettings(road=Road(trees=6), lens=Lens(wind=0.10), light=Light(sun=0.35)),
    "parked": StreetSettings(
        road=Road(parked_near=4, parked_far=6), traffic=Traffic(park_share=0.1), view=View(axis_m=12.5)
    ),
    "stopping": StreetSettings(traffic=Traffic(stop_share=0.15, line_stop_share=0.08)),
    "occlusion": StreetSettings(road=Road(trunk=True, parked_near=4), view=View(axis_m=12.5)),
    "dense": StreetSettings(traffic=_BUSY),
    "quiet": StreetSettings(traffic=Traffic(pedestrian=20, bicycle=14, motorcycle=2, car=30, heavy=4)),
    "groups": StreetSettings(traffic=Traffic(pedestrian=500, group_share=0.65, car=120)),
    "compressed": StreetSettings(lens=Lens(noise=4.5, compression=0.8)),
    "oblique": StreetSettings(view=View(yaw_deg=40.0)),
    "oblique-left": StreetSettings(view=View(yaw_deg=-32.0)),
    "steep": StreetSettings(view=View(yaw_deg=52.0, height_m=5.0)),
    "high": StreetSettings(view=View(height_m=7.0, axis_m=13.0, yaw_deg=20.0)),
    "close": StreetSettings(view=View(axis_m=9.0)),
    "far": StreetSettings(view=View(axis_m=17.0, height_m=5.0)),
    "fast": StreetSettings(traffic=Traffic(motor_kmh=62.0)),
    "everything": StreetSettings(
        traffic=msgspec.structs.replace(_BUSY, stop_share=0.05, line_stop_share=0.03),
        road=Road(trees=4, parked_far=4),
        light=Light(sun=0.4, drift=0.15, steps=0.12),
        lens=Lens(shake_px=0.8, wind=0.08, compression=0.4),
        view=View(axis_m=12.0, yaw_deg=18.0),
    ),
}


def scene(name: str, *, seed: int = 1, **changes: object) -> StreetSettings:
    """Give a scene's settings with a seed, and with top-level settings changed; `name@view` takes another's view.

    `night@oblique` is the night scene seen as in the oblique one; `night~` is another window, road and sun with every
    seed.
    """
    what, _, seen = name.removesuffix("~").partition("@")
    settings = _known(what)
    if seen:
        settings = msgspec.structs.replace(settings, view=_known(seen).view)
    if name.endswith("~"):
        settings = varied(settings, seed)
    return msgspec.structs.replace(settings, scene=name, seed=seed, **changes)


def varied(settings: StreetSettings, seed: int) -> StreetSettings:
    """Give the same difficulty at another place: window, camera, road, sun and sensor drawn from the seed."""
    rng = np.random.default_rng([seed, 6])
    view, road, light, lens = settings.view, settings.road, settings.light, settings.lens
    road = msgspec.structs.replace(
        road,
        lane_m=rng.uniform(2.7, 3.4),
        bike_m=float(rng.choice([0.0, 1.0, 1.6])),
        pavement_m=rng.uniform(1.5, 2.8),
        garden_m=rng.uniform(0.5, 4.0),
    )
    strip_m = PARKED_STRIP_M if road.parked_near else 0.0
    least_m = road.lane_m + road.bike_m + road.pavement_m + strip_m + NEAR_PAVEMENT_MIN_M + 0.1
    view = msgspec.structs.replace(
        view,
        axis_m=max(least_m, view.axis_m + rng.uniform(-2.0, 3.0)),
        yaw_deg=float(np.clip(view.yaw_deg + rng.normal(0.0, 7.0), -60.0, 60.0)),
        height_m=view.height_m * rng.uniform(0.85, 1.5),
        fov_deg=view.fov_deg + rng.uniform(-8.0, 12.0),
    )
    light = msgspec.structs.replace(
        light,
        level=light.level * rng.uniform(0.8, 1.25),
        sun_azimuth_deg=rng.uniform(0.0, 360.0),
        sun_height_deg=rng.uniform(18.0, 60.0),
    )
    lens = msgspec.structs.replace(
        lens,
        noise=lens.noise * rng.uniform(0.6, 1.6),
        compression=max(lens.compression, float(rng.choice([0.0, 0.0, 0.5]))),
        auto_exposure=max(lens.auto_exposure, float(rng.choice([0.0, 0.3]))),
    )
    return msgspec.structs.replace(settings, view=view, road=road, light=light, lens=lens)


def _known(name: str) -> StreetSettings:
    if name not in SCENES:
        near = difflib.get_close_matches(name, SCENES, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(SCENES)}"
        raise SceneError(f"no scene is called {name!r}; {hint}")
    return SCENES[name]


@dataclass(frozen=True, slots=True)
class Trial:
    """One scene with one seed, to be counted and compared with its truth."""

    scene: str
    seed: int
    settings: StreetSettings

    def street(self) -> SimulatedStreet:
        """Build it; the source ends by itself, and `truth_between` gives what crossed."""
        return SimulatedStreet(self.settings)


def trials(names: Sequence[str], seeds: Sequence[int], duration_s: float, **changes: object) -> Iterator[Trial]:
    """Give every scene with every seed, one after the other, for a table of errors."""
    for name in names:
        for seed in seeds:
            yield Trial(name, seed, scene(name, seed=seed, duration_s=duration_s, **changes))
