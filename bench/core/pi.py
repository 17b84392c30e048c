"""What counting costs on a Raspberry Pi, predicted: `TELSTRAAT_AARCH64=FOLDER python -m bench.core.pi` (`scripts/aarch64 FOLDER`).

The instructions of a frame are counted: the slope of the whole counting process between 100 and 400 frames, on 64-bit
ARM under qemu, and on this x86-64 under callgrind. The share of a core is instructions over clock and instructions a
cycle, and the latter are assumed: nobody has measured on a Pi yet.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from telstraat_firmware_sim.street.scenes import scene
from telstraat_firmware_sim.street.street import SimulatedStreet

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT, FPS = 640, 480, 10.0
FEW, MANY = 100, 400
SCENES = ("day", "dense", "night")
CAMERA_FPS = 30.0
BOARDS = {  # clock in GHz, instructions a cycle: assumed, from what such cores do in code of this kind
    "Zero 2 W": ("Cortex-A53", 1.0, 0.7),
    "3A+, 3B+": ("Cortex-A53", 1.4, 0.7),
    "4": ("Cortex-A72", 1.5, 1.3),
    "5": ("Cortex-A76", 2.4, 2.0),
}


def films(name: str, folder: Path) -> tuple[list[Path], list[str]]:
    """Write the first FEW and the first MANY frames of a scene; return them and the words that follow the file."""
    street = SimulatedStreet(scene(name, seed=5, width=WIDTH, height=HEIGHT, fps=FPS, duration_s=MANY / FPS))
    frames = [frame.luma.tobytes() for frame in street]
    paths = [folder / f"{name}-{count}.luma" for count in (FEW, MANY)]
    for path, count in zip(paths, (FEW, MANY), strict=True):
        path.write_bytes(b"".join(frames[:count]))
    (x1, y1), (x2, y2) = street.line
    return paths, [str(word) for word in (WIDTH, HEIGHT, FPS, x1, y1, x2, y2)]


def instructions(command: Sequence[str], path: Path, words: Sequence[str], **environment: str) -> int:
    """Count the instructions of a counting process."""
    done = subprocess.run(
        [*command, "-m", "bench.core.counting_process", str(path), *words],
        cwd=ROOT,
        env=os.environ | {"TELSTRAAT_KERNELS": "ahead", "PYTHONHASHSEED": "0"} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    match = re.search(r"(?:instructions|I\s+refs:)\s+([\d,]+)", done.stderr)
    assert match, done.stderr
    return int(match[1].replace(",", ""))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    if "TELSTRAAT_AARCH64" not in os.environ:
        parser.error("TELSTRAAT_AARCH64 names no folder with a 64-bit ARM system: scripts/aarch64 FOLDER makes one")
    folder = Path(os.environ["TELSTRAAT_AARCH64"]).resolve()
    subprocess.run(
        [sys.executable, "-m", "telstraat_device.native.precompile", "--all"], check=True, capture_output=True
    )
    (python,) = (folder / "system/usr/bin").glob("python3.??")
    path = os.pathsep.join(map(str, (folder / "site", ROOT / "device", ROOT / "contract", ROOT)))
    there = {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    print(
        "| street | instructions a frame, x86-64 | 64-bit ARM | " + " | ".join(f"Pi {board}" for board in BOARDS) + " |"
    )
    print("| --- | --- | --- |" + " --- |" * len(BOARDS))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        plugin = folder / "count.so"
        source = ROOT / "bench" / "core" / "count_instructions.c"
        subprocess.run(["cc", "-shared", "-fPIC", "-O2", "-o", plugin, source], check=True)
        arm = ["qemu-aarch64", "-plugin", str(plugin), "-cpu", "cortex-a53", "-L", str(folder / "system"), str(python)]
        x86 = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", sys.executable]
        for name in SCENES:
            paths, words = films(name, folder)
            few, many = (instructions(x86, path, words) for path in paths)
            few_arm, many_arm = (instructions(arm, path, words, **there) for path in paths)
            here, frame = (many - few) / (MANY - FEW), (many_arm - few_arm) / (MANY - FEW)
            shares = [100 * frame * CAMERA_FPS / (clock * 1e9 * each) for _, clock, each in BOARDS.values()]
            cells = [f"{here / 1e6:.2f} M", f"{frame / 1e6:.2f} M", *(f"{share:.1f} %" for share in shares)]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
