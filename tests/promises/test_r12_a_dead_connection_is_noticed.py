"""R12: a half-open connection (bytes are swallowed, nobody hangs up) is noticed within keep-alive times 1.5."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.device.wires import device_settings, server_of, wire
from tests.harness.brokers import TestBroker
from tests.harness.processes import wait_until

from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy

KEEPALIVE_S = 4
SLACK_S = 1.5  # paho looks once a second; this machine may be busy


@pytest.mark.parametrize("sending", [False, True], ids=["silent", "sending"])
def test_a_half_open_connection_is_noticed_and_everything_arrives_over_a_new_one(
    mosquitto: TestBroker, tmp_path: Path, fault_proxy: Callable[[int], FaultProxy], sending: bool
) -> None:
    sensor = f"r12-{sending}".lower()
    proxy = fault_proxy(mosquitto.port)
    settings = device_settings(tmp_path, sensor, proxy.port, broker={"keepalive_s": KEEPALIVE_S})
    with server_of(mosquitto, sensor) as server, wire(settings) as w:
        wait_until(lambda: w.publisher.counters.connects == 1)
        proxy.blackhole()
        if sending:
            w.close_quarters(1, 3)
        wait_until(lambda: any("lost" in text for text in w.publisher.alarms()), KEEPALIVE_S * 1.5 + SLACK_S)
        if not sending:
            w.close_quarters(1, 3)
        proxy.heal()
        server.listen(lambda: set(server.seqs) == {1, 2, 3})
        server.receipt(through=3)
        wait_until(lambda: w.outbox.waiting_count() == 0)
