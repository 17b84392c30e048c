"""What set-up asks the town's server: its streets, and this sensor's password for a claim code.

No redirect is followed: what goes to the town's server goes nowhere else.
"""

from __future__ import annotations

import http.client
import logging
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from telstraat_contract.languages import gettext_noop
from telstraat_device.errors import TownAwayError, TownRefusedError

TIMEOUT_S = 15.0
ANSWER_MAX = 8_000_000
PAGES_MAX = 40
PAGE = 1000
ENROL = "/api/v1/device/enrol"
SEGMENTS = "/api/v1/segments"
AWAY = gettext_noop(
    "The town’s server does not answer. Is the sensor on the internet? Everything else can go on meanwhile."
)
ODD = gettext_noop("What answers at the town’s address is no Telstraat server. Is the address right?")
WRONG_CODE = gettext_noop("Name and code do not belong together. Both stand on the card of the sensor.")
USED = gettext_noop("This code has been used by a sensor before. The owner’s page, or your town, gives a new one.")
WAIT = gettext_noop("The town’s server has had too many tries from here. Wait a minute, then try again.")
REFUSED = gettext_noop("The town’s server refuses this (answer {status}). Try again later, or ask your town.")
NO_STREET = gettext_noop("The town’s list has no such stretch of street any more: choose it again.")
WORDS = {404: WRONG_CODE, 403: WRONG_CODE, 409: USED, 422: NO_STREET, 429: WAIT}
LATER = {500, 502, 503, 504}
"""Answers that say "not now": a code waits for another."""
Answer = TypeVar("Answer")
log = logging.getLogger(__name__)


class StreetLine(Struct, frozen=True):
    """The line of a stretch of street."""

    type: str = ""
    coordinates: Any = ()


class StreetName(Struct, frozen=True):
    """What is known of a stretch of street."""

    segment_id: int
    name: str | None = None


class StreetFeature(Struct, frozen=True):
    """A stretch of street, as the town's list has it."""

    properties: StreetName
    geometry: StreetLine


class StretchPage(Struct, frozen=True):
    """A page of the town's list."""

    features: tuple[StreetFeature, ...]
    next: str | None = None


class EnrolledBroker(Struct, frozen=True):
    """Where reports go."""

    host: str
    port: int
    tls: bool = True
    ca: str | None = None


class EnrolledApi(Struct, frozen=True):
    """What the device asks the town's server with."""

    token: str | None = None


class GivenAccess(Struct, frozen=True):
    """What a claim code was exchanged for."""

    sensor: str
    password: str
    broker: EnrolledBroker
    api: EnrolledApi = EnrolledApi()


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows nothing."""

    def redirect_request(self, *_: Any) -> None:
        """Stay where we are."""


class TownServer:
    """The town's server."""

    def __init__(self, address: str, ca_file: str = "") -> None:
        self.address = address.rstrip("/")
        context = ssl.create_default_context(cafile=ca_file or None)
        self._opener = urllib.request.build_opener(
            NoRedirect, urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )

    def streets(self) -> tuple[StreetFeature, ...]:
        """Return the town's list of stretches of street."""
        path = f"{SEGMENTS}?limit={PAGE}"
        features: list[StreetFeature] = []
        for _ in range(PAGES_MAX):
            page = self._decoded(self._ask(path), StretchPage)
            features += page.features
            if not page.next or not page.next.startswith(SEGMENTS):
                break
            path = page.next
        return tuple(features)

    def enrol(self, wish: Mapping[str, object]) -> bytes:
        """Exchange a claim code; return the answer as it came, so that it can be kept before anything else."""
        answer = self._ask(ENROL, msgspec.json.encode(wish))
        self.read_enrolment(answer)
        return answer

    def read_enrolment(self, answer: bytes) -> GivenAccess:
        """Return what an exchange has given."""
        return self._decoded(answer, GivenAccess)

    def _decoded(self, answer: bytes, kind: type[Answer]) -> Answer:
        try:
            return msgspec.json.decode(answer, type=kind)
        except msgspec.DecodeError as error:
            log.warning("%s answers oddly: %s", self.address, error)
            raise TownAwayError(ODD) from error

    def _ask(self, path: str, body: bytes | None = None) -> bytes:
        headers = {"Accept": "application/json", "User-Agent": "telstraat-setup"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(f"{self.address}{path}", body, headers)  # noqa: S310 - the scheme is checked
        try:
            with self._opener.open(request, timeout=TIMEOUT_S) as response:
                answer: bytes = response.read(ANSWER_MAX + 1)
        except urllib.error.HTTPError as error:
            error.close()
            if error.code in LATER:
                raise TownAwayError(AWAY) from None
            raise TownRefusedError(WORDS.get(error.code, REFUSED), status=error.code) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            log.warning("%s does not answer: %s", self.address, type(error).__name__)
            raise TownAwayError(AWAY) from error
        if len(answer) > ANSWER_MAX:
            raise TownAwayError(ODD)
        return answer
