"""Speeds and counts through real streams, before and after: timed as frames arrive, and by the stream's own times.

    python -m bench.camera [--seconds 36] [--only h264,bursts]

A simulated street is filmed, served by an RTSP server of GStreamer, and read as the device reads a camera, also through a
network that holds frames back. "Before" counts the very same pictures by their arrival, as the device did. Needs from Debian:
ffmpeg, python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good and gstreamer1.0-plugins-bad.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.camera.network import Network, bursts, clear, stalls
from bench.camera.streams import (
    SYSTEM_PYTHON,
    StreamRow,
    compare,
    counted,
    pictures_only,
    served,
    take_film,
    take_stream,
    taken,
    varied,
    watched,
    write_film,
)

from telstraat_device.errors import SourceError

STREAMS = {
    "h264": ("H.264", "h264", clear),
    "h265": ("H.265", "h265", clear),
    "mjpeg": ("MJPEG", "mjpeg", clear),
    "bursts": ("H.264, bursts of 0.3 s", "h264", bursts),
    "stalls": ("H.264, stalls of 4 s", "h264", stalls),
}
TOLERANCE = 0.05
HEAD = (
    "| source | timed by | crossings | motorcycles | fastest km/h | speeds compared | beside the film's: middle | worst |\n"
    "|---|---|---|---|---|---|---|---|"
)


def print_row(name: str, way: str, row: StreamRow) -> None:
    fastest = "-" if row.fastest_kmh is None else f"{row.fastest_kmh:.1f}"
    usual, worst = ("-" if share is None else f"{share:.1%}" for share in (row.usual, row.worst))
    print(
        f"| {name} | {way} | {row.crossings} | {row.motorcycles} | {fastest} | {row.speeds} | {usual} | {worst} |",
        flush=True,
    )


def is_good(row: StreamRow) -> bool:
    return row.usual is not None and row.usual <= TOLERANCE


def films(folder: Path, seconds: int, names: list[str]) -> bool:
    """Print the table of times; return whether every speed is within the tolerance of its film's."""
    good = True
    print(HEAD)
    for name in names:
        title, codec, holds = STREAMS[name]
        film, street_line = write_film(folder, seconds, codec)
        true = take_film(film, seconds)
        reference = counted(true, true.times_s, street_line)
        print_row(title, f"the film's frames, {len(true.lumas)}", compare(reference, reference))
        take = take_stream(film, codec, holds, seconds - 1.0)
        before, after = (
            counted(take, take.arrivals_s, street_line),
            counted(take, take.times_s, street_line, take.timed),
        )
        print_row("", f"arrival (before), jitter {take.jitter_ms:.0f} ms", compare(before, reference))
        row = compare(after, reference)
        print_row("", f"stream (after), {len(take.lumas)} frames", row)
        good = good and is_good(row)
    return good


def variable_rate(folder: Path, seconds: int) -> bool:
    """Print the rows of a film of variable rate."""
    film, street_line = write_film(folder, seconds, "h264")
    true = take_film(film, seconds)
    reference = counted(true, true.times_s, street_line)
    take = take_film(varied(film), seconds)
    by_number = [number / take.fps for number in range(len(take.lumas))]
    print_row(
        "film of 25, 12 and 8 frames/s by turns",
        "number / rate (before)",
        compare(counted(take, by_number, street_line), reference),
    )
    row = compare(counted(take, take.times_s, street_line), reference)
    print_row("", "its frames (after)", row)
    return is_good(row)


def made_up_times(folder: Path, seconds: int) -> bool:
    """Print the rows of a camera of 10 pictures a second whose times the reader makes up, as if they were 25."""
    film, street_line = write_film(folder, seconds, "mjpeg")
    true = take_film(film, seconds)
    reference = counted(true, true.times_s, street_line)
    with pictures_only(film, 10) as address, watched(address) as source:
        take = taken(source, seconds - 2.0)
    row = compare(counted(take, take.times_s, street_line, take.timed), reference)
    print_row(
        "MJPEG over HTTP, 10 pictures/s, no times", f"arrival (after), {len(take.lumas)} frames, speeds withheld", row
    )
    return row.speeds == 0


def size_change(folder: Path) -> bool:
    """Open a camera that comes back with another size; return whether it goes on."""
    sizes = []
    for size in ((640, 480), (320, 240)):
        film, _ = write_film(folder, 4, "h264", size=size)
        with served(film, "h264") as port:
            address = f"rtsp://127.0.0.1:{port}/street"
            with watched(address) as source:
                frame = next(iter(source))
                sizes.append((source.width, source.height) == size == frame.luma.shape[::-1])
    print(f"\na camera that comes back with another size: {'goes on' if all(sizes) else 'FAILS'}")
    return all(sizes)


def silence(folder: Path) -> bool:
    """Hold everything back for ever; return whether the camera is given up in time."""
    film, _ = write_film(folder, 4, "h264")
    begun_s = time.monotonic()
    with served(film, "h264") as port:
        network = Network(port, lambda since_s: since_s > 2.0)
        try:
            address = f"rtsp://127.0.0.1:{network.port}/street"
            with watched(address) as source:
                begun_s = time.monotonic()
                for _ in source:
                    begun_s = time.monotonic()
            error = "the stream ended"
        except SourceError as raised:
            error = str(raised)
        finally:
            network.close()
    waited_s = time.monotonic() - begun_s
    print(f"a stream that falls silent: given up after {waited_s:.1f} s ({error})")
    return waited_s < 15.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=36, help="length of the film (default 36)")
    parser.add_argument("--only", default=",".join(STREAMS), help="which streams, separated by commas")
    args = parser.parse_args()
    probe = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if subprocess.run([SYSTEM_PYTHON, "-c", probe], capture_output=True, check=False).returncode:
        print(
            "apt-get install python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
        )
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        good = films(folder, args.seconds, args.only.split(","))
        good = variable_rate(folder, args.seconds) and good
        good = made_up_times(folder, args.seconds) and good
        good = size_change(folder) and good
        good = silence(folder) and good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
