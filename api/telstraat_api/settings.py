"""What an operator can set: read once at the edge from `TELSTRAAT_API_*`, frozen, unknown names refused."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from telstraat_api.errors import SettingsError
from telstraat_store.connection import Database, PoolLimits

PREFIX = "TELSTRAAT_API_"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class ApiSettings(BaseModel):
    """The API's settings; each description is also its documentation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dsn: str = Field(default="postgresql:///telstraat", description="Address of the database, as libpq reads it.")
    host: str = Field(default="127.0.0.1", description="Address to listen on; 0.0.0.0 for every network.")
    port: int = Field(default=8080, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    site_name: str = Field(
        default="Telstraat", min_length=1, max_length=60, description="Name of the site, on every page."
    )
    pool_min: int = Field(default=1, ge=1, le=50, description="Database connections kept open.")
    pool_max: int = Field(default=8, ge=1, le=200, description="Database connections at most.")
    pool_wait_s: float = Field(default=5.0, gt=0, le=60, description="Longest wait for a free connection.")
    statement_timeout_s: float = Field(default=20.0, gt=0, le=600, description="Longest time one query may take.")
    rows_max: int = Field(default=40_000, ge=100, le=1_000_000, description="Rows that one JSON answer holds at most.")
    exports_max: int = Field(default=2, ge=1, le=100, description="Files that may be downloaded at once.")
    evaluations_max: int = Field(default=1, ge=1, le=64, description="Evaluations that may be computed at once.")
    evaluation_timeout_s: float = Field(default=120, gt=0, le=3600, description="Longest time one evaluation may take.")
    live_streams_max: int = Field(default=500, ge=1, le=100_000, description="Browsers that may watch live at once.")
    live_streams_per_address: int = Field(
        default=50, ge=1, le=100_000, description="Live streams that one address may hold."
    )
    watch_every_s: float = Field(
        default=15.0, ge=1, le=300, description="How often a watched sensor is asked for live counts."
    )
    poll_every_s: float = Field(
        default=3.0, ge=0.2, le=300, description="How often watched streets are checked for reports."
    )
    keep_s: float = Field(
        default=5.0,
        ge=0,
        le=300,
        description="How long answers that are alike for everybody are kept: the map, lists of all streets, the latest hour.",
    )
    rate_per_minute: float = Field(
        default=0, ge=0, le=1_000_000, description="Requests per minute from one address; 0 for any number."
    )
    rate_burst: int = Field(default=60, ge=1, le=100_000, description="Requests at once before that counts.")
    quarter_min: int = Field(
        default=5,
        ge=0,
        le=1000,
        description="Smallest count of a class that a public quarter shows; hours only below it; 0 shows every quarter.",
    )
    trusted_proxies: str = Field(
        default="127.0.0.1,::1",
        max_length=1000,
        pattern=r"^(\*|[0-9A-Fa-f.:/]+(,[0-9A-Fa-f.:/]+)*)?$",
        description="Addresses of proxies in front, whose word on a reader's address and on https counts; * for every.",
    )
    security_contact: str = Field(
        default="",
        max_length=300,
        pattern=r"^((mailto:|https://|tel:)[^\s]+)?$",
        description="Where a weakness of this site is reported, such as mailto:security@example.org; empty names mail_from, or the site.",
    )
    public_url: str = Field(
        default="",
        max_length=200,
        pattern=r"^(https?://[A-Za-z0-9.:\[\]-]+)?$",
        description="Address of this site as readers type it, such as https://counts.example.org; sign-in needs it.",
    )
    session_days: int = Field(default=14, ge=1, le=365, description="How long a browser stays signed in.")
    sign_in_per_minute: float = Field(
        default=1,
        gt=0,
        le=10_000,
        description="Sign-in links that one address on the net may ask for in a minute, after ten.",
    )
    mail_host: str = Field(
        default="", max_length=200, description="Mail server (SMTP) for sign-in links; empty for none."
    )
    mail_port: int = Field(default=587, ge=1, le=65_535, description="Port of the mail server.")
    mail_tls: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the way to the mail server is protected; none only on this machine."
    )
    mail_user: str = Field(default="", max_length=200, description="User name at the mail server; empty for none.")
    mail_password_file: Path | None = Field(
        default=None, description="File that holds the password at the mail server."
    )
    mail_from: str = Field(default="", max_length=254, description="Address that sign-in links come from.")
    oidc_issuer: str = Field(
        default="",
        max_length=300,
        pattern=r"^(https://.+|http://(127\.0\.0\.1|localhost)(:\d+)?(/.*)?)?$",
        description="Issuer of the operator's OpenID Connect provider; empty for none.",
    )
    oidc_client_id: str = Field(default="", max_length=200, description="This site's client id at the provider.")
    oidc_client_secret_file: Path | None = Field(
        default=None, description="File that holds this site's secret at the provider."
    )
    oidc_name: str = Field(default="", max_length=60, description="Name of the provider on the sign-in page.")
    oidc_new_role: Literal["", "citizen"] = Field(
        default="", description="Role of people whom the provider knows and this site does not; empty lets none in."
    )
    tiles: str = Field(
        default="",
        pattern=r"^(/[A-Za-z0-9_\-.{}@][A-Za-z0-9_\-./{}@]*)?$",
        description="Path on this host with map tiles, such as /tiles/{z}/{x}/{y}.png; empty draws the map without.",
    )
    tiles_attribution: str = Field(default="", max_length=300, description="Text under a map with tiles.")
    licence: str = Field(default="CC0-1.0", max_length=200, description="Licence of the published counts.")
    attribution: str = Field(default="", max_length=300, description="How to name the source of the counts.")

    @model_validator(mode="after")
    def sign_in_is_whole(self) -> Self:
        """Refuse half of what a way to sign in needs."""
        if (self.mail_host or self.oidc_issuer) and not self.public_url:
            raise ValueError("sign-in needs public_url, the address that readers type: links lead there")
        if self.mail_host and "@" not in self.mail_from:
            raise ValueError("mail_host needs mail_from, the address that links come from")
        if self.mail_tls == "none" and self.mail_host not in LOOPBACK | {""}:
            raise ValueError(f"mail_tls=none sends links readable to everybody on the way to {self.mail_host}")
        if self.oidc_issuer and not self.oidc_client_id:
            raise ValueError("oidc_issuer needs oidc_client_id")
        return self


