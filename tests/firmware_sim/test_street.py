from __future__ import annotations

import hashlib
import itertools
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from telstraat_device.cameras.frames import FrameSource
from telstraat_device.counting.crossings.crossing import CLASSES
from telstraat_device.counting.crossings.line import WORKING_LINE
from telstraat_device.counting.crossings.line_crossing import signed_distance
from telstraat_firmware_sim.errors import SceneError
from telstraat_firmware_sim.street.bodies import BODIES
from telstraat_firmware_sim.street.layout import lay_out
from telstraat_firmware_sim.street.scenes import SCENES, scene, trials
from telstraat_firmware_sim.street.settings import Lens, Light, StreetSettings, Traffic, View
from telstraat_firmware_sim.street.street import ObjectMask, SimulatedStreet
from telstraat_firmware_sim.street.truth import TrueCrossing

SMALL: dict[str, Any] = {"width": 320, "height": 240, "fps": 10.0}
ONE_BY_ONE = Traffic(pedestrian=60, bicycle=60, motorcycle=60, car=60, heavy=60, platoon_share=0.0)


def digest(street: SimulatedStreet, times_s: list[float]) -> str:
    result = hashlib.sha256()
    for t_s in times_s:
        result.update(street.render(t_s).tobytes())
    return result.hexdigest()


def test_the_same_settings_give_the_same_bytes_in_any_order() -> None:
    settings = scene("everything", seed=11, **SMALL)
    times_s = [0.0, 3.3, 14.0, 14.1, 77.7]
    forwards = digest(SimulatedStreet(settings), times_s)
    street = SimulatedStreet(settings)
    for t_s in reversed(times_s):
        street.render(t_s)
    assert digest(street, times_s) == forwards
    assert digest(SimulatedStreet(scene("everything", seed=12, **SMALL)), times_s) != forwards


def test_the_street_is_a_source_of_frames_that_ends() -> None:
    street = SimulatedStreet(scene("day", duration_s=2.0, start_s=30.0, **SMALL))
    source: FrameSource = street
    assert (source.width, source.height, source.fps, source.frames) == (320, 240, 10.0, 20)
    seen = [(frame.luma.copy(), frame.t_s) for frame in street]
    assert [t_s for _, t_s in seen] == pytest.approx([k / 10 for k in range(20)])
    assert all(luma.dtype == np.uint8 and luma.shape == (240, 320) and luma.flags.c_contiguous for luma, _ in seen)
    assert np.array_equal(seen[5][0], SimulatedStreet(scene("day", **SMALL)).render(30.5))
    assert "day" in street.name


@pytest.mark.parametrize("name", [*SCENES, "night@oblique", "parked~", "oblique~"])
def test_every_scene_renders_with_something_in_it(name: str) -> None:
    street = SimulatedStreet(scene(name, seed=2, **SMALL))
    frames = np.stack([street.render(t_s).copy() for t_s in (20.0, 21.0, 40.0)]).astype(np.int16)
    assert 8 < frames.mean() < 235
    assert frames.std() > 5
    assert np.abs(frames[0] - frames[2]).mean() > 0.3
    (x1, y1), (x2, y2) = street.line
    assert 0 <= x1 <= 320
    assert 0 <= x2 <= 320
    assert 240 >= y1 > y2 >= 0


def test_the_traffic_is_the_demand() -> None:
    demand = Traffic(pedestrian=200, bicycle=150, motorcycle=40, car=400, heavy=60, right_share=0.7)
    street = SimulatedStreet(StreetSettings(seed=5, traffic=demand, **SMALL))
    hours = 6
    result = street.truth_between(0, hours * 3600)
    for name in CLASSES:
        count = sum(crossing.class_name == name for crossing in result)
        expected = hours * getattr(demand, name)
        assert count == pytest.approx(expected, rel=5 * expected**-0.5), name
    to_the_right = sum(crossing.direction == "left_to_right" for crossing in result)
    assert to_the_right / len(result) == pytest.approx(0.7, abs=0.05)
    assert {crossing.kind for crossing in result} == {body.kind for body in BODIES} - {"umbrella"}


