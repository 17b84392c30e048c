"""The set-up process: the only one that listens, and the only one that ever makes a picture of a frame."""

from __future__ import annotations

import logging
import resource
import threading
from collections.abc import Callable

import uvicorn

from telstraat_device.cameras.frames import FrameSource
from telstraat_device.cameras.video import open_source
from telstraat_device.setup.button import LongPress, gpio_button
from telstraat_device.setup.looking.look import OpenCamera
from telstraat_device.setup.network.wifi import NetworkLink, NetworkManager
from telstraat_device.setup.services import CountingService, SystemdService
from telstraat_device.setup.settings import SetupSettings
from telstraat_device.setup.site import SetupSite
from telstraat_device.setup.web.app import make_app
from telstraat_device.setup.web.guard import PatientProtocol

BUTTON_S = 0.1
log = logging.getLogger(__name__)


def camera_of(settings: SetupSettings) -> OpenCamera:
    """Return how the camera is opened."""
    camera = settings.camera

    def open_camera() -> FrameSource:
        return open_source(camera.source, width=camera.width, height=camera.height)

    return open_camera


def run(
    settings: SetupSettings,
    *,
    open_camera: OpenCamera | None = None,
    service: CountingService | None = None,
    network: NetworkLink | None = None,
) -> int:
    """Serve the pages until SIGTERM."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash writes no memory, in which a frame may be
    site = SetupSite(
        settings,
        open_camera or camera_of(settings),
        service or SystemdService(settings.device.service),
        network or NetworkManager(),
    )
    ending = threading.Event()
    if settings.button.pin is not None:
        watch_button(settings.button.pin, site.forget, ending)
    page = settings.page
    config = uvicorn.Config(
        make_app(site),
        host=page.host,
        port=page.port,
        http=PatientProtocol,
        loop="asyncio",
        ws="none",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=3,
        log_config=None,
    )
    log.info("set-up of this sensor is at http://%s.local", site.name)
    try:
        uvicorn.Server(config).run()
    finally:
        ending.set()
    return 0


def watch_button(pin: int, action: Callable[[], None], ending: threading.Event) -> None:
    """Watch a button in a thread of its own."""
    button = gpio_button(pin)
    if button is None:
        return
    press = LongPress(button, action)

    def watch() -> None:
        while not ending.wait(BUTTON_S):
            press.step()

    threading.Thread(target=watch, name="button", daemon=True).start()
