"""What stands around the sensor of the soak: a memory card of its own, brokers, a database, ingest, and who compares.

The card is an ext4 of 4 kB blocks in a file in memory, mounted through a loop device: the kernel counts what reaches the
device, the file system's journal included, and the disk can be filled.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import paho.mqtt.client as paho
import psycopg
from bench.soak.sensor import Progress, SensorPlan
from paho.mqtt.enums import CallbackAPIVersion

from telstraat_contract.messages import Config, Report, encode
from telstraat_contract.topics import Channel, topic
from telstraat_demo.run.reconciliation import closed_reports
from telstraat_demo.stack.broker import Broker
from telstraat_demo.stack.child import Child, Program
from telstraat_demo.stack.postgres import Postgres
from telstraat_demo.stack.processes import ProgramService
from telstraat_ingest.broker_access import INGEST_USER, write_access, write_secret
from telstraat_store.places import add_sensor, draw_segment
from telstraat_store.schema.migrate import migrate

SENSOR = "soak-1"
CARD_MB = 96
SECTOR = 512  # what /sys/block/*/stat counts in, whatever the device's own is
ALONG = ((4.70, 50.88), (4.71, 50.88))


@contextlib.contextmanager
def memory_card(folder: Path, options: str = "noatime") -> Iterator[Path | None]:
    """Mount a card below `folder` and give its device's counters; None, and said so, where that is not allowed."""
    folder.mkdir(parents=True, exist_ok=True)
    image = Path("/dev/shm") / f"telstraat-soak-{os.getpid()}.img"
    try:
        with image.open("wb") as file:
            file.truncate(CARD_MB << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-b", "4096", str(image)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", f"loop,{options}", str(image), str(folder)], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"NO MEMORY CARD OF ITS OWN: {error}; the disk is not filled, and its device not counted", flush=True)
        image.unlink(missing_ok=True)
        yield None
        return
    try:
        device = folder.stat().st_dev
        yield Path(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}/stat")
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        image.unlink()


