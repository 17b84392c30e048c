"""R18: it runs for weeks: through all that befalls a sensor the table is the truth, and memory, files and bytes stay as they were."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.soak.frames import count_frames
from bench.soak.year import GAPS, YEAR_DAYS, Events, Year, a_day

from telstraat_demo.stack.broker import mosquitto_program

DAYS = 2.0
OF_THE_YEAR = YEAR_DAYS / DAYS
EVENTS: Events = tuple(
    (day * OF_THE_YEAR, lasts * OF_THE_YEAR, what)
    for day, lasts, what in (
        (0.15, 0.0, "power cut"),
        (0.3, 0.0, "power cut, clock unset"),
        (0.6, 0.2, "broker away"),
        (1.0, 0.0, "settings"),
        (1.1, 0.0, "settings that cannot be"),
        (1.2, 0.1, "disk full"),
        (1.5, 0.1, "broker forgets"),
    )
)


def test_days_with_all_that_befalls_a_sensor_end_with_a_table_that_is_the_truth(reachable_folder: Path) -> None:
    if not mosquitto_program():
        pytest.skip("MOSQUITTO IS NOT INSTALLED: no soak runs (apt install mosquitto)")
    verdict = Year(DAYS, 25_000, lambda _text: None, EVENTS, GAPS[:1]).run(reachable_folder / "soak")
    assert verdict.drained
    assert verdict.differing == []
    assert verdict.quarantined == 0
    assert verdict.unsound == []
    assert verdict.untouched > 0.7 * DAYS * 96
    assert 0 <= verdict.lost_crossings <= verdict.lost_bound < 30
    assert verdict.crossings > 5_000
    assert verdict.events["broker away"] == 1
    if "disk full" not in verdict.events:
        pytest.skip("NO MEMORY CARD OF ITS OWN: it needs root and loop devices; no disk was filled, no byte counted")
    assert 5 < a_day(verdict.samples[-10:]) < 25, "megabytes a day: the card's goal is 20"


def test_many_frames_leave_the_counting_core_as_large_as_it_was() -> None:
    verdict = count_frames(50_000, lambda _text: None)
    assert verdict.green, verdict.sentence()
