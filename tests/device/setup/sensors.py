"""A sensor that is being set up: the real pages and the real counting core before a simulated street, on a clock of the test's."""

from __future__ import annotations

import asyncio
import contextlib
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from tests.harness.serving import serving

from telstraat_device.cameras.frames import ClosingSource, Frame
from telstraat_device.errors import NetworkError
from telstraat_device.setup.network.wifi import BAD_KEY, Reach, WifiNetwork
from telstraat_device.setup.settings import READER, SetupSettings
from telstraat_device.setup.site import SetupSite
from telstraat_device.setup.web.app import make_app
from telstraat_device.setup.web.guard import PatientProtocol
from telstraat_firmware_sim.street.settings import StreetSettings
from telstraat_firmware_sim.street.street import SimulatedStreet

NAME = "elm-street-1"
PHONE = "192.168.1.20"
HOME = f"http://{NAME}.local"
WIDTH, HEIGHT = 320, 240
TOKEN = re.compile(r'name="token" value="([^"]+)"')


class TestClock:
    """A monotonic clock that stands until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class StreetCamera(ClosingSource):
    """A simulated street as a camera: as fast as it is read, or at its own pace."""

    open = 0

    def __init__(
        self,
        *,
        paced: bool = False,
        duration_s: float = 600.0,
        fps: float = 8.0,
        width: int = WIDTH,
        height: int = HEIGHT,
    ) -> None:
        self.street = SimulatedStreet(
            StreetSettings(seed=3, width=width, height=height, fps=fps, duration_s=duration_s)
        )
        self.name, self.width, self.height, self.fps = "simulated", width, height, fps
        self.frames: int | None = None
        self._paced = paced
        type(self).open += 1

    def __iter__(self) -> Iterator[Frame]:
        start_s = time.monotonic()
        for frame in self.street:
            if self._paced:
                time.sleep(max(0.0, start_s + frame.t_s - time.monotonic()))
            else:
                time.sleep(0.002)
            yield frame

    def close(self) -> None:
        """Note that the camera is free."""
        type(self).open -= 1


class NotedService:
    """A counting service that notes what is done with it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def start(self) -> None:
        """Note a start."""
        self.calls.append("start")

    def stop(self) -> None:
        """Note a stop."""
        self.calls.append("stop")

    def is_running(self) -> bool:
        """Whether the last call was a start."""
        return self.calls[-1:] == ["start"]


class SmallNetwork:
    """A network with one Wi-Fi whose key is known here."""

    def __init__(self, reach: Reach = "local") -> None:
        self.now: Reach = reach
        self.key = "right key"
        self.own_opened = threading.Event()
        self.own: tuple[str, str] | None = None

    def reach(self) -> Reach:
        """What it reaches."""
        return self.now

    def visible(self) -> list[WifiNetwork]:
        """One network."""
        return [WifiNetwork("Villa", 80, True)]

    def join(self, ssid: str, key: str) -> None:
        """Let in who has the key."""
        if key != self.key:
            self.now = "none"
            raise NetworkError(BAD_KEY)
        self.now = "internet"

    def open_own(self, name: str, key: str) -> None:
        """Open the own network."""
        self.own, self.now = (name, key), "own"
        self.own_opened.set()

    def close_own(self) -> None:
        """Close it."""
        self.own, self.now = None, "none"


def setup_settings(folder: Path, **tables: dict[str, Any]) -> SetupSettings:
    """Return settings whose files lie in a folder of the test's."""
    files = {
        "settings_file": "device.toml",
        "password_file": "password",
        "code_file": "code",
        "state": "state",
        "progress_file": "setup.json",
        "health_file": "health.json",
    }
    values: dict[str, dict[str, Any]] = {
        "page": {"name": NAME, "host": "127.0.0.1", "port": 0},
        "device": {key: str(folder / name) for key, name in files.items()} | {"sensor": NAME},
    }
    for name, keys in tables.items():
        values.setdefault(name, {}).update(keys)
    return READER.read(None, {}, values)


class SensorAtHome:
    """A sensor with its pages, and phones that look at them."""

    def __init__(self, folder: Path, **tables: dict[str, Any]) -> None:
        self.folder = folder
        self.clock = TestClock()
        self.service = NotedService()
        self.network = SmallNetwork()
        self.settings = setup_settings(folder, **tables)
        self.site = SetupSite(self.settings, StreetCamera, self.service, self.network, monotonic=self.clock)
        self.app = make_app(self.site)

    def phone(self, address: str = PHONE, base: str = HOME) -> Phone:
        """Return a phone that has given nothing yet."""
        return Phone(self.app, address, base)

    def owners_phone(self, address: str = PHONE) -> Phone:
        """Return a phone that has given the code."""
        phone = self.phone(address)
        assert phone.post("/enter", data={"code": self.site.code}).status_code == 303
        return phone


@contextlib.contextmanager
def served_site(site: SetupSite) -> Iterator[str]:
    """Serve the pages of a sensor as its process does."""
    with serving(
        uvicorn.Server(uvicorn.Config(make_app(site), http=PatientProtocol, log_config=None, ws="none"))
    ) as address:
        yield address


class Phone:
    """A browser in the local network, as the application sees it."""

    def __init__(self, app: Any, address: str, base: str) -> None:
        transport = httpx.ASGITransport(app, client=(address, 50_000))
        headers = {"accept": "text/html", "origin": base}
        self._client = httpx.AsyncClient(transport=transport, base_url=base, headers=headers)
        self.cookies = self._client.cookies

    def get(self, path: str, **more: Any) -> httpx.Response:
        """Ask for a page."""
        return asyncio.run(self._client.get(path, **more))

    def post(self, path: str, **more: Any) -> httpx.Response:
        """Send a form."""
        return asyncio.run(self._client.post(path, **more))


def token_of(phone: Phone, path: str = "/aim") -> str:
    """Return the token of a page's forms."""
    match = TOKEN.search(phone.get(path).text)
    assert match, phone.get(path).text
    return match[1]


def posted(phone: Phone, path: str, **fields: str) -> Any:
    """Send a form as a page would."""
    return phone.post(path, data={"token": token_of(phone), **fields})


def picture_of(phone: Phone, wait_s: float = 20.0) -> Any:
    """Return the answer with the first picture, or whatever else is not "not yet"."""
    end_s = time.monotonic() + wait_s
    while (answer := phone.get("/aim/picture")).status_code == 202 and time.monotonic() < end_s:
        time.sleep(0.02)
    return answer
