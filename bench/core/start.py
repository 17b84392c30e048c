"""What a start costs: CPU time until frames are counted, and memory: `python -m bench.core.start [--cold]`.

The same film through the kernels that were compiled ahead and through numba's, counted alone and by the whole device
service; --cold lets numba compile from nothing, too. Written for docs/decisions/003.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from telstraat_firmware_sim.street.scenes import scene
from telstraat_firmware_sim.street.street import SimulatedStreet

KEYS = ("first_frame_cpu_s", "begun_cpu_s", "peak_kb")
WIDTH, HEIGHT, FPS, SECONDS = 640, 480, 10.0, 20.0


def film(folder: Path) -> list[str]:
    """Write a simulated street's frames, and return the words that `bench.core.counting_process` needs for them."""
    street = SimulatedStreet(scene("dense", seed=5, width=WIDTH, height=HEIGHT, fps=FPS, duration_s=SECONDS))
    path = folder / "street.luma"
    with path.open("wb") as frames:
        for frame in street:
            frames.write(frame.luma.tobytes())
    (x1, y1), (x2, y2) = street.line
    return [str(word) for word in (path, WIDTH, HEIGHT, FPS, x1, y1, x2, y2)]


def measured(words: list[str], **environment: str) -> dict[str, Any]:
    """Run it in a process of its own and return what it says."""
    command = [sys.executable, "-m", "bench.core.counting_process", *words]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def row(kernels: str, process: str, figures: dict[str, Any]) -> str:
    """Return a line of the table."""
    first_s, begun_s, peak_kb = (figures[key] for key in KEYS)
    return f"| {kernels} | {process} | {first_s:.2f} | {begun_s:.2f} | {peak_kb / 1024:.1f} |"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", action="store_true", help="also compile from nothing")
    args = parser.parse_args()
    subprocess.run([sys.executable, "-m", "telstraat_device.native.precompile"], check=True, stdout=subprocess.DEVNULL)
    print("| kernels | process | CPU s until the first frame is taken | until frames are counted | most memory, MB |")
    print("| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as temporary:
        words = film(Path(temporary))
        measured(words, TELSTRAAT_KERNELS="jit")
        for kernels in ("ahead", "jit"):
            for process, more in (("counts", []), ("device service", ["--service"])):
                runs = [measured([*words, *more], TELSTRAAT_KERNELS=kernels) for _ in range(3)]
                best = {key: min(run[key] for run in runs) for key in KEYS}
                print(row(kernels, process, best), flush=True)
        if args.cold:
            print(row("jit, cold", "counts", measured(words, TELSTRAAT_KERNELS="jit", XDG_CACHE_HOME=temporary)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
