"""The one list of classes, directions and bins fits what is on the wire."""

from __future__ import annotations

import msgspec

from telstraat_api.v1.shapes import Kinds
from telstraat_contract.messages import Confidence, Counts, Directed
from telstraat_contract.road_users import (
    ACTIVE,
    CLASSES,
    CONFIDENCE_COLUMNS,
    COUNT_COLUMNS,
    COUNTED,
    DIRECTIONS,
    MOTORIZED,
    TOGETHER,
    columns_of,
)


def test_a_report_carries_what_the_list_names_in_its_order() -> None:
    assert Counts.__struct_fields__ == COUNTED
    assert Confidence.__struct_fields__ == CLASSES
    assert Directed.__struct_fields__ == DIRECTIONS
    assert list(msgspec.to_builtins(Counts())) == list(COUNTED)


def test_a_part_stands_behind_its_class_and_the_unclassified_last() -> None:
    assert COUNTED == ("pedestrian", "bike", "motorcycle", "car", "heavy", "night")
    assert TOGETHER == ("pedestrian", "bike", "car", "heavy", "night")


def test_each_class_moves_by_itself_or_by_motor() -> None:
    assert sorted((*ACTIVE, *MOTORIZED)) == sorted(CLASSES)


def test_columns_are_named_by_class_and_direction() -> None:
    assert COUNT_COLUMNS[:4] == ("pedestrian_lft", "pedestrian_rgt", "bike_lft", "bike_rgt")
    assert len(COUNT_COLUMNS) == len(COUNTED) * len(DIRECTIONS)
    assert CONFIDENCE_COLUMNS == ("pedestrian_conf", "bike_conf", "car_conf", "heavy_conf")
    assert columns_of("car") == ("car_lft", "car_rgt")


def test_the_api_shows_what_the_list_names_in_its_order() -> None:
    assert tuple(Kinds.model_fields) == COUNTED
