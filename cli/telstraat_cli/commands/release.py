"""Lay a version ready for devices: the town's server hands it out below /device/, with every file's hash.

  telstraat release /srv/telstraat/releases dist/telstraat-0.1.0-py3-none-any.whl --constraints constraints.txt
  telstraat release FOLDER WHEEL --libraries FOLDER       libraries that lie there already, without the network

The libraries for Python 3.11 and 3.13 on 64-bit ARM and x86-64 are downloaded by pip, wheels only. The API finds the
folder by its setting device_releases. A version that was handed out once never changes.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from telstraat_cli.errors import CliError

PYTHONS = ("3.11", "3.13")
"""Raspberry Pi OS 12 and 13."""
MACHINES = ("aarch64", "x86_64")
GLIBC = (
    "manylinux2014",
    "manylinux_2_17",
    "manylinux_2_24",
    "manylinux_2_27",
    "manylinux_2_28",
    "manylinux_2_31",
    "manylinux_2_34",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what is laid ready, and where."""
    parser.add_argument("folder", type=Path, help="folder of releases, the API's device_releases")
    parser.add_argument("wheel", type=Path, help="what make wheel makes: dist/telstraat-VERSION-py3-none-any.whl")
    parser.add_argument("--constraints", type=Path, metavar="FILE", help="versions of the libraries: constraints.txt")
    parser.add_argument(
        "--libraries", type=Path, metavar="FOLDER", help="wheels of the libraries, instead of downloading them"
    )


def run(args: argparse.Namespace) -> int:
    """Lay it ready and say which version it is."""
    from telstraat_api.errors import ReleaseError
    from telstraat_api.install.releases import lay_ready

    if not args.wheel.is_file():
        raise CliError(f"{args.wheel} is not there: make wheel makes it")
    check_core(args.wheel)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            libraries = args.libraries or Path(temporary)
            if args.libraries is None:
                download(args.wheel, args.constraints, libraries)
            version = lay_ready(
                args.folder, args.wheel, [f for f in libraries.glob("*.whl") if not f.name.startswith("telstraat-")]
            )
    except ReleaseError as error:
        raise CliError(str(error)) from error
    print(f"version {version} lies ready in {args.folder / version} and is the latest")
    return 0


def check_core(wheel: Path) -> None:
    """Refuse a wheel with which a Pi could not count: without numba it needs the core that was compiled ahead."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile as error:
        raise CliError(f"{wheel} is not a wheel: {error}") from error
    for machine in MACHINES:
        if not any(f"/compiled/core-{machine}-" in name for name in names):
            raise CliError(f"{wheel} holds no counting core for {machine}: make wheel compiles it")


def download(wheel: Path, constraints: Path | None, folder: Path) -> None:
    """Have pip bring the libraries for every Python and machine."""
    pinned = ["-c", str(constraints)] if constraints else []
    for python in PYTHONS:
        for machine in MACHINES:
            print(f"libraries for Python {python} on {machine} ...", flush=True)
            platforms = [word for glibc in GLIBC for word in ("--platform", f"{glibc}_{machine}")]
            words = [
                "--quiet",
                "--disable-pip-version-check",
                "--only-binary=:all:",
                "--python-version",
                python,
                *platforms,
            ]
            pip = subprocess.run(
                [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    *words,
                    *pinned,
                    "--dest",
                    str(folder),
                    f"{wheel}[device,video]",
                ],
                check=False,
            )
            if pip.returncode:
                raise CliError(
                    f"pip did not bring the libraries for Python {python} on {machine}; its lines above say why"
                )
