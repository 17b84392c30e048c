"""Fresh databases in one cluster: migrated once, copied for each test."""

from __future__ import annotations

import importlib.util
import itertools
import os
from pathlib import Path

import psycopg

from telstraat_demo.stack.postgres import Postgres

TEST_BIN_VARIABLE = "TELSTRAAT_TEST_PG_BIN"
MIGRATED = "migrated"


def quick_cluster(folder: Path) -> Postgres:
    """Return a cluster for tests: quick rather than durable, with the programs named in the environment when they are."""
    named = os.environ.get(TEST_BIN_VARIABLE)
    # TimescaleDB's workers would stay connected to the database that is copied; nothing of ours needs them.
    settings = {"timescaledb.max_background_workers": "0"}
    return Postgres(folder, bin_dir=Path(named) if named else None, durable=False, settings=settings)


class Databases:
    """Hands out databases and takes them back."""

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._numbers = itertools.count(1)
        self._migrated = False

    def empty(self) -> str:
        """Return the address of an empty database."""
        name = f"test_{next(self._numbers)}"
        self.server.create_database(name)
        return self.server.dsn(name)

    def migrated(self) -> str:
        """Return the address of a database with the schema and nothing else; empty while there is no runner."""
        if importlib.util.find_spec("telstraat_store.schema.migrate") is None:
            return self.empty()
        if not self._migrated:
            from telstraat_store.schema.migrate import migrate

            self.server.create_database(MIGRATED)
            migrate(self.server.dsn(MIGRATED))
            self._migrated = True
        name = f"test_{next(self._numbers)}"
        self.server.create_database(name, template=MIGRATED)
        return self.server.dsn(name)

    def drop(self, dsn: str) -> None:
        """Remove a database that was handed out."""
        self.server.drop_database(dsn.partition("?")[0].rpartition("/")[2])


def one_row(connection: psycopg.Connection, query: str, *values: object) -> tuple[object, ...]:
    """Return the first row of a query."""
    row = connection.execute(query, values).fetchone()
    assert row is not None
    return tuple(row)
