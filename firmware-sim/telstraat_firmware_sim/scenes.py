"""Named scenes: settings of the street that are wanted again and again, each with one difficulty or a mix."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import msgspec

from telstraat_firmware_sim.errors import SceneError
from telstraat_firmware_sim.settings import Lens, Light, Road, StreetSettings, Traffic, View
from telstraat_firmware_sim.street import Street

_BUSY = Traffic(pedestrian=420, bicycle=300, motorcycle=50, car=620, heavy=110)
_SUNNY = Light(sun=0.5)

SCENES: dict[str, StreetSettings] = {
    "day": StreetSettings(),
    "rain": StreetSettings(lens=Lens(rain=0.8, noise=2.8)),
    "shadow": StreetSettings(light=_SUNNY),
    "house-shade": StreetSettings(light=Light(sun=0.45, house_shade_m=4.0, sun_azimuth_deg=30.0)),
    "shake": StreetSettings(lens=Lens(shake_px=1.6)),
    "drift": StreetSettings(light=Light(drift=0.28)),
    "exposure": StreetSettings(light=Light(steps=0.25), lens=Lens(auto_exposure=0.5)),
    "dim": StreetSettings(light=Light(level=0.55), lens=Lens(noise=3.0)),
    "bright": StreetSettings(light=Light(level=1.55, sun=0.4), lens=Lens(auto_exposure=0.3)),
    "dusk": StreetSettings(light=Light(night=0.5), lens=Lens(noise=3.2)),
    "night": StreetSettings(light=Light(night=1.0), lens=Lens(noise=4.0)),
    "night-rain": StreetSettings(light=Light(night=1.0), lens=Lens(noise=4.0, rain=0.7)),
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

    `night@oblique` is the night scene seen as in the oblique one.
    """
    what, _, seen = name.partition("@")
    settings = _known(what)
    if seen:
        settings = msgspec.structs.replace(settings, view=_known(seen).view)
    return msgspec.structs.replace(settings, scene=name, seed=seed, **changes)


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

    def street(self) -> Street:
        """Build it; the source ends by itself, and `truth_between` gives what crossed."""
        return Street(self.settings)


def trials(names: Sequence[str], seeds: Sequence[int], duration_s: float, **changes: object) -> Iterator[Trial]:
    """Give every scene with every seed, one after the other, for a table of errors."""
    for name in names:
        for seed in seeds:
            yield Trial(name, seed, scene(name, seed=seed, duration_s=duration_s, **changes))
