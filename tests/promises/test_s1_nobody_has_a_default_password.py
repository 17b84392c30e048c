"""S1: every sensor has a password of its own, made at random, shown once and stored nowhere."""

from __future__ import annotations

import stat
from pathlib import Path

import psycopg
import pytest

from telstraat_cli.main import main
from telstraat_ingest import broker_access
from telstraat_store import places
from telstraat_store.places import passwords


def test_no_two_sensors_share_a_password_and_none_is_stored(database: str) -> None:
    with psycopg.connect(database) as connection:
        created = [places.add_sensor(connection, f"own-{number}") for number in range(20)]
        assert len({item.password for item in created}) == 20
        assert min(len(item.password) for item in created) >= 32
        dump = repr(connection.execute("select * from sensor").fetchall())
        assert not any(item.password in dump or item.password in repr(item) for item in created)
        secrets = [row[0] for row in connection.execute("select secret from sensor order by sensor_id")]
        assert all(
            passwords.check_password(item.password, secret) for item, secret in zip(created, secrets, strict=True)
        )
        assert not passwords.check_password(created[0].password, secrets[1])


def test_the_brokers_files_are_for_their_owner_only(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        places.add_sensor(connection, "own-1")
        broker_access.write_access(connection, tmp_path / "access")
        places.add_sensor(connection, "own-2")
        broker_access.write_access(connection, tmp_path / "access")
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "access").iterdir()}
    assert files == {"passwords": 0o600, "acl": 0o600, "ingest.password": 0o600}
    users = broker_access.read_passwords(tmp_path / "access" / "passwords")
    assert sorted(users) == ["own-1", "own-2", "telstraat_ingest"]
    own = (tmp_path / "access" / "ingest.password").read_text().strip()
    assert passwords.check_password(own, users["telstraat_ingest"])


def test_two_deployments_never_share_ingests_password(database: str, tmp_path: Path) -> None:
    with psycopg.connect(database) as connection:
        for name in ("one", "two"):
            broker_access.write_access(connection, tmp_path / name)
    assert len({(tmp_path / name / "ingest.password").read_text() for name in ("one", "two")}) == 2


def test_the_command_shows_a_password_once_and_a_retired_sensor_has_none(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    access = tmp_path / "access"
    assert main(["sensor", "--dsn", database, "add", "own-3", "--access", str(access)]) == 0
    password = capsys.readouterr().out.split()[-1]
    assert passwords.check_password(password, broker_access.read_passwords(access / "passwords")["own-3"])
    assert (
        main(
            [
                "sensor",
                "--dsn",
                database,
                "renew",
                "own-3",
                "--access",
                str(access),
                "--password-file",
                str(tmp_path / "new"),
            ]
        )
        == 0
    )
    assert password not in capsys.readouterr().out
    renewed = broker_access.read_passwords(access / "passwords")["own-3"]
    assert not passwords.check_password(password, renewed)
    assert passwords.check_password((tmp_path / "new").read_text().strip(), renewed)
    assert main(["sensor", "--dsn", database, "retire", "own-3", "--access", str(access)]) == 0
    assert "own-3" not in broker_access.read_passwords(access / "passwords")


@pytest.mark.parametrize("line", ["", "plain", "$6$abc$def", "$7$x$y$z", "$7$0$YQ==$YQ==", "$7$1$YQ==$"])
def test_a_line_that_is_no_hash_lets_nobody_in(line: str) -> None:
    assert not passwords.check_password("", line)
    assert not passwords.check_password("plain", line)
