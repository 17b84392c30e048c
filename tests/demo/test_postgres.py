from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from tests.harness.databases import quick_cluster

from telstraat_demo.errors import StackError
from telstraat_demo.stack.account import unprivileged_account
from telstraat_demo.stack.postgres import Postgres, pg_libraries, pg_tree, pg_version
from telstraat_demo.stack.postmaster import clear_the_way, end_orphans, is_server, read_pid_file

OWNER = """
import sys, time
from pathlib import Path
from tests.harness.databases import quick_cluster
server = quick_cluster(Path(sys.argv[1]))
server.start()
print(server.pid, server.port, flush=True)
time.sleep(600)
"""


@pytest.fixture
def own_cluster(reachable_folder: Path, request: pytest.FixtureRequest) -> Iterator[Postgres]:
    server = quick_cluster(reachable_folder / request.node.name)
    yield server
    server.forget()


def gone_within(pid: int, wait_s: float) -> bool:
    end = time.monotonic() + wait_s
    while time.monotonic() < end:
        if not Path(f"/proc/{pid}").exists():
            return True
        time.sleep(0.02)
    return False


def test_the_session_has_a_server_that_wants_a_password(postgres: Postgres) -> None:
    with psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute("select current_user").fetchone() == ("telstraat",)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(f"postgresql://telstraat@127.0.0.1:{postgres.port}/telstraat?passfile=/dev/null")
    assert postgres.pass_file.stat().st_mode & 0o777 == 0o600


def test_it_listens_on_loopback_only(postgres: Postgres) -> None:
    with psycopg.connect(postgres.dsn()) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("show unix_socket_directories").fetchone() == ("",)


def test_a_killed_server_starts_again_with_its_rows_at_the_same_address(own_cluster: Postgres) -> None:
    own_cluster.start()
    address = own_cluster.dsn()
    with psycopg.connect(address) as connection:
        connection.execute("create table kept (n integer)")
        connection.execute("insert into kept values (7)")
    own_cluster.kill()
    assert not own_cluster.running
    own_cluster.start()
    assert own_cluster.dsn() == address
    with psycopg.connect(address) as connection:
        assert connection.execute("select n from kept").fetchone() == (7,)


