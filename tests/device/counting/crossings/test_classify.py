"""Classes from boxes that the model itself could have made, on streets of unknown scale."""

from __future__ import annotations

import math

import numpy as np
import pytest

from telstraat_device.counting.crossings.bodies import BICYCLE, BODIES, CAR, LORRY, PERSON, BodyPrior, BodyPriors
from telstraat_device.counting.crossings.classify import Classifier
from telstraat_device.counting.crossings.perspective import Perspective
from telstraat_device.counting.tracking.observation import Observation


def observe(
    body: BodyPrior, scale: float, angle_deg: float, heading_deg: float, rng: np.random.Generator
) -> Observation:
    """Project a body that heads along the ground; 0 degrees is across the picture."""
    camera = Perspective(np.array([scale]), np.radians([angle_deg]), 320, 240, 100.0)
    heading, angle = math.radians(heading_deg), math.radians(angle_deg)
    speed = body.speed_ms * math.exp(rng.normal(0, 0.2))
    vx = scale * speed * math.cos(heading)
    v_foot = scale * speed * math.sin(heading) * math.sin(angle)
    point = camera.point(170.0, 110.0, vx, v_foot)
    wide, high, _ = camera.boxes(point, BodyPriors((body,)))
    size = math.exp(rng.normal(0, 0.06))
    return Observation(
        w=float(wide[0, 0, 0]) * size,
        h=float(high[0, 0, 0]) * size * math.exp(rng.normal(0, 0.03)),
        x=170.0,
        foot=110.0,
        vx=vx,
        v_foot=v_foot,
        fill=body.fill * math.exp(rng.normal(0, 0.1)),
        wobble=body.wobble,
        growth=v_foot / float(point.below_px[0]) + rng.normal(0, 0.05),
        growth_error=0.05,
    )


STREETS = [(scale, angle, heading) for scale in (10.0, 18.0, 35.0) for angle, heading in ((20, 0), (30, 60), (45, 90))]


@pytest.mark.parametrize(("scale", "angle", "heading"), STREETS)
def test_classes_are_told_on_a_street_of_unknown_scale(scale: float, angle: float, heading: float) -> None:
    rng = np.random.default_rng(7)
    classifier = Classifier(320, 240, 100.0)
    right = total = 0
    for turn in range(60):
        body = (CAR, PERSON, CAR, BICYCLE, CAR, LORRY)[turn % 6]
        name, confidence, _ = classifier.classify(observe(body, scale, angle, heading, rng))
        assert 0.0 <= confidence <= 1.0
        if turn >= 12:
            total += 1
            right += name == body.class_name
    assert right / total >= 0.9


@pytest.mark.parametrize("scale", [10.0, 18.0, 35.0])
def test_the_scale_is_learnt_from_cars_and_people(scale: float) -> None:
    rng = np.random.default_rng(3)
    classifier = Classifier(320, 240, 100.0)
    before = classifier.scale()[1]
    for turn in range(60):
        classifier.classify(observe((CAR, PERSON)[turn % 2], scale, 24.0, 20.0, rng))
    middle, spread = classifier.scale()
    assert middle == pytest.approx(scale, rel=0.1)
    assert spread < 1.2 < before


def test_a_street_where_only_people_pass_has_no_cars() -> None:
    rng = np.random.default_rng(5)
    classifier = Classifier(320, 240, 100.0)
    names = [classifier.classify(observe(PERSON, 36.0, 50.0, 90.0 if k % 3 else 20.0, rng))[0] for k in range(30)]
    assert names[3:].count("pedestrian") == 27


@pytest.mark.parametrize("heading", [0.0, 40.0, 70.0])
def test_speed_follows_from_the_learnt_scale_side_on_and_oblique(heading: float) -> None:
    rng = np.random.default_rng(3)
    classifier = Classifier(320, 240, 100.0)
    for turn in range(80):
        classifier.classify(observe((CAR, PERSON)[turn % 2], 18.0, 24.0, heading, rng))
    exact = observe(CAR, 18.0, 24.0, heading, np.random.default_rng(11))
    camera = Perspective(np.array([18.0]), np.radians([24.0]), 320, 240, 100.0)
    point = camera.point(exact.x, exact.foot, exact.vx, exact.v_foot)
    true_kmh = 3.6 * float(camera.boxes(point, BodyPriors((CAR,)))[2][0, 0, 0])
    assert classifier.classify(exact)[2] == pytest.approx(true_kmh, rel=0.1)


def test_a_scale_given_by_hand_stays() -> None:
    classifier = Classifier(320, 240, 100.0, scale=21.0)
    classifier.classify(observe(PERSON, 40.0, 24.0, 0.0, np.random.default_rng(1)))
    assert classifier.scale()[0] == pytest.approx(21.0)
    assert classifier.scale()[1] == pytest.approx(1.0)


def test_the_same_crossings_give_the_same_classes() -> None:
    def run() -> list[tuple[str, float, float]]:
        rng, classifier = np.random.default_rng(5), Classifier(320, 240, 100.0)
        return [classifier.classify(observe(BODIES[k % len(BODIES)], 20.0, 30.0, 40.0, rng)) for k in range(30)]

    assert run() == run()


def test_nonsense_does_not_break_the_classifier() -> None:
    classifier = Classifier(320, 240, 100.0)
    for odd in (
        Observation(0, 0, 0, 0, 0, 0),
        Observation(1e4, 1, 1e5, -1e5, 500, 5e3, 5.0, 9.0, 80.0, 1e-9, (9.0, -9.0, 1e5, 0.0)),
        Observation(3, 300, 0, 0, -50, 1e4, cut=(1.0, 1.0, 1.0, 1.0)),
    ):
        name, confidence, speed = classifier.classify(odd)
        assert name
        assert math.isfinite(confidence)
        assert math.isfinite(speed)
    assert np.isfinite(classifier.belief).all()


def test_in_the_dark_what_is_seen_is_more_likely_a_motor_vehicle() -> None:
    vague = Observation(w=30.0, h=25.0, x=160.0, foot=110.0, vx=140.0, v_foot=0.0)
    by_day, by_night = (Classifier(320, 240, 100.0).classify(vague, 0.25, dark=dark) for dark in (False, True))
    assert by_day[0] == "bicycle"
    assert by_night[0] == "car"
