"""How the sensor gets into a Wi-Fi network: NetworkManager by `nmcli`, and a network of its own where none is known.

A key never stands in the arguments of a program, where everyone on the machine could read it: `nmcli connection edit`
takes it from its input.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from dataclasses import dataclass
from typing import Literal, Protocol

from telstraat_contract.claims import written_code
from telstraat_contract.languages import gettext_noop
from telstraat_device.errors import NetworkError

OWN = "telstraat-setup"
JOINED = "telstraat-wifi"
NMCLI_S = 20
CONNECT_S = 45
SSID_BYTES_MAX = 32
KEY_LENGTHS = range(8, 65)
NO_PROGRAM = gettext_noop("This board has no NetworkManager: connect it by cable, or as its system does it.")
NO_SSID = gettext_noop("Choose a network, or write its name: at most 32 letters.")
BAD_KEY = gettext_noop("The key of a Wi-Fi network has 8 to 63 letters, digits and signs.")
NOT_JOINED = gettext_noop(
    "The network “{ssid}” did not let the sensor in. Is the key right, and the signal strong enough?"
)
log = logging.getLogger(__name__)

Reach = Literal["internet", "local", "own", "none"]
"""What the sensor reaches: the internet, a network without it, phones in its own network, nothing."""


@dataclass(frozen=True, slots=True)
class WifiNetwork:
    """A network that can be seen."""

    ssid: str
    signal: int
    is_locked: bool
    is_joined: bool = False


class NetworkLink(Protocol):
    """How the sensor is connected."""

    def reach(self) -> Reach:
        """Return what it reaches now."""

    def visible(self) -> list[WifiNetwork]:
        """Return the networks that can be seen, the strongest first."""

    def join(self, ssid: str, key: str) -> None:
        """Join a network; raise `NetworkError` where that fails."""

    def open_own(self, name: str, key: str) -> None:
        """Open a network of its own, for phones."""

    def close_own(self) -> None:
        """Close it, and let the known networks be tried."""


def checked_wifi(ssid: str, key: str) -> None:
    """Refuse what no network is called, and no key is."""
    if not 1 <= len(ssid.encode()) <= SSID_BYTES_MAX or not ssid.isprintable():
        raise NetworkError(NO_SSID)
    if key and (len(key) not in KEY_LENGTHS or not (key.isascii() and key.isprintable())):
        raise NetworkError(BAD_KEY)


def own_key(code: str) -> str:
    """Return the key of the sensor's own network: its code, as the card has it."""
    return written_code(code)


class NetworkManager:
    """NetworkManager, by its command line."""

    def __init__(self, program: str | None = None) -> None:
        self._program = program or shutil.which("nmcli")

    def reach(self) -> Reach:
        """Return what it reaches now."""
        try:
            if any(name == OWN for name, *_ in self._table("connection", "show", "--active", fields="NAME,TYPE")):
                return "own"
            ((state, connectivity, *_), *_) = self._table("general", "status", fields="STATE,CONNECTIVITY")
        except (NetworkError, ValueError):
            return "local"  # not ours to say: whoever reads this has reached us
        if connectivity == "full":
            return "internet"
        return "local" if state.startswith("connected") else "none"

    def visible(self) -> list[WifiNetwork]:
        """Return the networks that can be seen, the strongest first."""
        rows = self._table("device", "wifi", "list", fields="IN-USE,SSID,SIGNAL,SECURITY")
        best: dict[str, WifiNetwork] = {}
        for in_use, ssid, signal, security in (row for row in rows if len(row) == 4):
            network = WifiNetwork(ssid, int(signal or 0), security not in {"", "--"}, in_use == "*")
            if ssid and (ssid not in best or best[ssid].signal < network.signal):
                best[ssid] = network
        return sorted(best.values(), key=lambda network: (-network.signal, network.ssid))

    def join(self, ssid: str, key: str) -> None:
        """Join a network; a profile that did not work is not left behind."""
        checked_wifi(ssid, key)
        self._remove(JOINED)
        self._ask("connection", "add", "type", "wifi", "con-name", JOINED, "ifname", "*", "ssid", ssid)
        try:
            self._give_key(JOINED, key)
            self._ask("--wait", str(CONNECT_S), "connection", "up", JOINED, limit_s=CONNECT_S + NMCLI_S)
        except NetworkError as error:
            self._remove(JOINED)
            raise NetworkError(NOT_JOINED, ssid=ssid) from error

    def open_own(self, name: str, key: str) -> None:
        """Open a network of its own, for phones; its key is on the card."""
        self._remove(OWN)
        words = ("type", "wifi", "con-name", OWN, "ifname", "*", "ssid", name, "autoconnect", "no", "mode", "ap")
        self._ask("connection", "add", *words, "ipv4.method", "shared", "ipv6.method", "disabled")
        self._give_key(OWN, key)
        self._ask("--wait", str(CONNECT_S), "connection", "up", OWN, limit_s=CONNECT_S + NMCLI_S)

    def close_own(self) -> None:
        """Close it, and let the known networks be tried."""
        self._remove(OWN)

    def _give_key(self, profile: str, key: str) -> None:
        if key:
            words = ["set wifi-sec.key-mgmt wpa-psk", f"set wifi-sec.psk {key}", "save persistent", "quit", ""]
            self._ask("connection", "edit", profile, typed="\n".join(words))

    def _remove(self, profile: str) -> None:
        if any(name == profile for name, *_ in self._table("connection", "show", fields="NAME,TYPE")):
            self._ask("connection", "delete", profile)

    def _table(self, *words: str, fields: str) -> list[list[str]]:
        return [cells_of(line) for line in self._ask("-t", "-f", fields, *words).splitlines() if line]

    def _ask(self, *words: str, typed: str | None = None, limit_s: float = NMCLI_S) -> str:
        """Run nmcli; what it answers to a key is not logged, for it repeats what was typed."""
        if self._program is None:
            raise NetworkError(NO_PROGRAM)
        try:
            done = subprocess.run(
                [self._program, *words], input=typed or "", capture_output=True, text=True, timeout=limit_s, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise NetworkError(NO_PROGRAM) from error
        if done.returncode:
            log.warning("nmcli %s: %s", " ".join(words[:4]), "" if typed else done.stderr.strip()[:300])
            raise NetworkError(NO_PROGRAM)
        return done.stdout


def cells_of(line: str) -> list[str]:
    """Return the cells of a line of `nmcli -t`: colons divide, a backslash takes the next sign as it is."""
    cells, taken = [""], False
    for sign in line:
        if taken:
            cells[-1] += sign
            taken = False
        elif sign == "\\":
            taken = True
        elif sign == ":":
            cells.append("")
        else:
            cells[-1] += sign
    return cells
