"""The end of set-up: what was decided becomes the settings of the counting service, whole or not at all.

The answer of the town's server is kept first, for a code is exchanged only once; then the password, then the settings,
which name it. A power cut between them leaves a set-up that goes on.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from telstraat_contract.errors import SettingsError
from telstraat_contract.languages import gettext_noop
from telstraat_contract.topics import check_sensor_name
from telstraat_device.errors import SetupError
from telstraat_device.settings import read_settings
from telstraat_device.setup.progress import SetupProgress
from telstraat_device.setup.settings import SetupSettings
from telstraat_device.setup.town import GivenAccess
from telstraat_device.setup.written_files import OPEN_MODE, write_secret, write_whole

HEAD = "# Written by set-up; a change by hand stays until set-up is gone through again.\n"
NO_LINE = gettext_noop("There is no counting line yet: draw one across the street.")
NOT_READ = gettext_noop("What was set up cannot be used by this version. Go through the screens again.")
log = logging.getLogger(__name__)
NOT_ENROLLED = gettext_noop("The sensor is not known to the town yet: its claim code is still to be exchanged.")


def enrolment_file(settings: SetupSettings) -> Path:
    """Return where the answer of the town's server is kept."""
    return Path(settings.device.password_file).with_name("enrolment.json")


def ca_file(settings: SetupSettings) -> Path:
    """Return where the certificate of the broker's authority is kept."""
    return Path(settings.device.settings_file).with_name("broker-ca.pem")


def keep_enrolment(settings: SetupSettings, enrolment: GivenAccess) -> None:
    """Keep what a claim code was exchanged for."""
    check_sensor_name(enrolment.sensor)
    if enrolment.broker.ca:
        write_whole(ca_file(settings), enrolment.broker.ca, OPEN_MODE)
    if enrolment.api.token:
        write_secret(Path(settings.device.password_file).with_name("api-token"), enrolment.api.token)
    write_secret(Path(settings.device.password_file), enrolment.password)


def toml_of(tables: dict[str, dict[str, object]]) -> str:
    """Return tables as TOML; a JSON text, number or list is one of TOML, too."""
    parts = [HEAD]
    for name, values in tables.items():
        parts.append(f"\n[{name}]\n")
        parts += [f"{key} = {json.dumps(value)}\n" for key, value in values.items() if value not in (None, ())]
    return "".join(parts)


def device_tables(
    settings: SetupSettings, progress: SetupProgress, enrolment: GivenAccess
) -> dict[str, dict[str, object]]:
    """Return the settings of the counting service."""
    view, broker, device = progress.view, enrolment.broker, settings.device
    camera: dict[str, object] = {
        "source": settings.camera.source,
        "width": settings.camera.width,
        "height": settings.camera.height,
        "rotation": view.rotation,
        "line": view.line,
        "masks": view.masks,
        "flip": progress.street.flip,
    }
    return {
        "sensor": {"name": enrolment.sensor, "password_file": device.password_file},
        "camera": camera,
        "broker": {
            "host": broker.host,
            "port": broker.port,
            "tls": broker.tls,
            "ca_file": str(ca_file(settings)) if broker.ca else None,
        },
        "storage": {"folder": device.state, "health_file": device.health_file},
    }


def write_device_settings(settings: SetupSettings, progress: SetupProgress, enrolment: GivenAccess) -> None:
    """Write the counting service's settings; they are read once as it will read them before they take their place."""
    if progress.view.line is None:
        raise SetupError(NO_LINE)
    file = Path(settings.device.settings_file)
    text = toml_of(device_tables(settings, progress, enrolment))
    trial = file.with_name(f".{file.name}.trial")
    write_whole(trial, text)
    try:
        read_settings(trial, environment={})
    except SettingsError as error:
        log.warning("%s", error)
        raise SetupError(NOT_READ) from error
    finally:
        trial.unlink(missing_ok=True)
    write_whole(file, text)
