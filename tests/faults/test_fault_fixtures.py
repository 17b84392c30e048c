from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from tests.harness.brokers import TestBroker, client_of
from tests.harness.disks import fill
from tests.harness.processes import alive, family, kill, paused, wait_until, wait_until_gone

from telstraat_demo.stack.postgres import Postgres
from telstraat_firmware_sim.chaos.fault_proxy import FaultProxy


def test_a_client_talks_through_the_proxy_until_it_is_cut(
    fresh_mosquitto: TestBroker, fault_proxy: Callable[[int], FaultProxy]
) -> None:
    proxy = fault_proxy(fresh_mosquitto.port)
    with client_of(fresh_mosquitto, fresh_mosquitto.ingest_user, port=proxy.port) as client:
        assert client.subscribe("telstraat/v1/+/report")
        proxy.cut()
        assert client.connected()  # it came back by itself
    assert proxy.connections >= 2


def test_a_database_behind_a_black_hole_times_out(postgres: Postgres, fault_proxy: Callable[[int], FaultProxy]) -> None:
    proxy = fault_proxy(postgres.port)
    through = postgres.dsn().replace(f":{postgres.port}/", f":{proxy.port}/")
    psycopg.connect(through).close()
    proxy.blackhole()
    with pytest.raises(psycopg.OperationalError, match="timeout"):
        psycopg.connect(through, connect_timeout=2)
    proxy.heal()
    psycopg.connect(through).close()


def test_a_full_disk_refuses_and_takes_again(tiny_disk: Path) -> None:
    ballast = fill(tiny_disk)
    with pytest.raises(OSError, match="No space"):
        (tiny_disk / "more").write_bytes(b"x" * 100_000)
    ballast.unlink()
    assert (tiny_disk / "more").write_bytes(b"x" * 100_000) == 100_000


def test_a_paused_process_holds_still_and_a_killed_one_is_gone() -> None:
    with subprocess.Popen(["sh", "-c", "sleep 60 & wait"]) as parent:
        wait_until(lambda: len(family(parent.pid)) == 1)
        (child,) = family(parent.pid)
        with paused(child):
            wait_until(lambda: Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()[0] == "T")
        kill(child)
        kill(parent.pid)
        parent.wait()
    wait_until_gone([child, parent.pid])
    assert not alive(child)
    assert alive(os.getpid())


def test_free_ports_are_free() -> None:
    from telstraat_demo.stack.ports import answers, free_port, is_free

    port = free_port()
    with socket.create_server(("127.0.0.1", port)):
        assert not is_free(port)
        assert answers(port)
    assert is_free(port)
