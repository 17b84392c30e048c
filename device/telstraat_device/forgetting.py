"""A device forgets its owner, its town and its counts: state folder, secrets, settings, in an order that can be begun again.

The settings name everything else, so they go last: killed in between, the same command goes on where it was. What the set-up page
lets somebody in with, the code on the card, stays: the next owner begins with it.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from telstraat_device.errors import StorageError
from telstraat_device.settings import Settings

BESIDE_THE_PASSWORD = ("api-token", "broker-ca.pem", "enrolment.json")
"""What set-up keeps beside the broker's password."""

log = logging.getLogger(__name__)


def forget(settings: Settings, settings_file: Path | None) -> int:
    """Remove everything that tells whose device this was or what it has counted, and return how many files that were.

    Raises
    ------
    StorageError
        A file could not be removed: the settings are still there, to try again.
    """
    removed = 0
    left: list[str] = []
    for path in (*files_of(settings), *([settings_file] if settings_file else [])):
        if left and path == settings_file:
            break
        try:
            path.unlink()
            removed += 1
        except FileNotFoundError:
            continue
        except OSError as error:
            left.append(f"{path}: {error.strerror}")
    if left:
        raise StorageError(f"not everything is forgotten, {len(left)} files could not be removed: {'; '.join(left)}")
    for folder in folders_in(Path(settings.storage.folder)):
        folder.rmdir()
    log.warning("everything is forgotten: %d files removed", removed)
    return removed


def files_of(settings: Settings) -> Iterator[Path]:
    """Yield the files that a device has beside its settings; what a link points to is not ours."""
    for place, _, names in os.walk(settings.storage.folder, followlinks=False):
        yield from (Path(place) / name for name in sorted(names))
    for place, folders, _ in os.walk(settings.storage.folder, followlinks=False):
        yield from (Path(place) / name for name in folders if (Path(place) / name).is_symlink())
    if settings.storage.health_file:
        yield Path(settings.storage.health_file)
    if settings.sensor.password_file:
        password = Path(settings.sensor.password_file)
        yield from (password.with_name(name) for name in BESIDE_THE_PASSWORD)
        yield password
    if settings.broker.ca_file:
        ca_file = Path(settings.broker.ca_file)
        if settings.sensor.password_file and ca_file.parent == Path(settings.sensor.password_file).parent:
            yield ca_file


def folders_in(folder: Path) -> Iterator[Path]:
    """Yield the folders below a folder, the innermost first."""
    for place, _, _ in os.walk(folder, topdown=False, followlinks=False):
        if Path(place) != folder:
            yield Path(place)
