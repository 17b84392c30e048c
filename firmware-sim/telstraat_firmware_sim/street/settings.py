"""What can be set about a simulated street; every field's sentence is its documentation."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Self

import msgspec

from telstraat_firmware_sim.errors import SceneError


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frozen settings that refuse names they do not know."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Read from plain values, for instance a TOML table."""
        known = cls.__struct_fields__
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                raise SceneError(f"{cls.__name__} has no {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        try:
            return msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            raise SceneError(f"{cls.__name__}: {error}") from error


class View(_Settings, frozen=True, kw_only=True):
    """Where the camera is and where it looks."""

    height_m: float = 4.0
    """Height of the lens above the street: 4 is a first floor."""
    axis_m: float = 11.0
    """Distance from the window to the middle of the carriageway, straight across."""
    yaw_deg: float = 0.0
    """Turn from looking straight across (0) along the street; positive to the right."""
    pitch_deg: float | None = None
    """Tilt below the horizon; None tilts so that the near pavement is just in the picture."""
    fov_deg: float = 62.0
    """Horizontal field of view: 62 is a Pi camera of the second version."""


class Road(_Settings, frozen=True, kw_only=True):
    """The street across, from the near pavement to the houses on the other side."""

    lane_m: float = 3.0
    """Width of each of the two lanes."""
    bike_m: float = 1.2
    """Width of the strip for bicycles at either side."""
    pavement_m: float = 2.0
    """Width of each pavement."""
    garden_m: float = 1.5
    """From the far pavement to the houses."""
    parked_near: int = 0
    """Vehicles that stand parked at the near side the whole time; the strip for them pushes the near pavement out."""
    parked_far: int = 0
    """Vehicles that stand parked at the far side the whole time."""
    trees: int = 0
    """Trees on the far side whose crowns sway."""
    trunk: bool = False
    """A tree's trunk between window and street, a little beside the line."""
    lamps: bool = True
    """Street lamps; they burn at night."""


class Traffic(_Settings, frozen=True, kw_only=True):
    """What passes, per hour and both directions together."""

    pedestrian: float = 120.0
    """Pedestrians an hour."""
    bicycle: float = 90.0
    """Bicycles an hour."""
    motorcycle: float = 12.0
    """Motorcycles and mopeds an hour."""
    car: float = 240.0
    """Cars an hour."""
    heavy: float = 30.0
    """Vans from panel van up, lorries, buses and tractors an hour."""
    right_share: float = 0.5
    """Share that goes to the right in the picture."""
    platoon_share: float = 0.3
    """Share of vehicles that follow the one before them closely."""
    group_share: float = 0.2
    """Share of pedestrians' arrivals that are groups of two to four side by side."""
    jogger_share: float = 0.06
    """Share of pedestrians that run."""
    stop_share: float = 0.0
    """Share of vehicles that stop for some seconds somewhere in the view and go on."""
    line_stop_share: float = 0.0
    """Share of vehicles that stop right on the counting line and go on."""
    park_share: float = 0.0
    """Share of cars that pull over before the line, stay for some time, and go on."""
    overtake_share: float = 0.05
    """Share of bicycles that overtake others, and of cars that overtake a bicycle widely."""
    across: float = 5.0
    """Pedestrians an hour who cross the street itself, not the counting line."""
    motor_kmh: float = 40.0
    """Mean speed that motor vehicles want."""
    day_shape: tuple[float, ...] = ()
    """Factor on all of the above for each of the 24 hours of the street's own day; empty: always 1."""
    day_start_h: float = 0.0
    """Hour of the street's own day at which the source begins."""


class Light(_Settings, frozen=True, kw_only=True):
    """Sun, sky, exposure."""

    level: float = 1.0
    """Brightness of the whole picture: 0.6 is a dim one, 1.5 an overexposed one."""
    sun: float = 0.0
    """How much darker a cast shadow is than the sunlit road: 0 is overcast, 0.5 a clear day."""
    sun_azimuth_deg: float = 140.0
    """Where shadows fall: 0 away from the window, 90 to the right, 180 towards the window."""
    sun_height_deg: float = 38.0
    """Height of the sun above the horizon."""
    house_shade_m: float = 0.0
    """How far the shade of the houses on the window's side reaches beyond the near kerb."""
    drift: float = 0.0
    """Amplitude of slow changes of brightness, as a share."""
    drift_s: float = 25.0
    """Time of one slow change up and down."""
    steps: float = 0.0
    """Size of sudden changes of exposure, as a share."""
    step_s: float = 12.0
    """Mean time between sudden changes."""
    night: float = 0.0
    """0 is day, 0.5 dusk, 1 night; lamps and headlights burn from 0.3."""


class Lens(_Settings, frozen=True, kw_only=True):
    """What camera and weather do to the picture."""

    noise: float = 2.2
    """Standard deviation of the noise at middle grey, in grey levels."""
    shutter_s: float = 0.0
    """How long the shutter is open: what moves is smeared over its way; 0.04 is common at night."""
    compression: float = 0.0
    """Share of the noise that comes in blocks, as after compression."""
    shake_px: float = 0.0
    """Amplitude of camera shake in pixels of a picture 640 wide."""
    rain: float = 0.0
    """0 dry, 1 heavy rain: streaks, and a road that mirrors."""
    wind: float = 0.0
    """How far the crowns of trees sway, in metres."""
    auto_exposure: float = 0.0
    """How much the camera darkens the picture when a bright vehicle fills it: 0 not at all, 1 fully."""
    cover_s: tuple[float, float] | None = None
    """From when to when something covers the lens, in street time."""
    turn_s: float | None = None
    """Street time at which somebody knocks the camera out of its direction."""
    turn_deg: float = 6.0
    """How far it is turned then."""


class StreetSettings(_Settings, frozen=True, kw_only=True):
    """One simulated street: the same settings give the same frames, byte for byte."""

    seed: int = 1
    """Everything random follows from it."""
    width: int = 640
    """Width of the picture in pixels."""
    height: int = 480
    """Height of the picture in pixels."""
    fps: float = 25.0
    """Frames per second."""
    duration_s: float | None = None
    """The source ends after this time; None: never."""
    start_s: float = 0.0
    """Street time of the first frame: a restarted source goes on with the same street."""
    scene: str = ""
    """Name of the scene these settings came from, for tables."""
    view: View = View()
    """Where the camera is and where it looks."""
    road: Road = Road()
    """The street across."""
    traffic: Traffic = Traffic()
    """What passes."""
    light: Light = Light()
    """Sun, sky, exposure."""
    lens: Lens = Lens()
    """What camera and weather do to the picture."""

    def __post_init__(self) -> None:
        for name, low, high in (("width", 64, 4096), ("height", 48, 4096), ("fps", 0.1, 240.0)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise SceneError(f"the street's {name} is {value}; choose between {low} and {high}")
        if self.traffic.day_shape and len(self.traffic.day_shape) != 24:
            raise SceneError(
                f"day_shape has {len(self.traffic.day_shape)} factors; give 24, one for each hour, or none"
            )
