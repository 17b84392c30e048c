"""Names on maps that the server draws: each readable, none over another, none cut off."""

from __future__ import annotations

import itertools
import math
import re

import httpx
import psycopg
import pytest
from tests.api.streets import add_segment

from telstraat_api.web.map_names import FreeRoom, MapName, ems, length, names_drawn, runs_within
from telstraat_api.web.street.street_map import cut_to_picture

LEVEL = [(20.0, 100.0), (380.0, 100.0)]


def test_a_name_runs_along_its_street_from_left_to_right_whichever_way_that_was_drawn() -> None:
    for line in (LEVEL, LEVEL[::-1]):
        drawn = str(names_drawn([MapName("Kerkstraat", line, lift=15.0)], 14.0, FreeRoom(400, 300), "n"))
        xs = [float(x) for x in re.findall(r"[ML](-?\d+) ", drawn)]
        assert xs == sorted(xs)
        assert xs[-1] - xs[0] > ems("Kerkstraat") * 14.0
        assert 'href="#n0"' in drawn


def test_no_two_of_many_names_lie_over_each_other() -> None:
    lines = [[(10.0 + 3 * n, 20.0 + 9 * n), (380.0, 30.0 + 8 * n)] for n in range(30)]
    room = FreeRoom(400, 300)
    names = [MapName(f"Burgemeesterstraße {n}", line, lift=12.0, is_sure=True) for n, line in enumerate(lines)]
    drawn = str(names_drawn(names, 14.0, room, "n"))
    assert 4 < drawn.count("<text") < 30
    taken = re.findall(r'd="M([^"]+)"', drawn)
    paths = [[tuple(map(float, point.split())) for point in d.split("L")][1:-1] for d in taken]
    for one_path, other in itertools.combinations(paths, 2):
        assert min(math.dist(a, b) for a in one_path for b in other) > 14.0


def test_a_name_without_room_along_its_street_stands_level_only_where_it_may() -> None:
    short = [(200.0, 150.0), (204.0, 154.0)]
    assert names_drawn([MapName("Kerkstraat", short)], 14.0, FreeRoom(400, 300), "n") == ""
    level = names_drawn([MapName("Kerkstraat", short, is_sure=True)], 14.0, FreeRoom(400, 300), "n")
    assert "textPath" not in level
    assert "Kerkstraat" in level
    assert names_drawn([MapName("Kerkstraat", short, is_sure=True)], 14.0, FreeRoom(60, 300), "n") == ""


@pytest.mark.parametrize("line", [[], [(1.0, 1.0)], [(5.0, 5.0), (5.0, 5.0)], [(math.inf, 0.0), (0.0, 0.0)]])
def test_a_line_that_leads_nowhere_has_no_name_along_it(line: list[tuple[float, float]]) -> None:
    assert names_drawn([MapName("Kerkstraat", line)], 14.0, FreeRoom(400, 300), "n") == ""


def test_what_lies_outside_a_picture_is_left_out_of_it() -> None:
    line = [(-900.0, 50.0), (-50.0, 50.0), (50.0, 50.0), (900.0, 50.0), (5000.0, 50.0)]
    assert list(runs_within(line, 100, 100)) == [line[1:4]]
    far = [(-9000.0, -9000.0), (9000.0, -9000.0), (9000.0, 9000.0), (-9000.0, 9000.0)]
    assert all(-31 <= x <= 511 and -31 <= y <= 431 for x, y in cut_to_picture(far))
    assert cut_to_picture([(-90.0, 0.0), (-80.0, 0.0), (-80.0, 9.0)]) == []
    assert length(cut_to_picture([(1.0, 1.0), (9.0, 1.0), (9.0, 9.0)])) > 0


def test_a_streets_place_is_drawn_before_any_script(client: httpx.Client, connection: psycopg.Connection) -> None:
    page = client.get(f"/street/{add_segment(connection, 'Kerk & Toren')}").text
    (picture,) = re.findall(r'<svg class="street-map".*?</svg>', page, re.DOTALL)
    assert "Kerk &amp; Toren" in picture
    assert re.findall(r">([AB])</text>", picture) == ["A", "B"]
    assert "leaflet" not in page
    waiting = re.findall(r"<[^>]*>(?:\s*Waiting for the sensor)", page)
    assert all("needs-script" in tag for tag in waiting)
    assert "<noscript>" in page
