"""The settings of the ingest service, read once at the edge: a TOML file, then the environment, then the command line."""

from __future__ import annotations

import difflib
import ipaddress
import os
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from telstraat_ingest.errors import SettingsError
from telstraat_ingest.limits import EPOCHS_MAX, RANGES_MIN, Limits
from telstraat_ingest.migrate import Timescale

ENVIRONMENT = "TELSTRAAT_INGEST_"
Positive = Annotated[int, Meta(ge=1)]


class IngestSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that may be set; docs/ingest.md says the same in a table."""

    dsn: str
    """Where the database is: a libpq connection string or URL."""
    broker: str = "mqtt://127.0.0.1:1883"
    """Where the broker is: `mqtt://` (loopback only) or `mqtts://`, host and port."""
    broker_user: str = "telstraat_ingest"
    """Ingest's own user at the broker."""
    broker_password_file: Path | None = None
    """File that holds its password; `telstraat sensor` writes it as `ingest.password`."""
    broker_ca_file: Path | None = None
    """Certificate authority of the broker's certificate; the system's when empty."""
    allow_plain: bool = False
    """Allow `mqtt://` to a host that is not this one, e.g. inside a container network."""
    name: str = ""
    """Name of this ingester, stable over restarts and different for each; the host's name when empty."""
    batch_size: Annotated[int, Meta(ge=1, le=20_000)] = 4000
    """A batch is written when it has so many messages, or is `batch_wait_ms` old."""
    batch_wait_ms: Annotated[int, Meta(ge=1, le=5_000)] = 20
    """How long a message may wait for others, in milliseconds."""
    receive_max: Annotated[int, Meta(ge=10, le=65_000)] = 8000
    """How many messages the broker may have on their way to us without acknowledgement: bounds the memory."""
    session_expiry_s: Positive = 300
    """How long the broker keeps messages for us while we are away (MQTT 5). Sensors keep them anyway; while others share
    the subscription, what it keeps for an ingester that does not come back waits for the sensors to send it again."""
    keepalive_s: Annotated[int, Meta(ge=5, le=600)] = 30
    """After 1.5 times so many seconds of silence the connection counts as dead."""
    max_age_days: Positive = 400
    """Older quarters go to quarantine and are refused in the receipt."""
    max_ahead_s: Positive = 600
    """Quarters that begin so far ahead of our clock go to quarantine and are refused."""
    late_after_s: Positive = 3600
    """A report that arrives so long after the end of its quarter counts as late in the metrics."""
    rollup_every_s: Annotated[float, Meta(gt=0)] = 2.0
    """How often hours and days are added up again where reports have changed."""
    upkeep_every_s: Annotated[float, Meta(gt=0)] = 60.0
    """How often partitions, retention, free disk space and gaps are looked at."""
    retention_days: Positive | None = None
    """Reports older than this are dropped, whole months (or chunks) at a time; hours and days stay. Empty: kept for ever."""
    quarantine_days: Positive = 400
    """Quarantined messages older than this are dropped."""
    sensor_per_minute: Annotated[int, Meta(ge=60, le=10_000_000)] = 6000
    """So many messages a minute a sensor may send, in the long run; one of 0.5 kB counts 1.5, one of 16 kB 17."""
    sensor_burst: Annotated[int, Meta(ge=60, le=10_000_000)] = 6000
    """And so many at once: all that a device keeps of a month is 4,400. What comes beyond gets no receipt, and comes again."""
    sensor_batch: Positive = 50
    """So many messages of one sensor at most are in a batch, so that others do not wait for them."""
    sensor_epochs_a_day: Annotated[int, Meta(ge=1, le=EPOCHS_MAX)] = 100
    """So many streams a sensor may begin in 24 hours; what would begin more is set aside, and comes again."""
    stream_ranges_max: Annotated[int, Meta(ge=RANGES_MIN, le=100_000)] = 500
    """So many ranges of missing, lost and refused reports are kept of a stream; beyond, the first and the newest."""
    sensor_quarantine_kb: Annotated[int, Meta(ge=20)] = 1024
    """So much is kept in quarantine of each topic of a sensor; what comes beyond is counted only."""
    compress_after_days: Positive = 14
    """With TimescaleDB: chunks are compressed when they are older than this."""
    disk_warn_percent: Annotated[int, Meta(ge=1, le=99)] = 80
    """Warn when the disk of `disk_path` is fuller than this."""
    disk_path: Path | None = None
    """A folder on the database's disk, when it is on this machine; watched for free space."""
    metrics_port: Annotated[int, Meta(ge=0, le=65_535)] | None = None
    """Serve Prometheus metrics here; 0 takes a free port; empty serves none."""
    metrics_host: str = "127.0.0.1"
    """The address that the metrics listen on."""
    timescale: Timescale = "auto"
    """`auto` takes TimescaleDB where the server offers it, `off` never, `require` always."""

    @property
    def ingester(self) -> str:
        """Return this ingester's name, never empty."""
        return self.name or socket.gethostname().split(".")[0] or "ingest"

    @property
    def limits(self) -> Limits:
        """Return what may be stored for one sensor."""
        return Limits(self.sensor_epochs_a_day, self.stream_ranges_max, self.sensor_quarantine_kb)

    @property
    def address(self) -> tuple[str, int, bool]:
        """Return the broker's host, port and whether TLS is spoken."""
        parts = urlsplit(self.broker)
        tls = parts.scheme == "mqtts"
        return parts.hostname or "", parts.port or (8883 if tls else 1883), tls


