"""The set-up process before a simulated street, to be traced: `python -m tests.promises.traced_setup FOLDER PORT PLANT`.

PLANT is `none`, or `dump`: each frame also goes into a file of the folder, so that the test can be seen to turn red.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from tests.device.setup.sensors import NotedService, SmallNetwork, StreetCamera, setup_settings

from telstraat_device.cameras.frames import Frame
from telstraat_device.setup.service import run


def main(folder: Path, port: int, plant: str) -> int:
    """Serve the pages until SIGTERM."""

    class TracedCamera(StreetCamera):
        """The street, and whatever betrayal was planted."""

        def __iter__(self) -> Iterator[Frame]:
            for frame in super().__iter__():
                if plant == "dump":
                    (folder / "frame").write_bytes(frame.luma.tobytes())
                yield frame

    settings = setup_settings(folder, page={"port": port})
    return run(settings, open_camera=TracedCamera, service=NotedService(), network=SmallNetwork())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
