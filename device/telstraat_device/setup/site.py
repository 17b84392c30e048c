"""What the screens decide, and what becomes of it: one object that holds the parts of set-up together."""

from __future__ import annotations

import logging
import math
import secrets
import socket
import threading
import time
from pathlib import Path

import msgspec

from telstraat_contract.errors import SensorNameError, SettingsError
from telstraat_contract.languages import gettext_noop
from telstraat_contract.secret_files import read_secret
from telstraat_contract.topics import check_sensor_name
from telstraat_device.errors import DeviceError, SetupError, TownAwayError
from telstraat_device.forgetting import forget
from telstraat_device.settings import settings_of
from telstraat_device.setup.finishing import NOT_ENROLLED, enrolment_file, keep_enrolment, write_device_settings
from telstraat_device.setup.looking.desk import CameraDesk
from telstraat_device.setup.looking.look import OpenCamera
from telstraat_device.setup.network.reachable import Reachable
from telstraat_device.setup.network.wifi import NetworkLink, own_key
from telstraat_device.setup.owner import Monotonic, OwnerGate, owner_code
from telstraat_device.setup.progress import AimedView, ChosenStreet, SetupProgress, SetupProgressFile
from telstraat_device.setup.services import CountingService
from telstraat_device.setup.settings import SetupSettings, check_town
from telstraat_device.setup.town import GivenAccess, StreetFeature, TownServer
from telstraat_device.setup.written_files import write_secret

RETRY_S = 60.0
STREETS_FRESH_S = 600.0
MASKS_MAX = 20
CORNERS_MAX = 40
LINE_MIN = 0.04
NAME_MAX = 80
BAD_NAME = gettext_noop("This is no name of a sensor. It stands on the card, in small letters.")
BAD_TOWN = gettext_noop("Write the address of your town’s server as https://count.example.org.")
BAD_LINE = gettext_noop("The line is too short or lies outside the picture: draw it across the whole street.")
BAD_MASKS = gettext_noop("What is to be covered lies outside the picture: draw it again.")
log = logging.getLogger(__name__)