def load(
    path: Path | None = None, given: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> IngestSettings:
    """Return the settings of a file, the environment (`TELSTRAAT_INGEST_...`) and `given`, the later over the earlier."""
    values: dict[str, Any] = {}
    if path is not None:
        values |= _of_file(path)
    for key, value in (os.environ if environment is None else environment).items():
        if key.startswith(ENVIRONMENT):
            name = key.removeprefix(ENVIRONMENT).lower()
            _check_name(name, f"the environment's {key}")
            values[name] = value or None
    values |= {key: value for key, value in (given or {}).items() if value is not None}
    if not values.get("dsn"):
        raise SettingsError(f"dsn is not set: say where the database is with --dsn or {ENVIRONMENT}DSN")
    try:
        settings = msgspec.convert(
            {k: v for k, v in values.items() if v is not None}, IngestSettings, strict=False, dec_hook=_decoded
        )
    except msgspec.ValidationError as error:
        raise SettingsError(f"setting {error}") from error
    _check_broker(settings)
    if settings.retention_days is not None and settings.retention_days <= settings.max_age_days:
        raise SettingsError(
            f"retention_days {settings.retention_days} must be more than max_age_days {settings.max_age_days}: "
            "a late report would go into a month that was dropped"
        )
    return settings


def _decoded(kind: type, value: Any) -> Any:
    """Read what msgspec does not know by itself: the name of a file."""
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"{kind.__name__} cannot be set")


def _of_file(path: Path) -> dict[str, Any]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"settings file {path}: {error}") from error
    for name in values:
        _check_name(name, str(path))
    return values


def _check_name(name: str, where: str) -> None:
    if name not in IngestSettings.__struct_fields__:
        near = difflib.get_close_matches(name, IngestSettings.__struct_fields__, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are: {', '.join(IngestSettings.__struct_fields__)}"
        raise SettingsError(f"{where}: there is no setting {name!r}{hint}")


def _check_broker(settings: IngestSettings) -> None:
    scheme = urlsplit(settings.broker).scheme
    try:
        host, _, tls = settings.address
    except ValueError as error:
        raise SettingsError(f"broker {settings.broker!r}: {error}; write mqtts://HOST:PORT") from error
    if scheme not in {"mqtt", "mqtts"} or not host:
        raise SettingsError(f"broker {settings.broker!r}: write mqtts://HOST:PORT, or mqtt://127.0.0.1:PORT")
    if not tls and not settings.allow_plain and not _is_loopback(host):
        raise SettingsError(
            f"broker {settings.broker!r} would send passwords in plain text over the network; use mqtts://, "
            "or allow_plain where the network itself is trusted"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