class SoakWorld:
    """The processes of one run, below a folder."""

    def __init__(self, folder: Path, plan: SensorPlan, card_counters: Path | None, stack: ExitStack) -> None:
        self.folder, self.plan, self.card_counters = folder, plan, card_counters
        self.closed: dict[tuple[int, int], Report] = {}
        self.boots = 0
        self.written_before = 0
        self.ballast_bytes = 0
        self.database = Postgres(folder / "database")
        self.database.start()
        stack.callback(self.database.forget)
        migrate(self.database.dsn())
        self._register()
        self.brokers = [Broker(folder / f"broker-{n}", access=folder / "access", kind="mosquitto") for n in (1, 2)]
        self.broker = self.brokers[0]
        self.broker.start()
        for broker in self.brokers:
            stack.callback(broker.stop)
        self.ingest = self._ingest()
        self.ingest.start()
        stack.callback(self._stop_ingest)
        self.sensor: ProgramService | None = None
        self.progress = Progress(Path(plan.progress))
        stack.callback(self.kill_sensor)

    @property
    def outbox(self) -> Path:
        """The sensor's storage."""
        return Path(self.plan.state) / "outbox.sqlite"

    @property
    def pid(self) -> int:
        """The sensor's process."""
        return self._child().pid

    @property
    def running(self) -> bool:
        """Whether the sensor counts."""
        return self.sensor is not None and self.sensor.running

    def start_sensor(self, *, is_unset_at_boot: bool = False) -> None:
        """Start it, with the broker there is."""
        self.boots += 1
        plan = msgspec.structs.replace(
            self.plan, port=self.broker.port, boot=self.boots, is_unset_at_boot=is_unset_at_boot
        )
        path = self.folder / "plan.json"
        path.write_bytes(msgspec.json.encode(plan))
        words = [sys.executable, "-m", "bench.soak.sensor", str(path)]
        log = self.folder / "log" / "sensor.log"
        env = {"TZ": "Europe/Amsterdam", "PYTHONUNBUFFERED": "1"}
        self.sensor = ProgramService(Program(name="sensor", argv=words, log=log, env=env, stop_s=120.0), ends=True)
        self.sensor.start()

    def kill_sensor(self) -> None:
        """Cut its power."""
        if self.running:
            self.written_before += self.written_bytes()
            self._child().kill()

    def stop_sensor(self) -> None:
        """Ask it to end."""
        self.written_before += self.written_bytes()
        self._child().stop()

    def written_bytes(self) -> int:
        """Return what the sensor's process has handed to block devices, as the kernel counts."""
        text = Path(f"/proc/{self.pid}/io").read_text(encoding="ascii")
        return int(next(line.split()[1] for line in text.splitlines() if line.startswith("write_bytes")))

    def card_bytes(self) -> int:
        """Return what has reached the card's device, its file system's journal included."""
        if self.card_counters is None:
            return 0
        return int(self.card_counters.read_text(encoding="ascii").split()[6]) * SECTOR - self.ballast_bytes

    def move_broker(self) -> None:
        """Go to another broker: the old one is gone, ingest and the sensor get the new address."""
        self.stop_sensor()
        self.look_into_outbox()
        self.ingest.stop()
        self.broker.stop()
        self.broker = self.brokers[1]
        self.broker.start()
        self.ingest = self._ingest()
        self.ingest.start()
        self.start_sensor()

    def forget_broker(self) -> None:
        """Crash the broker, and let it forget everything that it has acknowledged."""
        self.broker.kill()
        for stored in (self.broker.folder / "mosquitto").glob("*.db"):
            stored.unlink()

    def bring_back(self, service: Broker | Postgres) -> None:
        """Start what was away, unless it is back already."""
        if not service.running:
            service.start()

    def configure(self, config: Config) -> None:
        """Send the sensor settings, as the server does."""
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="soak-operator")
        client.username_pw_set(INGEST_USER, (self.folder / "access" / "ingest.password").read_text().strip())
        client.connect(self.broker.host, self.broker.port)
        client.loop_start()
        client.publish(topic(SENSOR, Channel.CONFIG), encode(config), qos=1, retain=True).wait_for_publish(10)
        client.disconnect()
        client.loop_stop()

    def look_into_outbox(self) -> None:
        """Remember every report that the sensor has closed: it keeps them for a week."""
        if self.outbox.exists():
            for report in closed_reports(self.outbox):
                self.closed[report.epoch, report.seq] = report

    def fill_card(self) -> None:
        """Fill the card but for nothing."""
        path = Path(self.plan.state) / "ballast"
        with path.open("wb", buffering=0) as file:
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(1 << 16))
            os.fsync(file.fileno())  # so that what it costs the device is known, and can be left out
            self.ballast_bytes += file.tell()

    def free_card(self) -> None:
        """Make room again."""
        (Path(self.plan.state) / "ballast").unlink(missing_ok=True)

    def quarantined(self) -> int:
        """Return how many messages ingest has refused."""
        with psycopg.connect(self.database.dsn()) as connection:
            row = connection.execute("select count(*) from quarantine").fetchone()
        return int(row[0]) if row else 0

    def _child(self) -> Child:
        if self.sensor is None or self.sensor.child is None:
            raise RuntimeError("the sensor was never started")
        return self.sensor.child

    def _stop_ingest(self) -> None:
        self.ingest.stop()

    def _register(self) -> None:
        from_at = datetime.fromtimestamp(self.plan.start_s, UTC) - timedelta(days=1)
        with psycopg.connect(self.database.dsn()) as connection:
            segment = draw_segment(connection, "Soak Street", ALONG, timezone="Europe/Amsterdam")
            added = add_sensor(connection, SENSOR, segment, from_at=from_at)
            write_secret(Path(self.plan.password_file), added.password + "\n")
            write_access(connection, self.folder / "access")

    def _ingest(self) -> ProgramService:
        env = {
            "PYTHONUNBUFFERED": "1",
            "TELSTRAAT_DSN": self.database.dsn(),
            "TELSTRAAT_INGEST_BROKER": self.broker.url,
            "TELSTRAAT_INGEST_BROKER_PASSWORD_FILE": str(self.folder / "access" / "ingest.password"),
            "TELSTRAAT_INGEST_NAME": "soak-ingest",
            "TELSTRAAT_INGEST_SENSOR_PER_MINUTE": "1000000",
            "TELSTRAAT_INGEST_SENSOR_BURST": "100000",
        }
        words = [sys.executable, "-m", "telstraat_cli", "ingest"]
        return ProgramService(Program(name="ingest", argv=words, log=self.folder / "log" / "ingest.log", env=env))


def folder_for(named: Path | None, stack: ExitStack) -> Path:
    """Return an empty folder that the database's account can pass, gone afterwards unless it was named."""
    folder = named or Path(tempfile.mkdtemp(prefix="telstraat-soak-"))
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    if named is None:
        stack.callback(lambda: shutil.rmtree(folder, ignore_errors=True))
    return folder