class SetupSite:
    """A sensor that is being set up, or has been."""

    def __init__(
        self,
        settings: SetupSettings,
        open_camera: OpenCamera,
        service: CountingService,
        network: NetworkLink,
        *,
        monotonic: Monotonic = time.monotonic,
    ) -> None:
        self.settings = settings
        self.service = service
        self.network = network
        self.code = owner_code(Path(settings.device.code_file))
        self.gate = OwnerGate(self.code, monotonic)
        self.file = SetupProgressFile(Path(settings.device.progress_file))
        self.name = (settings.page.name or socket.gethostname()).lower().removesuffix(".local")
        self.desk = CameraDesk(open_camera, before=self._take_camera, after=self._give_camera_back, monotonic=monotonic)
        self.reachable = Reachable(
            network, f"Telstraat-{self.name}"[:32], own_key(self.code), lambda: self.progress.finished, monotonic
        )
        self._monotonic = monotonic
        self._lock = threading.RLock()
        self._streets: tuple[StreetFeature, ...] = ()
        self._streets_s = -math.inf
        self._retry_s = -math.inf

    @property
    def progress(self) -> SetupProgress:
        """How far it is."""
        return self.file.progress

    @property
    def sensor(self) -> str:
        """The name of the sensor, as far as it is known."""
        return self.progress.sensor or self.settings.device.sensor

    @property
    def town_address(self) -> str:
        """The address of the town's server, as far as it is known."""
        return self.progress.town or self.settings.town.address

    @property
    def waits_for_town(self) -> bool:
        """Whether a code waits to be exchanged until the town's server answers."""
        return not self.progress.enrolled and self._wish_file.exists()

    def pass_network(self) -> None:
        """Go on with the network that there is."""
        self.file.keep(self.progress.after("network"))

    def keep_view(self, view: AimedView) -> None:
        """Keep how the camera looks at the street."""
        self.file.keep(self.progress.after("aim", view=checked_view(view)))
        self._apply_change()

    def streets(self) -> tuple[StreetFeature, ...]:
        """Return the town's streets; raise `TownAwayError` when it does not answer."""
        with self._lock:
            if self._monotonic() - self._streets_s > STREETS_FRESH_S or not self._streets:
                self._streets = self._town().streets()
                self._streets_s = self._monotonic()
            return self._streets

    def keep_town(self, address: str) -> None:
        """Keep the address of the town's server."""
        address = address.strip()
        address = address if "://" in address else f"https://{address}"
        try:
            check_town(address)
        except SettingsError as error:
            raise SetupError(BAD_TOWN) from error
        self._streets_s = -math.inf
        self.file.keep(msgspec.structs.replace(self.progress, town=address.rstrip("/")))

    def keep_street(self, street: ChosenStreet) -> None:
        """Keep where it stands."""
        self.file.keep(self.progress.after("street", street=street))
        self._apply_change()

    def enrol(self, sensor: str, code: str) -> None:
        """Exchange a claim code now; where the town's server does not answer, the code waits for it."""
        sensor = sensor.strip().lower()
        try:
            check_sensor_name(sensor)
        except SensorNameError as error:
            raise SetupError(BAD_NAME) from error
        with self._lock:
            self.file.keep(msgspec.structs.replace(self.progress, sensor=sensor))
            before = self._wish()
            same = (before.get("sensor"), before.get("code")) == (sensor, code)
            secret = before["secret"] if same else secrets.token_urlsafe(32)
            wish = {"sensor": sensor, "code": code, "secret": secret}
            write_secret(self._wish_file, msgspec.json.encode(wish).decode())
            try:
                self._exchange()
            except TownAwayError:
                self.file.keep(self.progress.after("account"))
                raise
            except SetupError:
                self._wish_file.unlink(missing_ok=True)
                raise

    def finish(self) -> None:
        """Write the counting service's settings and start it."""
        with self._lock:
            if not self.progress.enrolled:
                raise SetupError(NOT_ENROLLED)
            write_device_settings(self.settings, self.progress, self._enrolment())
            self.file.keep(self.progress.after("test", finished=True))
            was_open = self.desk.is_open
            self.desk.end()
            if not was_open:
                self.service.start()

    def forget(self) -> None:
        """Become as out of the box: the button was held."""
        log.warning("the button was held: this device forgets its owner, its town and its counts")
        with self._lock:
            self.file.forget()
            self._wish_file.unlink(missing_ok=True)
            self.gate.leave_all()
            self.desk.end()
            self.service.stop()
            device = self.settings.device
            tables = {
                "sensor": {"name": "forgotten", "password_file": device.password_file},
                "storage": {"folder": device.state, "health_file": device.health_file},
            }
            try:
                forget(settings_of(tables), Path(device.settings_file))
            except DeviceError as error:
                log.warning("%s", error)

    def step(self) -> None:
        """Do what is due: end a look, keep within reach, ask the town again; called every second."""
        self.desk.step()
        self.reachable.step()
        if self.waits_for_town and self._monotonic() - self._retry_s >= RETRY_S:
            self._retry_s = self._monotonic()
            try:
                with self._lock:
                    self._exchange()
            except TownAwayError as error:
                log.info("the claim code waits: %s", error)
            except SetupError as error:
                log.warning("the claim code was refused: %s", error)
                self._wish_file.unlink(missing_ok=True)

    @property
    def _wish_file(self) -> Path:
        return Path(self.settings.device.password_file).with_name("enrol-wish.json")

    def _wish(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(read_secret(self._wish_file, what="claim code"), type=dict[str, str])
        except (SettingsError, msgspec.DecodeError):
            return {}

    def _exchange(self) -> None:
        """Ask the town's server; its answer is on the disk before anything counts on it."""
        street = self.progress.street
        where: dict[str, object] = {"segment_id": street.segment_id, "to_b": street.to_b, "to_a": street.to_a}
        answer = self._town().enrol({**self._wish(), **where})
        write_secret(enrolment_file(self.settings), answer.decode())
        keep_enrolment(self.settings, self._enrolment())
        self.file.keep(self.progress.after("account", enrolled=True))
        self._wish_file.unlink(missing_ok=True)

    def _enrolment(self) -> GivenAccess:
        return self._town().read_enrolment(enrolment_file(self.settings).read_bytes())

    def _town(self) -> TownServer:
        if not self.town_address:
            raise SetupError(BAD_TOWN)
        return TownServer(self.town_address, self.settings.town.ca_file)

    def _apply_change(self) -> None:
        """Let a sensor that is set up count with what was changed: its service reads the new settings when it starts."""
        if not self.progress.finished:
            return
        write_device_settings(self.settings, self.progress, self._enrolment())
        if not self.desk.is_open:  # else it starts when the look ends
            self.service.stop()
            self.service.start()

    def _take_camera(self) -> None:
        self.service.stop()

    def _give_camera_back(self) -> None:
        if self.progress.finished:
            self.service.start()


def checked_view(view: AimedView) -> AimedView:
    """Return a view that can be counted on; its line runs so that the arrow across it points to the right, else down."""
    if view.line is None:
        raise SetupError(BAD_LINE)
    x1, y1, x2, y2 = view.line
    if (
        not all(math.isfinite(value) and 0 <= value <= 1 for value in view.line)
        or math.hypot(x2 - x1, y2 - y1) < LINE_MIN
    ):
        raise SetupError(BAD_LINE)
    if len(view.masks) > MASKS_MAX or any(not 3 <= len(mask) <= CORNERS_MAX for mask in view.masks):
        raise SetupError(BAD_MASKS)
    if not all(0 <= value <= 1 for mask in view.masks for corner in mask for value in corner):
        raise SetupError(BAD_MASKS)
    right, down = y1 - y2, x2 - x1  # across the line, from its left-hand side to its right-hand side
    if right < 0 or (right == 0 and down < 0):
        view = msgspec.structs.replace(view, line=(x2, y2, x1, y1))
    return view
