"""The example dashboard in deploy/: its questions have answers, under a role that can ask nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from telstraat_store.places import add_sensor, draw_segment

GRAFANA = Path(__file__).resolve().parents[2] / "deploy/grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "sensor.json").read_text())
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
QUESTIONS = {title: panel["targets"][0]["rawSql"] for title, panel in PANELS.items()}
HOUR = datetime(2026, 5, 4, 12, tzinfo=UTC)
COLUMNS = [
    f"{name}_{way}" for name in ("pedestrian", "bike", "motorcycle", "car", "heavy", "night") for way in ("lft", "rgt")
]


def asked_by_grafana(question: str, sensor: str = "elm-1") -> str:
    """Put in what Grafana puts in for its macros and variables."""
    question = re.sub(
        r"\$__timeFilter\(([^)]+)\)", r"\1 between '2026-05-01T00:00:00Z' and '2026-06-01T00:00:00Z'", question
    )
    return question.replace("${sensor:sqlstring}", "'" + sensor.replace("'", "''") + "'")


@pytest.fixture
def reader(database: str) -> Iterator[psycopg.Connection]:
    """A connection as the role of reader.sql, to a database with an hour of counts; nothing of it stays."""
    with psycopg.connect(database) as connection:
        segment = draw_segment(connection, "Elm Street", ((4.70, 50.88), (4.71, 50.88)))
        sensor = add_sensor(connection, "elm-1", segment, from_at=datetime(2026, 5, 1, tzinfo=UTC))
        cars = [0] * 25
        cars[5:8] = [5, 10, 5]
        seen = [10 if name.startswith("car") else 1 for name in COLUMNS]
        connection.execute(
            f"insert into rollup_hour (installation_id, hour_start, quarters, observed_s, dark_s, flags, car_speed,"
            f" {', '.join(f'{name}_seen' for name in COLUMNS)}, {', '.join(COLUMNS)})"
            f" values (%s, %s, 2, 1800, 0, 0, %s, {', '.join(['%s'] * 24)})",
            (sensor.installation_id, HOUR, cars, *seen, *(2.0 * count for count in seen)),
        )
        connection.execute((GRAFANA / "reader.sql").read_text())
        connection.execute("set local role telstraat_grafana")
        yield connection
        connection.rollback()


def test_every_panel_has_an_answer(reader: psycopg.Connection) -> None:
    answers = {title: reader.execute(asked_by_grafana(question)).fetchall() for title, question in QUESTIONS.items()}
    assert answers["Road users an hour"] == [(HOUR, 4, 4, 40, 4, 4)]
    assert answers["Share of the time that was observed"] == [(HOUR, 0.5)]
    assert answers["Counted in the time shown"] == [(28,)]
    assert float(answers["Last hour with counts"][0][0]) == HOUR.timestamp() * 1000
    ((hour, v85),) = answers["Speed that 85 % of cars stay below"]
    assert hour == HOUR
    assert float(v85) == pytest.approx(37.0), "17 of 20 cars: 15 below 35 km/h, and 2 of the 5 up to 40"


def test_the_list_of_sensors_can_be_asked_for(reader: psycopg.Connection) -> None:
    variable = next(entry for entry in DASHBOARD["templating"]["list"] if entry["name"] == "sensor")
    assert reader.execute(variable["query"]).fetchall() == [("elm-1",)]


@pytest.mark.parametrize(
    "question", ["select secret from sensor", "select * from report", "select * from account", "delete from sensor"]
)
def test_the_role_can_ask_nothing_else(reader: psycopg.Connection, question: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        reader.execute(question)


def test_a_name_is_quoted_by_grafana_and_never_by_hand() -> None:
    for question in QUESTIONS.values():
        assert "${sensor:sqlstring}" in question
        assert "$sensor" not in question.replace("${sensor:sqlstring}", "")


def test_panels_lie_beside_each_other_and_have_what_grafana_asks_of_them() -> None:
    assert {"title", "uid", "schemaVersion", "panels", "templating", "time"} <= DASHBOARD.keys()
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(PANELS) == 5
    taken: set[tuple[int, int]] = set()
    for panel in PANELS.values():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        (target,) = panel["targets"]
        assert {"refId", "datasource", "format", "rawSql"} <= target.keys()
        assert target["datasource"]["uid"] == "${database}"
