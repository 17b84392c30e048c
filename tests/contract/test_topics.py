"""Topics and quarters: what they look like, and what is refused."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telstraat_contract.errors import SensorNameError, TopicError
from telstraat_contract.quarters import QUARTER, is_quarter_start, quarter_start
from telstraat_contract.topics import DOWN, UP, Channel, Topic, check_sensor_name, parse_topic, topic


def test_a_topic_names_version_sensor_and_channel() -> None:
    assert topic("elm-1", Channel.REPORT) == "telstraat/v1/elm-1/report"
    assert parse_topic("telstraat/v1/elm-1/report") == Topic("elm-1", Channel.REPORT)


def test_every_channel_has_one_writer() -> None:
    assert set(UP) | set(DOWN) == set(Channel)
    assert not set(UP) & set(DOWN)


@pytest.mark.parametrize("name", ["a", "7", "elm-1", "a" * 63, "x9-y"])
def test_a_plain_name_may_be_a_sensors(name: str) -> None:
    assert check_sensor_name(name) == name
    assert parse_topic(topic(name, Channel.LIVE)).sensor == name


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a" * 64, "a/b", "a+b", "#", "a b", "é", "a\n", "a.b", "$sys"])
def test_a_name_that_could_mean_something_else_is_refused(name: str) -> None:
    with pytest.raises(SensorNameError):
        topic(name, Channel.REPORT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "telstraat/v1/a",
        "telstraat/v2/a/report",
        "telstraat/v1/a/report/x",
        "telstraat/v1/a/picture",
        "x/v1/a/report",
    ],
)
def test_a_foreign_topic_is_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(TopicError, match="topic"):
        parse_topic(text)


@given(st.integers(0, 4_102_444_800), st.integers(-840, 840))
def test_every_moment_lies_in_one_aligned_quarter_whatever_its_time_zone(at_s: int, offset_min: int) -> None:
    at = datetime.fromtimestamp(at_s, timezone(timedelta(minutes=offset_min)))
    start = quarter_start(at)
    assert start <= at < start + QUARTER
    assert is_quarter_start(start)
    assert start.utcoffset() == timedelta(0)
