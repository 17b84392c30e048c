"""R11: any service may be killed, paused or restarted at any moment, in any order; at the end the table is the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from telstraat_demo.chaos.run import ChaosSettings, ChaosVerdict, run_chaos
from telstraat_demo.stack.broker import mosquitto_program

needs_mosquitto = pytest.mark.skipif(
    not mosquitto_program(), reason="MOSQUITTO IS NOT INSTALLED (apt install mosquitto)"
)


def report_of(verdict: ChaosVerdict) -> str:
    return "\n".join(
        [f"drained: {verdict.drained}", *verdict.deaths, *verdict.differences[:20], f"history: {verdict.history}"]
    )


@needs_mosquitto
def test_a_few_seconds_of_chaos_lose_and_double_nothing(reachable_folder: Path) -> None:
    settings = ChaosSettings(seconds=8.0, seed=11, sensors=6, processes=2)
    verdict = run_chaos(settings, reachable_folder / "chaos-8", lambda _: None)
    assert verdict.green, report_of(verdict)
    assert verdict.reports == verdict.rows == 6 * 8
    assert verdict.epochs == 6
    assert verdict.figures is not None
    assert sum(verdict.figures.faults.values()) <= verdict.operations
    assert verdict.figures.sensors["sent"] > 0
    assert verdict.figures.ingesters["received"] > 5 * verdict.reports, "the hostile sensor was there all along"
    assert verdict.figures.ingesters["received"] >= verdict.figures.ingesters["inserted"] > 0
    assert verdict.operations >= 3


@pytest.mark.slow
@needs_mosquitto
def test_a_minute_of_chaos_with_twenty_sensors_loses_and_doubles_nothing(reachable_folder: Path) -> None:
    verdict = run_chaos(ChaosSettings(seconds=60.0, seed=1, sensors=20), reachable_folder / "chaos-60", lambda _: None)
    assert verdict.green, report_of(verdict)
    assert verdict.reports > 1000
    assert verdict.operations > 20


@pytest.mark.slow
def test_a_broker_that_forgets_everything_loses_nothing_either(reachable_folder: Path) -> None:
    pytest.importorskip("amqtt")
    settings = ChaosSettings(seconds=30.0, seed=2, sensors=6, processes=2, broker="amqtt")
    verdict = run_chaos(settings, reachable_folder / "chaos-amqtt", lambda _: None)
    assert verdict.green, report_of(verdict)