def database_of(settings: ApiSettings) -> Database:
    """Return the database that the settings name; not opened yet."""
    limits = PoolLimits(settings.pool_min, settings.pool_max, settings.pool_wait_s, settings.statement_timeout_s)
    return Database(settings.dsn, limits, name="telstraat api", whole_hours=settings.quarter_min > 0)


def read_settings(environ: Mapping[str, str] | None = None, **given: Any) -> ApiSettings:
    """Read the settings from the environment; `given` (from the command line) wins over it, and TELSTRAAT_DSN counts last."""
    environ = os.environ if environ is None else environ
    names = {PREFIX + name.upper(): name for name in ApiSettings.model_fields}
    values: dict[str, Any] = {"dsn": environ["TELSTRAAT_DSN"]} if environ.get("TELSTRAAT_DSN") else {}
    for variable, value in environ.items():
        if not variable.upper().startswith(PREFIX):
            continue
        if variable.upper() not in names:
            near = difflib.get_close_matches(variable.upper(), names, 1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(names))}"
            raise SettingsError(f"there is no setting {variable}; {hint}")
        values[names[variable.upper()]] = value
    values.update({name: value for name, value in given.items() if value is not None})
    try:
        return ApiSettings(**values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        raise SettingsError(f"setting {name} = {first.get('input')!r}: {first['msg']}") from error