def test_what_a_killed_server_has_left_at_work_does_not_keep_the_next_one_away(own_cluster: Postgres) -> None:
    own_cluster.start()
    with psycopg.connect(own_cluster.dsn()) as connection:
        row = connection.execute("select pid from pg_stat_activity where backend_type = 'checkpointer'").fetchone()
    assert row is not None
    assert end_orphans(own_cluster.data) == [], "a running server's are no orphans"
    os.kill(row[0], signal.SIGSTOP)  # as if it waited for the disk
    own_cluster.kill()
    own_cluster.start()
    with psycopg.connect(own_cluster.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_folder_has_one_owner_at_a_time(own_cluster: Postgres) -> None:
    own_cluster.start()
    with pytest.raises(StackError, match=f"in use by process {os.getpid()}"):
        quick_cluster(own_cluster.folder).start()


def test_the_server_dies_with_an_owner_that_was_killed(reachable_folder: Path) -> None:
    folder = reachable_folder / "orphan"
    with subprocess.Popen([sys.executable, "-c", OWNER, str(folder)], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, port = (int(word) for word in owner.stdout.readline().split())
        assert Path(f"/proc/{pid}").exists()
        owner.kill()
        owner.wait()
    assert gone_within(pid, 20)
    server = quick_cluster(folder)
    server.start()
    assert server.port == port
    server.forget()


def test_a_note_whose_pid_is_now_a_strangers_is_removed_and_the_stranger_left_alone(own_cluster: Postgres) -> None:
    own_cluster.start()
    own_cluster.kill()
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        note = own_cluster.data / "postmaster.pid"
        lines = note.read_text().splitlines()
        note.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
        read = read_pid_file(own_cluster.data)
        assert read is not None
        assert not is_server(read)
        own_cluster.start()
        assert own_cluster.running
        assert stranger.poll() is None
        stranger.kill()


def test_a_server_that_an_earlier_owner_left_is_stopped(own_cluster: Postgres) -> None:
    own_cluster.start()
    notes = clear_the_way(own_cluster.data)
    assert "stopped a server that an earlier run had left" in notes
    assert own_cluster.child is not None
    own_cluster.child.process.wait(10)
    assert own_cluster.child.exit_code == 0


def test_permissions_above_the_data_stay_as_they_are(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    before = [(folder, folder.stat().st_mode) for folder in tmp_path.parents]
    server = quick_cluster(tmp_path / "demo")
    server.start()
    assert [(folder, folder.stat().st_mode) for folder in tmp_path.parents] == before
    assert tmp_path.stat().st_mode & 0o777 == 0o700
    if unprivileged_account():
        assert server.home.is_relative_to("/var/lib/telstraat")
    server.forget()
    assert not server.home.exists()


def test_programs_that_the_account_cannot_reach_are_copied(own_cluster: Postgres, tmp_path: Path) -> None:
    if unprivileged_account() is None:
        pytest.skip("NOT ROOT: the programs run as the account that owns them")
    tmp_path.chmod(0o700)
    tree, libraries = pg_tree(), pg_libraries(pg_tree())
    hidden_tree = tmp_path / "hidden" / tree.parent.name / tree.name
    shutil.copytree(tree, hidden_tree, symlinks=True)
    if libraries:
        shutil.copytree(libraries, tmp_path / "hidden" / libraries.name)
    hidden = Postgres(own_cluster.folder, bin_dir=hidden_tree / "bin", durable=False)
    hidden.start()
    with psycopg.connect(hidden.dsn()) as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    hidden.stop()
    copy = own_cluster.folder / f"postgresql-{pg_version(tree)}"
    assert [path.parent.name for path in copy.rglob("postgres") if path.is_file()] == ["bin"]


def test_a_port_that_is_taken_is_said_so(own_cluster: Postgres, postgres: Postgres) -> None:
    with pytest.raises(StackError, match=f"port {postgres.port} of 127.0.0.1 is taken"):
        Postgres(own_cluster.folder, port=postgres.port, durable=False).start()


def test_a_folder_without_postgres_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="there is no program postgres"):
        Postgres(tmp_path, bin_dir=tmp_path)


def test_a_password_file_that_is_not_its_own_is_said_so(own_cluster: Postgres) -> None:
    own_cluster.start()
    own_cluster.stop()
    right = own_cluster.pass_file.read_text()
    own_cluster.pass_file.write_text("*:*:*:telstraat:not the password\n")
    with pytest.raises(StackError, match="does not let us in with"):
        own_cluster.start()
    assert not own_cluster.running
    own_cluster.pass_file.write_text(right)
    own_cluster.start()
    assert own_cluster.running


def test_a_setting_that_the_server_refuses_is_said_in_its_words(reachable_folder: Path) -> None:
    server = Postgres(reachable_folder / "refused", durable=False, settings={"no_such_setting": "1"})
    with pytest.raises(StackError, match="no_such_setting"):
        server.start()
    server.forget()


def test_data_of_another_version_is_not_touched(own_cluster: Postgres) -> None:
    own_cluster.start()
    own_cluster.stop()
    (own_cluster.data / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(StackError, match="was made by PostgreSQL 9"):
        own_cluster.start()


def test_the_owner_stops_it_with_clients_connected(own_cluster: Postgres) -> None:
    own_cluster.start()
    with psycopg.connect(own_cluster.dsn()) as connection:
        own_cluster.stop()
        assert own_cluster.child is not None
        assert own_cluster.child.exit_code == 0
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")


def test_a_signal_of_the_owner_reaches_the_server_once(own_cluster: Postgres) -> None:
    own_cluster.start()
    assert own_cluster.pid is not None
    os.kill(own_cluster.pid, signal.SIGINT)
    assert own_cluster.child is not None
    assert own_cluster.child.process.wait(20) == 0
