"""What can be set on the API; docs/api.md repeats each sentence.

How a file, the environment (`TELSTRAAT_API_SITE_NAME` for `site_name`, `TELSTRAAT_DSN` for `dsn`) and the command line are
read is the same for every service: `telstraat_contract.settings`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from msgspec import Meta

from telstraat_contract.errors import SettingsError
from telstraat_contract.settings import DatabaseSettings, SettingsReader
from telstraat_store.connection import Database, PoolLimits

PEM = "-----BEGIN CERTIFICATE-----"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ApiSettings(DatabaseSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The API's settings; each description is also its documentation."""

    dsn: Annotated[
        str, Meta(min_length=1, description="Address of the database: a libpq connection string or URL.")
    ] = "postgresql:///telstraat"
    host: Annotated[str, Meta(description="Address to listen on; `0.0.0.0` for every network.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8080
    site_name: Annotated[str, Meta(min_length=1, max_length=60, description="Name of the site, on every page.")] = (
        "Telstraat"
    )
    pool_min: Annotated[
        int, Meta(ge=1, le=50, description="Database connections kept open, for the public and for the rest each.")
    ] = 1
    pool_max: Annotated[
        int, Meta(ge=1, le=200, description="Database connections at most, for the public and for the rest each.")
    ] = 8
    pool_wait_s: Annotated[float, Meta(gt=0, le=60, description="Longest wait for a free connection.")] = 5.0
    statement_timeout_s: Annotated[float, Meta(gt=0, le=600, description="Longest time one query may take.")] = 20.0
    rows_max: Annotated[int, Meta(ge=100, le=1000000, description="Rows that one JSON answer holds at most.")] = 40000
    exports_max: Annotated[int, Meta(ge=1, le=100, description="Files that may be downloaded at once.")] = 2
    evaluations_max: Annotated[
        int, Meta(ge=1, le=64, description="Reports that may be set at once, as a page or a PDF.")
    ] = 1
    evaluation_timeout_s: Annotated[
        float, Meta(gt=0, le=3600, description="Longest time that setting one may take.")
    ] = 120
    jobs_at_once: Annotated[
        int,
        Meta(
            ge=0,
            le=64,
            description="Jobs (evaluations and the like) that the API computes itself at once; 0 leaves them all to `telstraat work`.",
        ),
    ] = 1
    job_processes: Annotated[
        int,
        Meta(ge=0, le=256, description="Processes that one job may compute with; 0 for as many as there are cores."),
    ] = 0
    job_timeout_s: Annotated[float, Meta(gt=0, le=86400, description="Longest time that one job may take.")] = 900
    job_memory_mb: Annotated[
        int,
        Meta(
            ge=0, le=1048576, description="Memory in megabytes that each process of a job may have; 0 for any amount."
        ),
    ] = 2000
    job_crashes_max: Annotated[
        int, Meta(ge=0, le=100, description="Times that a job which broke off is tried again by itself.")
    ] = 2
    job_grace_s: Annotated[
        float,
        Meta(
            ge=0, le=3600, description="Time that a worker which is stopped gives its jobs, before it hands them back."
        ),
    ] = 2.0
    job_metrics_port: Annotated[
        int, Meta(ge=0, le=65535, description="Port for the metrics of `telstraat work`; 0 for none.")
    ] = 0
    live_streams_max: Annotated[int, Meta(ge=1, le=100000, description="Browsers that may watch live at once.")] = 500
    live_streams_per_address: Annotated[
        int, Meta(ge=1, le=100000, description="Live streams that one address may hold.")
    ] = 50
    watch_every_s: Annotated[
        float, Meta(ge=1, le=300, description="How often a watched sensor is asked for live counts.")
    ] = 15.0
    poll_every_s: Annotated[
        float, Meta(ge=0.2, le=300, description="How often watched streets are checked for reports.")
    ] = 3.0
    keep_s: Annotated[
        float,
        Meta(
            ge=0,
            le=300,
            description="How long answers that are alike for everybody are kept: the map, lists of all streets, the latest hour; 0 for not at all.",
        ),
    ] = 5.0
    summaries_every_s: Annotated[
        float,
        Meta(ge=0, le=3600, description="How often is looked for streets whose summary is due; 0 leaves it to others."),
    ] = 20.0
    rate_per_minute: Annotated[
        float, Meta(ge=0, le=1000000, description="Requests per minute from one address; 0 for any number.")
    ] = 0
    rate_burst: Annotated[int, Meta(ge=1, le=100000, description="Requests at once before that counts.")] = 60
    quarter_min: Annotated[
        int,
        Meta(
            ge=0,
            le=1000,
            description="Smallest count of a class that a public quarter shows; hours only below it; 0 shows every quarter, and what is live.",
        ),
    ] = 5
    trusted_proxies: Annotated[
        str,
        Meta(
            max_length=1000,
            pattern=r"^(\*|[0-9A-Fa-f.:/]+(,[0-9A-Fa-f.:/]+)*)?\Z",
            description="Addresses of proxies in front, whose word on a reader's address and on https counts; `*` for every.",
        ),
    ] = "127.0.0.1,::1"
    contact: Annotated[
        str,
        Meta(
            max_length=200,
            pattern=r"^([^\s<>]+@[^\s<>]+|https?://[^\s<>]+)?\Z",
            description="Whom people ask for a sensor or an account: a mail address, or the `https://` address of a page; empty names `mail_from`.",
        ),
    ] = ""
    security_contact: Annotated[
        str,
        Meta(
            max_length=300,
            pattern=r"^((mailto:|https://|tel:)[^\s]+)?\Z",
            description="Where a weakness of this site is reported, such as `mailto:security@example.org` (`/.well-known/security.txt`); empty names `mail_from`, or the site.",
        ),
    ] = ""
    public_url: Annotated[
        str,
        Meta(
            max_length=200,
            pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?\Z",
            description="Address of this site as readers type it, such as `https://counts.example.org`; sign-in needs it.",
        ),
    ] = ""
    broker_host: Annotated[
        str,
        Meta(
            max_length=253,
            pattern=r"^[A-Za-z0-9.:_-]*\Z",
            description="Name or address of the broker as devices reach it, told to each when it is set up; empty: the host of `public_url`.",
        ),
    ] = ""
    broker_port: Annotated[
        int, Meta(ge=0, le=65535, description="Port of the broker for devices; 0: 8883 with TLS and 1883 without.")
    ] = 0
    broker_tls: Annotated[
        bool, Meta(description="Whether devices use TLS to the broker; off only where both are one machine.")
    ] = True
    broker_ca_file: Annotated[
        Path | None,
        Meta(
            description="Certificate (PEM) of who signed the broker's, handed to devices; none where their system knows it."
        ),
    ] = None
    session_days: Annotated[int, Meta(ge=1, le=365, description="How long a browser stays signed in.")] = 14
    sign_in_per_minute: Annotated[
        float,
        Meta(
            gt=0, le=10000, description="Sign-in links that one address on the net may ask for in a minute, after ten."
        ),
    ] = 1
    mail_host: Annotated[
        str, Meta(max_length=200, description="Mail server (SMTP) for sign-in links; empty for none.")
    ] = ""
    mail_port: Annotated[int, Meta(ge=1, le=65535, description="Port of the mail server.")] = 587
    mail_tls: Annotated[
        Literal["starttls", "tls", "none"],
        Meta(
            description="How the way to the mail server is protected: `starttls`, `tls`, or `none` (only on this machine)."
        ),
    ] = "starttls"
    mail_user: Annotated[str, Meta(max_length=200, description="User name at the mail server; empty for none.")] = ""
    mail_password_file: Annotated[Path | None, Meta(description="File that holds the password at the mail server.")] = (
        None
    )
    mail_from: Annotated[str, Meta(max_length=254, description="Address that sign-in links come from.")] = ""
    oidc_issuer: Annotated[
        str,
        Meta(
            max_length=300,
            pattern=r"^(https://.+|http://(127\.0\.0\.1|localhost)(:\d+)?(/.*)?)?\Z",
            description="Issuer of the operator's OpenID Connect provider; empty for none.",
        ),
    ] = ""
    oidc_client_id: Annotated[str, Meta(max_length=200, description="This site's client id at the provider.")] = ""
    oidc_client_secret_file: Annotated[
        Path | None, Meta(description="File that holds this site's secret at the provider; none for a public client.")
    ] = None
    oidc_name: Annotated[str, Meta(max_length=60, description="Name of the provider on the sign-in page.")] = ""
    oidc_new_role: Annotated[
        Literal["", "citizen"],
        Meta(
            description="Role of people whom the provider knows and this site does not: `citizen`, or empty to let none in."
        ),
    ] = ""
    tiles: Annotated[
        str,
        Meta(
            pattern=r"^(/[A-Za-z0-9_\-.{}@][A-Za-z0-9_\-./{}@]*)?\Z",
            description="Path on this host with map tiles, such as `/tiles/{z}/{x}/{y}.png`; empty draws the map without.",
        ),
    ] = ""
    pmtiles: Annotated[
        Path | None,
        Meta(
            description="PMTiles file of pictures that the maps show, without a tile server; none for the ground of the import."
        ),
    ] = None
    tiles_attribution: Annotated[str, Meta(max_length=300, description="Text under a map with tiles.")] = ""
    device_releases: Annotated[
        Path | None,
        Meta(
            description="Folder that `telstraat release` fills with what devices are installed from (`/device/install.sh`); none hands out nothing."
        ),
    ] = None
    licence: Annotated[str, Meta(max_length=200, description="Licence of the published counts.")] = "CC0-1.0"
    attribution: Annotated[str, Meta(max_length=300, description="How to name the source of the counts.")] = ""


def database_of(settings: ApiSettings) -> Database:
    """Return the database that the settings name; not opened yet."""
    limits = PoolLimits(settings.pool_min, settings.pool_max, settings.pool_wait_s, settings.statement_timeout_s)
    return Database(settings.dsn, limits, name="telstraat api", whole_hours=settings.quarter_min > 0)


def check(settings: ApiSettings) -> None:
    """Refuse half of what a way to sign in needs, and two sorts of tiles."""
    if settings.tiles and settings.pmtiles:
        raise SettingsError("tiles and pmtiles are both set: the maps show the one or the other")
    if (settings.mail_host or settings.oidc_issuer) and not settings.public_url:
        raise SettingsError("sign-in needs public_url, the address that readers type: links lead there")
    if settings.mail_host and "@" not in settings.mail_from:
        raise SettingsError("mail_host needs mail_from, the address that links come from")
    if settings.mail_tls == "none" and settings.mail_host not in LOOPBACK | {""}:
        raise SettingsError(f"mail_tls=none sends links readable to everybody on the way to {settings.mail_host}")
    check_broker(settings)
    if settings.oidc_issuer and not settings.oidc_client_id:
        raise SettingsError("oidc_issuer needs oidc_client_id")


def check_broker(settings: ApiSettings) -> None:
    """Refuse an address of the broker that a device would refuse, or that gives away a key."""
    if not settings.broker_tls and settings.broker_host not in LOOPBACK:
        raise SettingsError(
            "broker_tls=false sends passwords of devices readable: only for a broker_host on this machine"
        )
    if settings.broker_ca_file is None:
        return
    try:
        text = settings.broker_ca_file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"broker_ca_file {settings.broker_ca_file} cannot be read: {error}") from error
    if PEM not in text or "PRIVATE KEY" in text:
        raise SettingsError(
            f"broker_ca_file {settings.broker_ca_file} must hold a certificate (PEM) and no key: every device gets it"
        )


READER = SettingsReader(ApiSettings, "api", check, former={"TELSTRAAT_API_DSN": "dsn"})


def read_settings(
    file: Path | None = None, arguments: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> ApiSettings:
    """Return the settings of a file, the environment and the command line's `arguments`, the later over the earlier."""
    return READER.read(file, environment, arguments)
