"""Classes from boxes that the model itself could have made, on streets of unknown scale."""

from __future__ import annotations

import math

import numpy as np
import pytest

from telstraat_device.classify import BODIES, Body, Classifier, Seen

CAR, PERSON, BICYCLE, BUS = BODIES[3], BODIES[0], BODIES[1], BODIES[6]


def seen(body: Body, scale: float, angle_deg: float, heading_deg: float, rng: np.random.Generator) -> Seen:
    """Project a body that heads along the ground; 0 degrees is across the picture."""
    angle, heading = math.radians(angle_deg), math.radians(heading_deg)
    hx, hy = abs(math.cos(heading)), abs(math.sin(heading))
    long_m, broad_m, tall_m = (v * math.exp(rng.normal(0, 0.06)) for v in (body.long_m, body.broad_m, body.tall_m))
    speed = body.speed_ms * math.exp(rng.normal(0, 0.25))
    w = scale * (long_m * hx + broad_m * hy)
    h = scale * ((long_m * hy + broad_m * hx) * math.sin(angle) + tall_m * math.cos(angle))
    vx, vy = scale * speed * hx, scale * speed * hy * math.sin(angle)
    return Seen(w, h, vx, vy, 100.0, body.fill * math.exp(rng.normal(0, 0.1)), body.wobble)


STREETS = [(scale, angle, heading) for scale in (10.0, 18.0, 35.0) for angle, heading in ((20, 0), (30, 60), (45, 90))]


@pytest.mark.parametrize(("scale", "angle", "heading"), STREETS)
def test_classes_are_told_on_a_street_of_unknown_scale(scale: float, angle: float, heading: float) -> None:
    rng = np.random.default_rng(7)
    classifier = Classifier(320, 100.0)
    right = total = 0
    for turn in range(60):
        body = (CAR, PERSON, CAR, BICYCLE, CAR, BUS)[turn % 6]
        name, confidence, _ = classifier.classify(seen(body, scale, angle, heading, rng))
        assert 0.0 <= confidence <= 1.0
        if turn >= 12:
            total += 1
            right += name == body.class_name
    assert right / total >= 0.9


@pytest.mark.parametrize("scale", [10.0, 18.0, 35.0])
def test_the_scale_is_learnt_from_cars_and_people(scale: float) -> None:
    rng = np.random.default_rng(3)
    classifier = Classifier(320, 100.0)
    before = classifier.scale()[1]
    for turn in range(60):
        classifier.classify(seen((CAR, PERSON)[turn % 2], scale, 24.0, 20.0, rng))
    middle, spread = classifier.scale()
    assert middle == pytest.approx(scale, rel=0.15)
    assert spread < 1.2 < before


def test_speed_follows_from_the_learnt_scale() -> None:
    rng = np.random.default_rng(3)
    classifier = Classifier(320, 100.0)
    for turn in range(80):
        classifier.classify(seen((CAR, PERSON)[turn % 2], 18.0, 24.0, 20.0, rng))
    exact = seen(CAR, 18.0, 24.0, 20.0, np.random.default_rng(11))
    true_kmh = 3.6 * math.hypot(exact.vx / 18.0, exact.vy / (18.0 * math.sin(math.radians(24.0))))
    assert classifier.classify(exact)[2] == pytest.approx(true_kmh, rel=0.15)


def test_a_scale_given_by_hand_stays() -> None:
    classifier = Classifier(320, 100.0, scale=21.0)
    classifier.classify(seen(PERSON, 40.0, 24.0, 0.0, np.random.default_rng(1)))
    assert classifier.scale()[0] == pytest.approx(21.0)
    assert classifier.scale()[1] == pytest.approx(1.0)


def test_the_same_crossings_give_the_same_classes() -> None:
    def run() -> list[tuple[str, float, float]]:
        rng, classifier = np.random.default_rng(5), Classifier(320, 100.0)
        return [classifier.classify(seen(BODIES[k % 8], 20.0, 30.0, 40.0, rng)) for k in range(30)]

    assert run() == run()


def test_nonsense_does_not_break_the_classifier() -> None:
    classifier = Classifier(320, 100.0)
    for odd in (Seen(0, 0, 0, 0, 0), Seen(1e4, 1, 1e5, -1e5, 500, 5.0, 9.0), Seen(3, 300, 0, 0, -50)):
        name, confidence, speed = classifier.classify(odd)
        assert name
        assert math.isfinite(confidence)
        assert math.isfinite(speed)
    assert np.isfinite(classifier.belief).all()
