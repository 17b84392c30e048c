"""A running API on a real socket, over a real database."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from tests.api.streets import add_segment, add_sensor
from tests.harness.serving import serving

from telstraat_api.service import server_for
from telstraat_api.settings import ApiSettings

NOON = datetime(2026, 3, 2, 11, tzinfo=UTC)  # a Monday, noon in Brussels


@pytest.fixture
def settings(database: str) -> ApiSettings:
    return ApiSettings(
        dsn=database, quarter_min=0, pool_max=4, poll_every_s=0.2, watch_every_s=1, keep_s=0, jobs_at_once=0
    )


@pytest.fixture
def connection(database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def segment(connection: psycopg.Connection) -> int:
    return add_segment(connection)


@pytest.fixture
def sensor(connection: psycopg.Connection, segment: int) -> int:
    return add_sensor(connection, "linden-12", segment)


@contextlib.contextmanager
def served(settings: ApiSettings, port: int = 0) -> Iterator[str]:
    """Serve on a free port (or the one given) in a thread and yield the address."""
    with serving(server_for(settings), port) as address:
        yield address


@pytest.fixture
def address(settings: ApiSettings) -> Iterator[str]:
    with served(settings) as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def module_connection(module_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def module_client(module_database: str) -> Iterator[httpx.Client]:
    settings = ApiSettings(
        dsn=module_database,
        quarter_min=0,
        pool_max=4,
        keep_s=0,
        jobs_at_once=0,
        broker_host="127.0.0.1",
        broker_tls=False,
    )
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client