def test_the_traffic_follows_the_hours_of_the_day() -> None:
    shape = tuple(0.0 if hour < 6 else 2.0 if hour in (8, 17) else 1.0 for hour in range(24))
    demand = Traffic(car=300, day_shape=shape, day_start_h=4.0)
    result = SimulatedStreet(StreetSettings(seed=5, traffic=demand, **SMALL)).truth_between(0, 14 * 3600)
    cars = np.bincount([int(4 + c.t_s // 3600) for c in result if c.class_name == "car"], minlength=18)
    assert cars[:6].sum() == 0
    assert cars[8] > 450
    assert 200 < cars[10] < 400
    assert cars[17] > 450


def test_next_week_is_the_same_whether_one_waits_for_it_or_not() -> None:
    settings = scene("parked", seed=5, **SMALL)
    later_s = 7.25 * 3600
    street = SimulatedStreet(msgspec.structs.replace(settings, start_s=later_s))
    waited = SimulatedStreet(settings)
    assert street.truth_between(later_s, later_s + 900) == waited.truth_between(later_s, later_s + 900)
    assert np.array_equal(street.render(later_s + 5), waited.render(later_s + 5))
    assert street.truth_between(0, 600) == waited.truth_between(0, 600)
    ids = [crossing.object_id for crossing in waited.truth_between(0, 8 * 3600)]
    assert len(ids) == len(set(ids))


def test_speeds_are_those_of_a_street() -> None:
    result = SimulatedStreet(StreetSettings(seed=6, **SMALL)).truth_between(0, 4 * 3600)
    medians = {name: np.median([c.speed_kmh for c in result if c.class_name == name]) for name in CLASSES}
    assert 4 < medians["pedestrian"] < 6
    assert 14 < medians["bicycle"] < 21
    assert 33 < medians["car"] < 45
    assert 28 < medians["heavy"] < 45


def mask_of(street: SimulatedStreet, crossing: TrueCrossing, t_s: float) -> ObjectMask | None:
    return next((mask for mask in street.masks(t_s) if mask.object_id == crossing.object_id), None)


def middle_distance_px(street: SimulatedStreet, mask: ObjectMask) -> float:
    """Signed distance of the middle of an object's box from the line."""
    rows, columns = np.nonzero(mask.mask)
    (x1, y1), (x2, y2) = street.line
    middle_x, middle_y = (columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2
    line: Any = np.array((x1, y1, x2, y2, np.hypot(x2 - x1, y2 - y1)), WORKING_LINE)[()]
    return float(signed_distance(line, middle_x, middle_y))


@pytest.mark.parametrize("name", ["day", "oblique", "oblique-left"])
def test_the_middle_of_the_mask_is_on_the_line_when_truth_says_so(name: str) -> None:
    settings = msgspec.structs.replace(scene(name, seed=3, width=480, height=360), traffic=ONE_BY_ONE)
    street = SimulatedStreet(settings)
    errors_s = []
    for crossing in street.truth_between(5, 900)[:60]:
        before, at, after = (mask_of(street, crossing, crossing.t_s + gap_s) for gap_s in (-0.3, 0.0, 0.3))
        if not (before and at and after) or at.mask[:, [0, -1]].any() or at.mask[[0, -1]].any():
            continue  # hidden, or cut by the picture's edge
        sizes = [mask.mask.sum() for mask in (before, at, after)]
        if max(sizes) > 1.4 * min(sizes):
            continue  # partly behind somebody else
        ahead = 1 if crossing.direction == "left_to_right" else -1
        from_px, here_px, to_px = (ahead * middle_distance_px(street, mask) for mask in (before, at, after))
        assert from_px < to_px, crossing
        errors_s.append(abs(here_px) / max(1.0, (to_px - from_px) / 0.6))
        assert (at.kind, at.class_name) == (crossing.kind, crossing.class_name)
    assert len(errors_s) > 15
    assert np.median(errors_s) < 0.1
    assert np.quantile(errors_s, 0.9) < 0.35


def test_the_object_lies_on_the_line_from_t0_to_t1() -> None:
    street = SimulatedStreet(msgspec.structs.replace(scene("day", seed=4, **SMALL), traffic=ONE_BY_ONE))
    for crossing in street.truth_between(5, 600):
        assert crossing.t0_s < crossing.t_s < crossing.t1_s
        length_m = next(body.length_m for body in BODIES if body.kind == crossing.kind)
        assert (crossing.t1_s - crossing.t0_s) * crossing.speed_kmh / 3.6 == pytest.approx(length_m, rel=0.25)


@pytest.mark.parametrize("yaw_deg", [0.0, 35.0, -45.0])
def test_left_to_right_is_to_the_right_of_a_line_that_points_away(yaw_deg: float) -> None:
    street = SimulatedStreet(StreetSettings(seed=8, view=View(yaw_deg=yaw_deg), traffic=ONE_BY_ONE, **SMALL))
    moved = 0
    for crossing in street.truth_between(5, 300)[:25]:
        masks = [mask_of(street, crossing, crossing.t_s + gap_s) for gap_s in (-0.25, 0.25)]
        if masks[0] and masks[1]:
            first, second = (np.nonzero(mask.mask)[1].mean() for mask in masks if mask)
            assert (second > first) == (crossing.direction == "left_to_right"), crossing
            moved += 1
    assert moved > 5


def test_a_long_shutter_smears_what_moves_and_nothing_else() -> None:
    quiet: dict[str, Any] = {"seed": 3, "traffic": Traffic(car=500, pedestrian=0), **SMALL}
    sharp = SimulatedStreet(StreetSettings(lens=Lens(noise=0.0), **quiet))
    smeared = SimulatedStreet(StreetSettings(lens=Lens(noise=0.0, shutter_s=0.06), **quiet))
    crossing = next(c for c in sharp.truth_between(5, 300) if c.class_name == "car" and c.speed_kmh > 30)
    first, second = (street.render(crossing.t_s).astype(np.int16) for street in (sharp, smeared))
    changed = np.abs(first - second) > 6
    assert changed.sum() > 300
    masks = np.any([mask.mask for mask in sharp.masks(crossing.t_s)], axis=0)
    assert not changed[~shifted(masks, up=4, down=12, aside=16)].any()


def test_who_is_hidden_is_said_to_be_hidden() -> None:
    street = SimulatedStreet(scene("groups", seed=3, **SMALL))
    shares = [street.seen_share(crossing) for crossing in street.truth_between(0, 600)]
    assert all(0 <= share <= 1.01 for share in shares)
    assert max(shares) == pytest.approx(1.0, abs=0.01)
    assert min(shares) < 0.4


def shifted(mask: NDArray[np.bool_], up: int, down: int, aside: int) -> NDArray[np.bool_]:
    """Grow a mask by so many pixels up, down and to both sides."""
    grown = mask.copy()
    for dy in range(-up, down + 1):
        for dx in range(-aside, aside + 1):
            moved = np.roll(mask, (dy, dx), axis=(0, 1))
            moved[: max(0, dy)] = False
            grown |= moved
    return grown


def test_masks_cover_what_is_drawn_and_nothing_else() -> None:
    quiet: dict[str, Any] = {"lens": Lens(noise=0.0), "seed": 3, **SMALL}
    nobody = Traffic(pedestrian=0, bicycle=0, motorcycle=0, car=0, heavy=0)
    empty = SimulatedStreet(StreetSettings(traffic=nobody, **quiet)).render(0.0).astype(np.int16)
    street = SimulatedStreet(StreetSettings(traffic=Traffic(car=600, pedestrian=400, bicycle=300), **quiet))
    drawn_px = covered_px = inside_px = 0
    for t_s in np.arange(5, 60, 2.0):
        changed = np.abs(street.render(t_s).astype(np.int16) - empty) > 12
        masks = street.masks(t_s)
        union = np.any([mask.mask for mask in masks], axis=0) if masks else np.zeros_like(changed)
        drawn_px += int(changed.sum())
        covered_px += int((changed & shifted(union, up=2, down=9, aside=6)).sum())  # shade lies below vehicles
        inside_px += int((changed & union).sum())
        assert sum(int(mask.mask.sum()) for mask in masks) == union.sum(), "a pixel belongs to one object"
    assert drawn_px > 5000
    assert covered_px > 0.995 * drawn_px
    assert inside_px > 0.7 * drawn_px


def test_shadows_fall_where_the_sun_throws_them() -> None:
    quiet: dict[str, Any] = {"lens": Lens(noise=0.0), "seed": 3, "traffic": Traffic(car=600), **SMALL}
    overcast = SimulatedStreet(StreetSettings(**quiet))
    sunny = SimulatedStreet(StreetSettings(light=Light(sun=0.5), **quiet))
    darker = [
        (overcast.render(t_s).astype(np.int16) - sunny.render(t_s).astype(np.int16)).clip(0).sum()
        for t_s in np.arange(0, 40, 2.0)
    ]
    assert max(darker) > 2000


def test_a_vehicle_that_stops_on_the_line_is_one_crossing() -> None:
    street = SimulatedStreet(
        msgspec.structs.replace(scene("stopping", seed=9, **SMALL), traffic=Traffic(line_stop_share=0.5, car=200))
    )
    result = street.truth_between(0, 1800)
    ids = [crossing.object_id for crossing in result]
    assert len(ids) == len(set(ids))
    waited = [crossing for crossing in result if crossing.t1_s - crossing.t0_s > 3 and crossing.class_name == "car"]
    assert len(waited) > 10


def test_followers_keep_their_distance() -> None:
    street = SimulatedStreet(StreetSettings(seed=3, traffic=Traffic(car=900, heavy=90, line_stop_share=0.2), **SMALL))
    for direction in ("left_to_right", "right_to_left"):
        motor = [
            crossing
            for crossing in street.truth_between(0, 1800)
            if crossing.direction == direction and crossing.class_name in ("car", "heavy")
        ]
        for ahead, behind in itertools.pairwise(motor):
            assert behind.t0_s > ahead.t1_s - 0.4


def test_in_the_rain_people_carry_umbrellas() -> None:
    result = SimulatedStreet(scene("rain", seed=3, **SMALL)).truth_between(0, 3600)
    assert any(crossing.kind == "umbrella" for crossing in result)


def test_who_crosses_the_street_itself_is_seen_and_not_counted() -> None:
    people = Traffic(pedestrian=0, bicycle=0, motorcycle=0, car=0, heavy=0, across=240)
    street = SimulatedStreet(StreetSettings(seed=3, traffic=people, **SMALL))
    assert street.truth_between(0, 3600) == []
    assert any(street.masks(t_s) for t_s in range(0, 120, 5))


def test_a_covered_lens_sees_nothing_and_a_turned_camera_another_picture() -> None:
    calm = scene("quiet", seed=3, **SMALL)
    covered = SimulatedStreet(msgspec.structs.replace(calm, lens=Lens(cover_s=(10.0, 20.0))))
    assert covered.render(15.0).mean() < 20
    assert covered.masks(15.0) == []
    assert np.array_equal(covered.render(9.9), SimulatedStreet(calm).render(9.9))
    assert np.array_equal(covered.render(20.0), SimulatedStreet(calm).render(20.0))
    turned = SimulatedStreet(msgspec.structs.replace(calm, lens=Lens(turn_s=30.0)))
    before, after = turned.render(29.9).astype(np.int16), turned.render(30.0).astype(np.int16)
    assert np.abs(before - after).mean() > 8
    assert np.array_equal(turned.render(29.9), SimulatedStreet(calm).render(29.9))


def test_trials_are_scenes_times_seeds() -> None:
    result = list(trials(["day", "rain"], [1, 2, 3], 4.0, **SMALL))
    assert [(trial.scene, trial.seed) for trial in result] == [(n, s) for n in ("day", "rain") for s in (1, 2, 3)]
    assert result[0].street().frames == 40


@pytest.mark.parametrize(
    ("values", "hint"),
    [({"sead": 3}, "seed"), ({"width": 10}, "width"), ({"traffic": {"day_shape": [1.0]}}, "24"), ({"fps": "x"}, "fps")],
)
def test_a_wrong_setting_is_refused_with_what_to_do(values: dict[str, object], hint: str) -> None:
    with pytest.raises((SceneError, msgspec.ValidationError), match=hint):
        StreetSettings.of(values)


def test_a_varied_scene_is_another_street_with_every_seed() -> None:
    first, second = (scene("shadow~", seed=seed) for seed in (1, 2))
    assert first == scene("shadow~", seed=1)
    assert first.view != second.view
    assert first.road != second.road
    assert first.light.sun == second.light.sun == SCENES["shadow"].light.sun
    for seed in range(15):
        lay_out(scene("everything~", seed=seed))


def test_an_unknown_scene_is_refused_with_the_nearest() -> None:
    with pytest.raises(SceneError, match="did you mean 'night'"):
        scene("nigt")


def test_a_view_that_misses_the_street_is_refused() -> None:
    with pytest.raises(SceneError, match="axis_m"):
        SimulatedStreet(StreetSettings(view=View(axis_m=5.0)))
