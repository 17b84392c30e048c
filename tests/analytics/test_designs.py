from __future__ import annotations

import numpy as np
import pandas as pd
from tests.analytics.streets import MEASURE, ZONE, town

from telstraat_analytics import Measure, Question, as_counts, evaluate, evaluate_all, monitor
from telstraat_analytics.designs.monitoring import Course, Held, Monitoring, sequential_factor
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.model.priors import CONTROL_HISTORY_DAYS, HISTORY_DAYS
from telstraat_analytics.report.content import evaluation_content
from telstraat_analytics.report.following import week_sentences
from telstraat_analytics.report.write import html

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
    assert net.treated is not None
    assert net.treated.per_day < 0 < net.boundary.per_day
    assert net.balance.low < net.balance.per_day < net.balance.high
    assert "boundary" in answer.sentence("en")
    assert ("evaporated, or went" in answer.sentence("en")) == (net.balance.high < 0)


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


def test_an_answer_in_parts_shows_the_hours_the_way_and_the_speeds_that_changed() -> None:
    frame = town(56, ("a", "c", "d"), before=63, after=28)
    local = frame["start"].dt.tz_convert(ZONE)
    after = (frame["segment"] == "a") & (local >= pd.Timestamp(MEASURE, tz=ZONE))
    frame.loc[after & (local.dt.hour == 8), "car"] *= 0.3
    frame["car_lft"], frame["car_rgt"] = frame["car"] * 0.5, frame["car"] * 0.5
    frame.loc[after, "car_lft"] *= 0.4
    rng = np.random.default_rng(2)
    frame["car_speed"] = [
        np.histogram(np.clip(rng.normal(38 if slow else 45, 7, int(cars)), 0, 124), bins=25, range=(0, 125))[0].tolist()
        for cars, slow in zip(frame["car"], after, strict=True)
    ]
    measure = Measure("m", MEASURE, ("a",), ("c", "d"), timezone=ZONE, after_days=28)
    answer = evaluate(frame, measure, Question("car", hours=(8, 12)), by=("speed", "hour", "direction"))
    effects = {item.by: {part.key: part.effect for part in item.parts if part.effect} for item in answer.parts}
    assert list(effects) == ["hour", "direction", "speed"]
    assert effects["hour"][8].high < -0.4 < effects["hour"][12].high
    assert effects["direction"]["lft"].high < 0
    assert effects["direction"]["lft"].estimate < effects["direction"]["rgt"].estimate
    assert effects["speed"][40].high < -0.2, "far fewer drive faster than 40"
    assert 20 not in effects["speed"], "all drive faster than 20, before and after"
    page = html(evaluation_content([answer], "fr"))
    assert "au-dessus de 40 km/h" in page
    assert "de A vers B" in page


def test_looking_every_week_makes_intervals_wider_and_news_only_when_something_is_new() -> None:
    assert 2.5 < sequential_factor(0.1) < 3.5
    frame = town(54, ("a", "c"), before=70, after=42, effects={"a": {"car": -0.5}})
    measure = Measure("m", MEASURE, ("a",), ("c",), timezone=ZONE, after_days=42)
    monitoring = monitor(frame, measure, Question("car", hours=HOURS))[0]
    single = evaluate(frame, measure, Question("car", hours=HOURS)).effect
    assert single is not None
    last = monitoring.looks.iloc[-1]
    assert last["high"] - last["low"] > single.high - single.low
    assert monitoring.course == "too early"
    assert monitoring.state["claim"] == "fell"
    assert monitoring.news_since({}) == ("claim",)
    assert monitoring.news_since(monitoring.state) == ()
    assert week_sentences(monitoring, measure, Question("car"), "nl")[0].startswith("Het autoverkeer in a, ")


def followed(estimate: float, half: float, course: Course = "steady", edge: Held | None = None) -> Monitoring:
    looks = pd.DataFrame([{"weeks": 9, "estimate": estimate, "low": estimate - half, "high": estimate + half}])
    return Monitoring("a", looks, course, {"x": edge} if edge else {})


def test_news_is_what_is_claimed_or_given_up_and_an_effect_that_begins_to_fade() -> None:
    known = {"claim": "fell", "course": "steady", "boundary x": "unclear"}
    assert followed(-0.3, 0.1).news_since(known) == ()
    assert followed(-0.1, 0.2).news_since(known) == ("claim",)
    assert followed(-0.3, 0.1, "fades").news_since(known) == ("course",)
    assert followed(-0.3, 0.1, "fades").news_since({**known, "course": "fades"}) == ()
    assert followed(-0.3, 0.1, edge=(0.2, 0.1, 0.3)).news_since(known) == ("boundary x",)
    assert followed(-0.1, 0.2).news_since({}) == (), "that nothing can be said yet is no news"


def test_an_effect_that_is_gone_after_half_the_time_is_said_to_fade() -> None:
    frame = town(55, ("a", "c", "d", "e"), before=84, after=112, effects={"a": {"car": -0.6}})
    back = (frame["segment"] == "a") & (frame["start"] >= pd.Timestamp(MEASURE, tz=ZONE) + pd.Timedelta(days=56))
    frame.loc[back, "car"] = (frame.loc[back, "car"] / 0.4).round()
    measure = Measure("m", MEASURE, ("a",), ("c", "d", "e"), timezone=ZONE, after_days=112)
    monitoring = monitor(frame, measure, Question("car", hours=HOURS), weeks=[16])[0]
    assert monitoring.course == "fades"
    assert len(monitoring.looks) == 1


def test_the_street_itself_is_looked_at_for_two_years_and_what_it_is_compared_with_for_one() -> None:
    frame = as_counts(town(54, ("a", "c"), before=800, after=28))
    measure = Measure("m", MEASURE, ("a",), ("c",), timezone=ZONE, after_days=28)
    tables = prepare(frame, measure).tables
    days = {name: (pd.Timestamp(MEASURE) - table["day"].min()).days for name, table in tables.items()}
    assert days == {"a": HISTORY_DAYS, "c": CONTROL_HISTORY_DAYS}
    assert HISTORY_DAYS > 2 * 365 + 28
    assert CONTROL_HISTORY_DAYS > 365 + 28
