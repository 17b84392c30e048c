"""The whole line on one computer: puts database, broker, ingest, API and device together, each a process of its own.

What a service is told here is what an operator could tell it: settings files, environment, the command line.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from telstraat_demo.errors import StackError
from telstraat_demo.stack.broker import Broker, Kind
from telstraat_demo.stack.child import Child, Program
from telstraat_demo.stack.ports import LOOPBACK, free_port, is_free
from telstraat_demo.stack.postgres import Postgres
from telstraat_demo.stack.processes import ProgramService, Supervisor

if TYPE_CHECKING:
    from telstraat_demo.town.life import TownLife
    from telstraat_demo.town.plan import TownPlan

API_PORT = 8080
DEVICE_STOP_S = 25.0  # longer than the device waits for receipts
FLUSH_S = 15.0
SAVE_S = 5.0  # devices are killed here while somebody looks, and go on soon after; no memory card wears out
INSTALLED_BEFORE = timedelta(days=1)
SEGMENT_POINTS = ((4.70094, 50.87966), (4.70187, 50.87922))  # a street in Leuven, where citizens began to count


@dataclass(frozen=True, kw_only=True)
class SensorSite:
    """Where the sensor hangs: the names that people see, and how fast one may drive there."""

    sensor: str
    segment: str
    speed_limit_kmh: int = 50
    installed_before: timedelta = INSTALLED_BEFORE
    """How long before its first frame the sensor was put up."""


@dataclass(frozen=True, kw_only=True)
class Outside:
    """What is taken as it is instead of being started."""

    dsn: str | None = None
    broker: str | None = None


class Pipeline:
    """Everything between the device and the page, started in order into one supervisor."""

    def __init__(self, folder: Path, supervisor: Supervisor, outside: Outside, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self.supervisor = supervisor
        self.outside = outside
        self.dsn = outside.dsn or ""
        self.broker_url = outside.broker or ""
        self.api_port = 0
        self.segment_id = 0
        self._tell = tell

    @property
    def access(self) -> Path:
        """The folder with the broker's accounts."""
        return self.folder / "access"

    @property
    def page(self) -> str:
        """The address of the street's page."""
        return f"{self.home_page}/street/{self.segment_id}"

    @property
    def home_page(self) -> str:
        """The address of the first page."""
        return f"http://{LOOPBACK}:{self.api_port}"

    @property
    def town_folder(self) -> Path:
        """The folder of what the town needs."""
        return self.folder / "town"

    def device_folder(self, sensor: str) -> Path:
        """Return the folder of one device: its settings, its password, its outbox."""
        return self.folder / "devices" / sensor

    def outbox(self, sensor: str) -> Path:
        """Return the file in which a device keeps its reports."""
        return self.device_folder(sensor) / "state" / "outbox.sqlite"

    def compile_core(self, what: str) -> None:
        """Compile the counting core and wait for it: the first time takes half a minute, later ones two seconds."""
        child = Child(self._program("core", ["telstraat_demo.run.compile_kernels", what], {}))
        try:
            code = child.process.wait()
        finally:
            child.stop()
        if code != 0:
            raise StackError(f"the counting core could not be compiled:\n{child.last_words()}")

    def start_database(self) -> str:
        """Start the database, or take the one given, and bring its schema up to date."""
        from telstraat_store.errors import TelstraatStoreError
        from telstraat_store.schema.migrate import migrate

        if not self.dsn:
            server = Postgres(self.folder / "database")
            self.supervisor.start(server)
            self.dsn = server.dsn()
            address = f"PostgreSQL on port {server.port}"
        else:
            address = "the one given"
        try:
            migrate(self.dsn)
        except TelstraatStoreError as error:
            raise StackError(str(error)) from error
        return address

    def register(self, place: SensorSite, begins_at: datetime) -> None:
        """Add the segment, the sensor with its password and the installation, unless they are there."""
        import psycopg

        from telstraat_ingest.broker_access import write_access, write_secret
        from telstraat_store.places import add_sensor, draw_segment, renew_password
        from telstraat_store.places.segments import number_of_segment
        from telstraat_store.places.sensors import home_of

        folder = self.device_folder(place.sensor)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        password_file = folder / "password"
        with psycopg.connect(self.dsn) as connection:
            is_known, segment_id = home_of(connection, place.sensor)
            if not is_known:
                segment_id = number_of_segment(connection, place.segment)
                if segment_id is None:
                    segment_id = draw_segment(
                        connection, place.segment, SEGMENT_POINTS, speed_limit_kmh=place.speed_limit_kmh
                    )
                from_at = begins_at - place.installed_before
                added = add_sensor(connection, place.sensor, segment_id, from_at=from_at)
                write_secret(password_file, added.password + "\n")
            elif not password_file.exists():
                write_secret(password_file, renew_password(connection, place.sensor) + "\n")
            self.segment_id = segment_id or 0
            write_access(connection, self.access)

    def begin_town(self, wanted_plan: TownPlan) -> TownLife:
        """Put the town's streets, sensors and people into the database, unless they are there."""
        import psycopg

        from telstraat_demo.town.life import TownLife
        from telstraat_demo.town.people import settle_in

        with psycopg.connect(self.dsn) as connection:
            life = TownLife.begin(connection, self.town_folder, wanted_plan)
            settle_in(connection)
        return life

    def start_broker(self, kind: Kind | None = None) -> str:
        """Start the broker, or take the one given."""
        if self.broker_url:
            return f"{self.broker_url}, with the accounts of {self.access}"
        broker = Broker(self.folder / "broker", access=self.access, kind=kind)
        self.supervisor.start(broker)
        self.broker_url = broker.url
        self._keep_accounts(broker)
        return f"{broker.kind} on port {broker.port}"

    def _keep_accounts(self, broker: Broker) -> None:
        """Start what gives a device that is set up its account at the broker."""
        words = ["sensor", "access", str(self.access), "--follow"]
        words += ["--pid-file", str(broker.pid_file)] if broker.kind == "mosquitto" else []
        self.supervisor.start(ProgramService(self._program("accounts", words, {"TELSTRAAT_DSN": self.dsn})))

    def start_ingest(self) -> None:
        """Start the receiver of reports."""
        env = {
            "TELSTRAAT_DSN": self.dsn,
            "TELSTRAAT_INGEST_BROKER": self.broker_url,
            "TELSTRAAT_INGEST_BROKER_PASSWORD_FILE": str(self.access / "ingest.password"),
            "TELSTRAAT_INGEST_NAME": "demo",
        }
        self.supervisor.start(ProgramService(self._program("ingest", ["ingest"], env)))

    def start_api(self, port: int | None, town: TownLife | None = None) -> None:
        """Start the API and wait until it answers; `port` None takes the usual one, or a free one when that is taken.

        With a town it is started by the demo's own entry point, which adds the one-click sign-in.
        """
        if port and not is_free(port):
            raise StackError(f"port {port} is taken by another program: end that one, or choose another with --port")
        self.api_port = port or self._usual_port()
        env = {
            "TELSTRAAT_DSN": self.dsn,
            "TELSTRAAT_API_HOST": LOOPBACK,
            "TELSTRAAT_API_PORT": str(self.api_port),
            **self._broker_for_devices(),
            "TELSTRAAT_API_QUARTER_MIN": "0",  # nobody lives in a street that does not exist
        }
        words = ["api"]
        if town is not None:
            words = ["telstraat_demo.pages.server", str(self.town_folder)]
            env["TELSTRAAT_API_SITE_NAME"] = town.town.name
            env["TELSTRAAT_API_JOB_MEMORY_MB"] = "4000"  # a plan with seven streets beside it takes 1,600
        self.supervisor.start(ProgramService(self._program("api", words, env), self._api_answers))

    def start_town(self) -> None:
        """Start what fills the town's past, lets its sensors count on, and tells its story."""
        from telstraat_demo.town.keeper import BROKER_VARIABLE, DSN_VARIABLE

        words = ["telstraat_demo.town.keeper", str(self.town_folder), self.home_page]
        env = {BROKER_VARIABLE: self.broker_url, DSN_VARIABLE: self.dsn}
        self.supervisor.start(ProgramService(self._program("town", words, env)))

    def start_device(self, words: list[str], *, ends: bool) -> ProgramService:
        """Start a device with the words of a module and its arguments."""
        program = self._program("device", words, {}, stop_s=DEVICE_STOP_S)
        service = ProgramService(program, ends=ends)
        self.supervisor.start(service)
        return service

    def write_device_settings(self, place: SensorSite, more: dict[str, dict[str, object]]) -> Path:
        """Write the settings file of a device that talks to the broker of this line."""
        address = urlsplit(self.broker_url)
        folder = self.device_folder(place.sensor)
        values: dict[str, dict[str, object]] = {
            "sensor": {"name": place.sensor, "password_file": str(folder / "password")},
            "broker": {"host": address.hostname or LOOPBACK, "port": address.port or 1883},
            "storage": {"folder": str(folder / "state"), "save_s": SAVE_S},
            "send": {"flush_s": FLUSH_S, "live_s": 1.0, "resend_s": 5.0},
        }
        for section, keys in more.items():
            values.setdefault(section, {}).update(keys)
        path = folder / "device.toml"
        path.write_text(toml_of(values), encoding="utf-8")
        return path

    def _usual_port(self) -> int:
        if is_free(API_PORT):
            return API_PORT
        port = free_port()
        self._tell(f"port {API_PORT} is taken, so the pages are at port {port} (--port chooses another)")
        return port

    def _program(self, name: str, words: list[str], env: dict[str, str], stop_s: float = 10.0) -> Program:
        argv = [sys.executable, "-m", *(words if words[0].startswith("telstraat_") else ["telstraat_cli", *words])]
        log = self.folder / "log" / f"{name}.log"
        return Program(
            name=name, argv=argv, log=log, env={"PYTHONUNBUFFERED": "1", **self._cache(), **env}, stop_s=stop_s
        )

    def _cache(self) -> dict[str, str]:
        """Say where compiled kernels are kept, when they cannot be kept beside the code."""
        import os

        import telstraat_cli

        beside = Path(telstraat_cli.__file__).parent
        if "NUMBA_CACHE_DIR" in os.environ or os.access(beside, os.W_OK):
            return {}
        return {"NUMBA_CACHE_DIR": str(self.folder / "kernels")}

    def _broker_for_devices(self) -> dict[str, str]:
        address = urlsplit(self.broker_url)
        if address.scheme != "mqtts" and address.hostname != LOOPBACK:
            return {}  # no device would send its password there
        return {
            "TELSTRAAT_API_BROKER_HOST": address.hostname or LOOPBACK,
            "TELSTRAAT_API_BROKER_PORT": str(address.port or 0),
            "TELSTRAAT_API_BROKER_TLS": "true" if address.scheme == "mqtts" else "false",
        }

    def _api_answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{self.api_port}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


def toml_of(values: dict[str, dict[str, object]]) -> str:
    """Return tables of plain values as TOML: its strings, numbers, booleans and lists are written as JSON's."""
    tables = (
        "\n".join([f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items())])
        for section, keys in values.items()
    )
    return "\n\n".join(tables) + "\n"
