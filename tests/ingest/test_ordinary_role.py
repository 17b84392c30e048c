"""The account that an operator makes for Telstraat: it owns its database and may nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from tests.harness.databases import Databases
from tests.ingest.sending import a_report, arrivals_of, write_arrivals

from telstraat_ingest.writing.write import Writer
from telstraat_store import places
from telstraat_store.counts import rollup
from telstraat_store.schema.backup import backup, restore
from telstraat_store.schema.migrate import migrate, status

ROLE = "ordinary_operator"


@pytest.fixture
def owned(databases: Databases) -> Iterator[tuple[str, str]]:
    """Two empty databases whose owner is no superuser and may read no settings of the server."""
    names = [databases.empty(), databases.empty()]
    for dsn in names:
        with psycopg.connect(dsn, autocommit=True) as connection:
            if connection.execute("select 1 from pg_roles where rolname = %s", (ROLE,)).fetchone() is None:
                connection.execute(f"create role {ROLE} login password 'ordinary'")
            database = connection.info.dbname
            connection.execute(
                sql.SQL("alter database {} owner to {}").format(sql.Identifier(database), sql.Identifier(ROLE))
            )
    port = psycopg.conninfo.conninfo_to_dict(names[0])["port"]
    first, second = (
        f"postgresql://{ROLE}:ordinary@127.0.0.1:{port}/{psycopg.conninfo.conninfo_to_dict(dsn)['dbname']}"
        for dsn in names
    )
    yield first, second
    for dsn in names:
        databases.drop(dsn)


def test_the_owner_of_a_database_needs_no_other_rights(owned: tuple[str, str], tmp_path: Path) -> None:
    first, second = owned
    with psycopg.connect(first) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select current_setting('shared_preload_libraries')")
    assert migrate(first)
    assert migrate(first) == ()
    assert status(first).is_present
    with psycopg.connect(first, autocommit=True) as connection:
        segment = places.draw_segment(connection, "Elm", [(4.0, 50.0), (4.1, 50.0)])
        places.add_sensor(connection, "elm-1", segment)
        write_arrivals(Writer(connection), arrivals_of([a_report("elm-1", seq) for seq in (1, 2)]))
        rollup.refresh_all(connection)
    backup(first, tmp_path / "backup.zip")
    restore(second, tmp_path / "backup.zip")
    with psycopg.connect(second) as connection:
        assert connection.execute("select count(*) from report").fetchone() == (2,)
