from __future__ import annotations

import numpy as np
import pandas as pd
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Measure, Question, evaluate, evaluate_all, monitor
from telstraat_analytics.designs.monitoring import sequential_factor

HOURS = tuple(range(8, 19))


def test_traffic_that_moves_to_the_boundary_is_found_there() -> None:
    frame = town(51, ("a", "b", "x", "c", "d"), effects={"a": {"car": -0.5}, "b": {"car": -0.5}, "x": {"car": 0.5}})
    measure = Measure("m", MEASURE, ("a", "b"), ("c", "d"), ("x",), timezone=ZONE, after_days=28)
    answer = evaluate(frame, measure, Question("car", hours=HOURS))
    net = answer.network
    assert net is not None
    assert net.boundary is not None
    assert net.balance is not None
    assert net.area.high < 0
    assert net.treated.per_day < 0 < net.boundary.per_day
    assert net.balance.low < net.balance.per_day < net.balance.high
    assert "boundary" in answer.sentence("en")


def test_modal_shift_and_direction_are_answered() -> None:
    frame = town(52, ("a", "c"), effects={"a": {"car": -0.5, "bike": 0.5}})
    for name in ("car", "bike"):
        frame[f"{name}_lft"] = frame[name] / 2
        frame[f"{name}_rgt"] = frame[name] / 2
    measure = Measure("m", MEASURE, ("a",), ("c",), timezone=ZONE, after_days=28)
    shift, way = evaluate_all(frame, measure, [Question("bike_share", hours=HOURS), Question("car", "lft", HOURS)])
    assert shift.effect is not None
    assert shift.effect.unit == "points"
    assert shift.effect.low > 0
    assert way.effect is not None
    assert way.effect.high < 0


def test_a_lower_speed_is_found_in_v85_and_above_the_limit() -> None:
    frame = town(53, ("a", "c"))
    rng = np.random.default_rng(1)
    slower = (frame["segment"] == "a") & (frame["start"] >= pd.Timestamp(MEASURE, tz=ZONE))
    speeds = []
    for cars, slow in zip(frame["car"], slower, strict=True):
        kmh = rng.normal(38 if slow else 45, 7, int(cars))
        speeds.append(np.histogram(np.clip(kmh, 0, 124), bins=25, range=(0, 125))[0].tolist())
    measure = Measure("m", MEASURE, ("a",), ("c",), timezone=ZONE, after_days=28, speed_limit_kmh=50)
    v85, above = evaluate_all(
        frame.assign(car_speed=speeds), measure, [Question("v85", hours=HOURS), Question("above_limit", hours=HOURS)]
    )
    assert v85.effect is not None
    assert above.effect is not None
    assert v85.effect.low < -7 < v85.effect.high
    assert above.effect.high < 0
    assert "km/h" in v85.sentence("fr")


def test_looking_every_week_makes_intervals_wider_and_news_only_when_something_is_new() -> None:
    assert 2.5 < sequential_factor(0.1) < 3.5
    frame = town(54, ("a", "c"), before=70, after=42, effects={"a": {"car": -0.5}})
    measure = Measure("m", MEASURE, ("a",), ("c",), timezone=ZONE, after_days=42)
    found = monitor(frame, measure, Question("car", hours=HOURS))[0]
    single = evaluate(frame, measure, Question("car", hours=HOURS)).effect
    assert single is not None
    last = found.looks.iloc[-1]
    assert last["high"] - last["low"] > single.high - single.low
    assert found.course == "too early"
