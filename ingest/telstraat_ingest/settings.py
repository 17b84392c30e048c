"""What can be set on the ingest service; docs/ingest.md repeats each sentence.

How a file, the environment (`TELSTRAAT_INGEST_BATCH_SIZE` for `batch_size`, `TELSTRAAT_DSN` for `dsn`) and the command line
are read is the same for every service: `telstraat_contract.settings`.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta

from telstraat_contract.errors import SettingsError
from telstraat_contract.settings import DatabaseSettings, SettingsReader, is_loopback
from telstraat_ingest.limits import EPOCHS_MAX, RANGES_MIN, SensorLimits
from telstraat_store.schema.migrate import Timescale

Positive = Annotated[int, Meta(ge=1)]


class IngestSettings(DatabaseSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may be set; docs/ingest.md says the same in a table."""

    broker: Annotated[
        str,
        Meta(min_length=1, description="Where the broker is: `mqtt://` (loopback only) or `mqtts://`, host and port."),
    ] = "mqtt://127.0.0.1:1883"
    broker_user: Annotated[str, Meta(description="Ingest's own user at the broker.")] = "telstraat_ingest"
    broker_password_file: Annotated[
        Path | None,
        Meta(description="File that holds its password; `telstraat sensor` writes it as `ingest.password`."),
    ] = None
    broker_ca_file: Annotated[
        Path | None, Meta(description="Certificate authority of the broker's certificate; the system's when empty.")
    ] = None
    allow_plain: Annotated[
        bool, Meta(description="Allow `mqtt://` to a host that is not this one, e.g. inside a container network.")
    ] = False
    name: Annotated[
        str,
        Meta(
            description="Name of this ingester, stable over restarts and different for each; the host's name when empty."
        ),
    ] = ""
    batch_size: Annotated[
        int,
        Meta(
            ge=1,
            le=20_000,
            description="A batch is written when it has so many messages, or is `batch_wait_ms` old; while one is written, so many wait for the next.",
        ),
    ] = 4000
    batch_wait_ms: Annotated[
        int, Meta(ge=1, le=5_000, description="How long a message may wait for others, in milliseconds.")
    ] = 20
    receive_max: Annotated[
        int,
        Meta(
            ge=10,
            le=65_000,
            description="How many messages the broker may have on their way to us without acknowledgement, those being written included: bounds the memory; at least twice `batch_size`, or nothing comes in while a batch is written.",
        ),
    ] = 8000
    session_expiry_s: Annotated[
        Positive,
        Meta(
            description="How long the broker keeps messages for us while we are away (MQTT 5). Sensors keep them anyway; while others share the subscription, what it keeps for an ingester that does not come back waits for the sensors to send it again."
        ),
    ] = 300
    keepalive_s: Annotated[
        int, Meta(ge=5, le=600, description="After 1.5 times so many seconds of silence the connection counts as dead.")
    ] = 30
    max_age_days: Annotated[
        Positive, Meta(description="Older quarters go to quarantine and are refused in the receipt.")
    ] = 400
    max_ahead_s: Annotated[
        Positive, Meta(description="Quarters that begin so far ahead of our clock go to quarantine and are refused.")
    ] = 600
    late_after_s: Annotated[
        Positive,
        Meta(description="A report that arrives so long after the end of its quarter counts as late in the metrics."),
    ] = 3600
    rollup_every_s: Annotated[
        float, Meta(gt=0, description="How often hours and days are added up again where reports have changed.")
    ] = 2.0
    upkeep_every_s: Annotated[
        float,
        Meta(gt=0, description="How often partitions, retention, compression, free disk space and gaps are looked at."),
    ] = 60.0
    retention_days: Annotated[
        Positive | None,
        Meta(
            description="Reports older than this are dropped, whole months (or chunks) at a time; hours and days stay. Empty: kept for ever."
        ),
    ] = None
    quarantine_days: Annotated[Positive, Meta(description="Quarantined messages older than this are dropped.")] = 400
    sensor_per_minute: Annotated[
        int,
        Meta(
            ge=60,
            le=10_000_000,
            description="So many messages a minute a sensor may send, in the long run; one of 0.5 kB counts 1.5, one of 16 kB 17.",
        ),
    ] = 6000
    sensor_burst: Annotated[
        int,
        Meta(
            ge=60,
            le=10_000_000,
            description="And so many at once: all that a device keeps of a month is 4,400. What comes beyond gets no receipt, and comes again.",
        ),
    ] = 6000
    sensor_batch: Annotated[
        Positive,
        Meta(description="So many messages of one sensor at most are in a batch, so that others do not wait for them."),
    ] = 50
    sensor_epochs_a_day: Annotated[
        int,
        Meta(
            ge=1,
            le=EPOCHS_MAX,
            description="So many streams a sensor may begin in 24 hours; what would begin more is set aside, and comes again; 32,767 are all that it can have.",
        ),
    ] = 100
    stream_ranges_max: Annotated[
        int,
        Meta(
            ge=RANGES_MIN,
            le=100_000,
            description="So many ranges of missing, lost and refused reports are kept of a stream; beyond, the first and the newest.",
        ),
    ] = 500
    sensor_quarantine_kb: Annotated[
        int,
        Meta(
            ge=20,
            description="So much is kept in quarantine of each topic of a sensor; what comes beyond is counted only.",
        ),
    ] = 1024
    compress_after_days: Annotated[
        Positive, Meta(description="With TimescaleDB: chunks are compressed when they are older than this.")
    ] = 14
    disk_warn_percent: Annotated[
        int, Meta(ge=1, le=99, description="Warn when the disk of `disk_path` is fuller than this.")
    ] = 80
    disk_path: Annotated[
        Path | None,
        Meta(description="A folder on the database's disk, when it is on this machine; watched for free space."),
    ] = None
    metrics_port: Annotated[
        Annotated[int, Meta(ge=0, le=65_535)] | None,
        Meta(description="Serve Prometheus metrics here; 0 takes a free port; empty serves none."),
    ] = None
    metrics_host: Annotated[str, Meta(description="The address that the metrics listen on.")] = "127.0.0.1"
    timescale: Annotated[
        Timescale,
        Meta(description="`auto` takes TimescaleDB where the server offers it, `off` never, `require` always."),
    ] = "auto"

    @property
    def ingester(self) -> str:
        """Return this ingester's name, never empty."""
        return self.name or socket.gethostname().split(".")[0] or "ingest"

    @property
    def limits(self) -> SensorLimits:
        """Return what may be stored for one sensor."""
        return SensorLimits(self.sensor_epochs_a_day, self.stream_ranges_max, self.sensor_quarantine_kb)

    @property
    def address(self) -> tuple[str, int, bool]:
        """Return the broker's host, port and whether TLS is spoken."""
        parts = urlsplit(self.broker)
        tls = parts.scheme == "mqtts"
        return parts.hostname or "", parts.port or (8883 if tls else 1883), tls


