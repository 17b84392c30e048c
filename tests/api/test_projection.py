"""Lines that lie somewhere are drawn as they lie: north above, a metre as long to every side, whole within the picture."""

from __future__ import annotations

import math

import pytest

from telstraat_api.web.my.place_pages import HEIGHT, WIDTH, drawn_streets
from telstraat_api.web.projection import box_around, lines_in, projection_for

KERKSTRAAT = (4.69, 50.87, 4.71, 50.88)


@pytest.mark.parametrize(
    "box", [KERKSTRAAT, (4.7, 50.0, 4.7, 51.0), (-71.1, -33.0, -70.1, -33.0), (4.7, 50.9, 4.7, 50.9)]
)
def test_a_box_lies_whole_and_in_the_middle_of_its_picture(box: tuple[float, float, float, float]) -> None:
    projection = projection_for(box, 640, (200, 400), edge=20)
    left, top = projection.point(box[0], box[3])
    right, bottom = projection.point(box[2], box[1])
    assert 200 <= projection.height <= 400
    assert 20 <= left + 1e-6 <= right + 2e-6 <= 620 + 3e-6
    assert 20 <= top + 1e-6 <= bottom + 2e-6 <= projection.height - 20 + 3e-6
    assert (left + right) / 2 == pytest.approx(320)
    assert (top + bottom) / 2 == pytest.approx(projection.height / 2)


def test_a_metre_is_as_long_to_the_east_as_to_the_north() -> None:
    projection = projection_for(KERKSTRAAT, 1000, (100, 900))
    east = projection.point(4.701, 50.875)[0] - projection.point(4.7, 50.875)[0]
    north = projection.point(4.7, 50.875)[1] - projection.point(4.7, 50.876)[1]
    assert east / north == pytest.approx(math.cos(math.radians(50.875)), rel=1e-6)


def test_a_street_to_the_north_east_is_drawn_as_one_where_a_sensor_is_placed() -> None:
    to_the_east = 0.001 / math.cos(math.radians(60))
    street = {"type": "LineString", "coordinates": [[10.0, 60.0], [10.0 + to_the_east, 60.001]]}
    (drawn,) = drawn_streets([(1, "Kerkstraat", street)])
    (ax, ay), (bx, by) = drawn.a, drawn.b
    assert bx - ax == pytest.approx(ay - by, abs=0.3)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in (drawn.a, drawn.b))


def test_nothing_has_no_box_and_every_kind_of_geometry_its_lines() -> None:
    ring = [[0, 0], [1, 0], [1, 1], [0, 0]]
    assert box_around([]) is None
    assert lines_in({"type": "MultiLineString", "coordinates": [ring, ring]}) == [(ring, False)] * 2
    assert lines_in({"type": "MultiPolygon", "coordinates": [[ring], [ring]]}) == [(ring, True)] * 2
    assert lines_in({"type": "Polygon", "coordinates": [ring]}) == [(ring, True)]


def test_a_street_of_ten_thousand_points_is_drawn_with_as_many_as_can_be_told_apart() -> None:
    street = [(4.69 + i * 2e-6, 50.875 + math.sin(i / 50) * 1e-4) for i in range(10_000)]
    projection = projection_for(KERKSTRAAT, 1000, (100, 900))
    drawn = projection.line(street)
    assert len(drawn) < 2000
    assert (drawn[0], drawn[-1]) == (projection.point(*street[0]), projection.point(*street[-1]))
    whole = [projection.point(*place) for place in street]
    assert max(min(math.dist(place, near) for near in drawn) for place in whole[::97]) < 1.1


def test_a_street_without_length_keeps_both_of_its_ends() -> None:
    projection = projection_for(KERKSTRAAT, 1000, (100, 900))
    assert len(projection.line([(4.7, 50.875)] * 9)) == 2
    assert len(projection.line([(4.7, 50.875)])) == 1
    assert projection.line([]) == []
