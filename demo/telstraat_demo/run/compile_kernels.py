"""Compile what numba compiles, before anything waits for it: `python -m telstraat_demo.run.compile_kernels street|film`.

The machine code is kept, so that this takes half a minute once and two seconds ever after.
"""

from __future__ import annotations

import sys

SECONDS = 4.0
FPS = 8.0


def main(argv: list[str]) -> int:
    """Count a few seconds of a simulated street, which runs through every kernel; `film` leaves the simulator cold."""
    import numpy as np

    from telstraat_device.counting.counter import Counter
    from telstraat_firmware_sim.street.scenes import scene
    from telstraat_firmware_sim.street.street import SimulatedStreet

    frames = round(SECONDS * FPS)
    if argv == ["film"]:
        grey = np.random.default_rng(1).integers(90, 110, (240, 320), dtype=np.uint8)
        counter = Counter(320, 240, ((160.0, 20.0), (160.0, 220.0)))
        for k in range(frames):
            counter.process(grey, k / FPS)
    else:
        street = SimulatedStreet(scene("everything", seed=1, width=320, height=240, fps=FPS, duration_s=SECONDS))
        counter = Counter(street.width, street.height, street.line)
        for frame in street:
            counter.process(frame.luma, frame.t_s)
    counter.finish()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