def check(settings: IngestSettings) -> None:
    """Refuse what is possible to write but wrong to run."""
    scheme = urlsplit(settings.broker).scheme
    try:
        host, _, tls = settings.address
    except ValueError as error:
        raise SettingsError(f"broker {settings.broker!r}: {error}; write mqtts://HOST:PORT") from error
    if scheme not in {"mqtt", "mqtts"} or not host:
        raise SettingsError(f"broker {settings.broker!r}: write mqtts://HOST:PORT, or mqtt://127.0.0.1:PORT")
    if not tls and not settings.allow_plain and not is_loopback(host):
        raise SettingsError(
            f"broker {settings.broker!r} would send passwords in plain text over the network; use mqtts://, "
            "or allow_plain where the network itself is trusted"
        )
    if settings.retention_days is not None and settings.retention_days <= settings.max_age_days:
        raise SettingsError(
            f"retention_days {settings.retention_days} must be more than max_age_days {settings.max_age_days}: "
            "a late report would go into a month that was dropped"
        )


READER = SettingsReader(IngestSettings, "ingest", check, former={"TELSTRAAT_INGEST_DSN": "dsn"})


def read_settings(
    file: Path | None = None, arguments: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> IngestSettings:
    """Return the settings of a file, the environment and the command line's `arguments`, the later over the earlier."""
    return READER.read(file, environment, arguments)
