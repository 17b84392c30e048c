"""What the counter knows of its view: covered, moved, dark, day and night."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from telstraat_device.counting.counter import Counter
from telstraat_device.counting.foreground.bitmask import words_per_row
from telstraat_device.counting.view import ViewWatch

WIDTH, HEIGHT = 320, 180
Picture = NDArray[np.uint8]


def street(seed: int = 0, tone: int = 110) -> Picture:
    """Return houses and a road: blocks of many sizes."""
    rng = np.random.default_rng(seed)
    picture = np.full((HEIGHT, WIDTH), tone, np.uint8)
    for _ in range(140):
        x, y = rng.integers(0, WIDTH), rng.integers(0, HEIGHT)
        w, h = rng.integers(4, 40, 2)
        picture[y : y + h, x : x + w] = rng.integers(tone // 3, min(255, 2 * tone))
    return picture


def watched(show: Callable[[float], Picture], seconds: float, moving: int = 0, brighter: int = 0) -> ViewWatch:
    """Show a view for some seconds at 10 frames a second, with noise."""
    watch, rng, empty = (
        ViewWatch(WIDTH, HEIGHT),
        np.random.default_rng(9),
        np.zeros((HEIGHT, words_per_row(WIDTH)), np.uint64),
    )
    for number in range(round(seconds * 10)):
        noisy = show(number / 10).astype(np.int16) + rng.integers(-1, 2, (HEIGHT, WIDTH))
        watch.update(number / 10, noisy.clip(0, 255).astype(np.uint8).ravel(), empty, moving, brighter)
    return watch


def test_a_street_by_day_is_just_that() -> None:
    watch = watched(lambda _: street(), 30)
    assert (watch.light, watch.blind, watch.moved, watch.too_dark) == ("day", False, False, False)


def test_a_covered_camera_is_noticed_within_seconds_and_sees_again() -> None:
    grey = np.full((HEIGHT, WIDTH), 30, np.uint8)
    assert watched(lambda t: street() if t < 15 else grey, 20).blind
    assert not watched(lambda t: grey if 15 <= t < 25 else street(), 30).blind


def test_a_camera_that_never_saw_anything_is_blind_from_the_start() -> None:
    assert watched(lambda _: np.full((HEIGHT, WIDTH), 30, np.uint8), 3).blind


def test_a_turned_camera_is_noticed_within_a_minute_and_forgiven_when_it_turns_back() -> None:
    other = np.roll(street(), 60, axis=1)
    assert watched(lambda t: street() if t < 20 else other, 75).moved
    assert not watched(lambda t: other if 20 <= t < 50 else street(), 70).moved


@pytest.mark.parametrize("times", [0.6, 0.8, 1.2])
def test_other_light_on_the_same_street_is_no_movement(times: float) -> None:
    lit = np.asarray((street() * times).clip(0, 255), np.uint8)
    assert not watched(lambda t: street() if t < 20 else lit, 60).moved


def test_a_trembling_camera_has_not_moved() -> None:
    assert not watched(lambda t: np.roll(street(), int(10 * t) % 3 - 1, axis=1), 60).moved


@pytest.mark.parametrize(("tone", "light"), [(110, "day"), (50, "dusk"), (30, "night")])
def test_light_is_told_by_brightness_without_traffic(tone: int, light: str) -> None:
    assert watched(lambda _: np.full((HEIGHT, WIDTH), tone, np.uint8), 5).light == light


def test_traffic_that_is_brighter_than_a_lit_street_means_night() -> None:
    assert watched(lambda _: street(), 10, moving=500, brighter=470).light == "night"
    assert watched(lambda _: street(), 10, moving=500, brighter=200).light == "day"


def test_black_is_too_dark_to_count() -> None:
    watch = watched(lambda _: np.full((HEIGHT, WIDTH), 4, np.uint8), 5)
    assert watch.too_dark
    assert watch.light == "night"


def houses(windows: int) -> Picture:
    """Return an even street by day before a house with so many dark windows."""
    picture = np.full((HEIGHT, WIDTH), 115, np.uint8)
    for number in range(windows):
        picture[5:50, 6 + 40 * number : 36 + 40 * number] = 50
    picture[58:60] = picture[150:152] = 205
    return picture


def paint(picture: Picture, x: int) -> None:
    """Draw a pale car, as bright from edge to edge."""
    picture[80:110, max(0, x) : max(0, x + 60)] = 195


def lamp(picture: Picture, x: int) -> None:
    """Add the light of a lamp: it fades with the distance."""
    across, down = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    light = 240.0 * np.exp(-(((across - x) / 16.0) ** 2 + ((down - 95) / 16.0) ** 2))
    picture[:] = np.minimum(255, picture + light).astype(np.uint8)


@pytest.mark.parametrize(
    ("background", "pass_by", "light"),
    [
        (houses(0), paint, "day"),
        (houses(7), paint, "day"),
        (street(), paint, "day"),
        (street(tone=90), lamp, "night"),
        (houses(7), lamp, "night"),
    ],
    ids=["pale cars", "pale cars and dark windows", "pale cars in a busy street", "lamps", "lamps and dark walls"],
)
def test_what_moves_tells_the_night_only_where_its_light_fades(
    background: Picture, pass_by: Callable[[Picture, int], None], light: str
) -> None:
    counter, rng = Counter(WIDTH, HEIGHT, ((160.0, 20.0), (160.0, 170.0))), np.random.default_rng(3)
    for number in range(250):
        picture = background.copy()
        pass_by(picture, number * 12 % (WIDTH + 120) - 60)
        noisy = picture.astype(np.int16) + rng.integers(-2, 3, (HEIGHT, WIDTH))
        counter.process(noisy.clip(0, 255).astype(np.uint8), number / 10)
    assert counter.view.light == light
