"""Fixtures for every part: a real PostgreSQL, a real broker, faults between them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.databases import Databases, quick_cluster

from telstraat_cli.stack.postgres import Postgres


@pytest.fixture(scope="session")
def reachable_folder() -> Iterator[Path]:
    """A folder that every account can enter: pytest's own is closed to the database's."""
    folder = Path(tempfile.mkdtemp(prefix="telstraat-tests-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(reachable_folder: Path) -> Iterator[Postgres]:
    """One PostgreSQL for the whole run; `TELSTRAAT_TEST_PG_BIN` names another one's programs."""
    server = quick_cluster(reachable_folder / "postgres")
    server.start()
    yield server
    server.forget()


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """Hands out databases of the session's PostgreSQL."""
    return Databases(postgres)


@pytest.fixture
def database(databases: Databases) -> Iterator[str]:
    """The address (DSN) of a migrated database for one test."""
    dsn = databases.migrated()
    yield dsn
    databases.drop(dsn)


@pytest.fixture(scope="module")
def module_database(databases: Databases) -> Iterator[str]:
    """The address (DSN) of a migrated database for all tests of a module."""
    dsn = databases.migrated()
    yield dsn
    databases.drop(dsn)


@pytest.fixture
def empty_database(databases: Databases) -> Iterator[str]:
    """The address (DSN) of a database without any schema."""
    dsn = databases.empty()
    yield dsn
    databases.drop(dsn)
