"""Decides what a release for devices is: a folder per version with wheels and the lists of their hashes, and which is the latest."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from telstraat_api.errors import ReleaseError

LATEST = "latest"
VERSION = re.compile(r"[0-9][A-Za-z0-9.+]{0,39}")
WHEEL = re.compile(
    r"([A-Za-z0-9._]+)-([A-Za-z0-9.+!_]+)(?:-[0-9][A-Za-z0-9_.]*)?-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+-[A-Za-z0-9_.]+\.whl"
)
LISTS = ("requirements.txt", "video.txt")
OF_VIDEO = frozenset({"opencv_python_headless"})
OF_THE_SYSTEM = frozenset({"numpy"})
"""Debian's: the system's picamera2 is compiled with it, and another one beside it makes its import fail."""


def parts_of(name: str) -> tuple[str, str]:
    """Return the distribution and version of a wheel's file name, the name as pip compares it."""
    match = WHEEL.fullmatch(name)
    if match is None:
        raise ReleaseError(f"{name} is not the name of a wheel")
    return re.sub(r"[-_.]+", "_", match[1]).lower(), match[2]


def is_served(name: str) -> bool:
    """Whether a file of a release is for devices; nothing else that lies in its folder is."""
    return name in LISTS or WHEEL.fullmatch(name) is not None


def latest_of(folder: Path) -> str | None:
    """Return the version that new devices get; none when none lies ready."""
    try:
        version = (folder / LATEST).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    complete = VERSION.fullmatch(version) is not None and (folder / version / LISTS[0]).is_file()
    return version if complete else None


def wheels_of(folder: Path, version: str) -> list[str]:
    """Return the names of a release's wheels."""
    if VERSION.fullmatch(version) is None:
        return []
    return sorted(file.name for file in (folder / version).glob("*.whl") if is_served(file.name))


def pins(wheels: Iterable[Path]) -> dict[str, str]:
    """Return pip's line for each distribution: its one version, and the hash of each of its wheels."""
    versions: dict[str, str] = {}
    hashes: dict[str, list[str]] = {}
    for wheel in sorted(wheels):
        name, version = parts_of(wheel.name)
        if versions.setdefault(name, version) != version:
            raise ReleaseError(
                f"{name} lies there as {versions[name]} and as {version}; a release has one version of each"
            )
        with wheel.open("rb") as file:
            hashes.setdefault(name, []).append(f"--hash=sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}")
    return {name: f"{name}=={version} {' '.join(hashes[name])}" for name, version in versions.items()}


def lay_ready(folder: Path, wheel: Path, libraries: Iterable[Path]) -> str:
    """Add a release of this wheel and its libraries, and make it the latest; return its version.

    The folder of a version appears whole or not at all, and what devices were given once never changes.
    """
    name, version = parts_of(wheel.name)
    if name != "telstraat" or VERSION.fullmatch(version) is None:
        raise ReleaseError(f"{wheel.name} is not a wheel of telstraat: make wheel makes it")
    target = folder / version
    if target.exists():
        raise ReleaseError(
            f"{target} is there already: what devices have been given does not change; raise the version"
        )
    files = [wheel, *(file for file in libraries if parts_of(file.name)[0] not in OF_THE_SYSTEM)]
    lines = pins(files)
    making = folder / f".{version}.new"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, making / file.name)
    for file_name, of_video in zip(LISTS, (False, True), strict=True):
        text = "".join(f"{line}\n" for key, line in lines.items() if (key in OF_VIDEO) is of_video)
        (making / file_name).write_text(text, encoding="ascii")
    for file in making.iterdir():
        with file.open("rb") as written:
            os.fsync(written.fileno())
    making.rename(target)
    name_latest(folder, version)
    return version


def name_latest(folder: Path, version: str) -> None:
    """Say which version new devices get, in one step."""
    new = folder / f".{LATEST}.new"
    new.write_text(f"{version}\n", encoding="ascii")
    new.replace(folder / LATEST)
