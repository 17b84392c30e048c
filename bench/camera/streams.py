"""Plays a film through real streams, and counts each twice: timed as its frames arrived, and by the times of the stream."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
from bench.camera.network import Holds, Network

from telstraat_device.cameras.frames import FrameSource, Luma
from telstraat_device.cameras.video import open_source
from telstraat_device.cameras.watched import WatchedSource
from telstraat_device.counting.counter import Counter, CounterSettings
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.counting.crossings.line import Segment
from telstraat_device.errors import SourceError
from telstraat_firmware_sim.street.scenes import scene
from telstraat_firmware_sim.street.settings import Traffic
from telstraat_firmware_sim.street.street import SimulatedStreet

SYSTEM_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
WIDTH, HEIGHT, FPS = 640, 480, 25
PAIR_S = 1.2  # the first second of a stream is read at once
BEGUN_S = 2.0  # a counter of a film has just begun to learn the street
PIXELS_PER_METRE = 57.0  # given, so that a film of half a minute has speeds
TRAFFIC = Traffic(pedestrian=60.0, bicycle=60.0, motorcycle=0.0, car=900.0, heavy=30.0)
ENCODERS = {
    "h264": ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-g", "25", "-crf", "20"],
    "h265": [
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-tune",
        "zerolatency",
        "-x265-params",
        "log-level=none:keyint=25",
    ],
    "mjpeg": ["-c:v", "mjpeg", "-q:v", "4", "-huffman", "default"],
}


@dataclass(frozen=True, slots=True)
class Take:
    """A film as it came: pictures, the times that they were given, and when they arrived."""

    lumas: list[Luma]
    times_s: list[float]
    arrivals_s: list[float]
    timed: list[bool]
    fps: float

    @property
    def jitter_ms(self) -> float:
        """How irregularly frames arrived: standard deviation of the time between two."""
        return 1000.0 * float(np.std(np.diff(self.arrivals_s)))


@dataclass(frozen=True, slots=True)
class StreamRow:
    """What a way of timing made of a film, beside what the film itself gives."""

    crossings: int
    motorcycles: int
    fastest_kmh: float | None
    speeds: int
    usual: float | None  # share by which speeds differ from the film's: the middle one, and the worst
    worst: float | None


def compare(crossings: list[Crossing], film: list[Crossing]) -> StreamRow:
    """Compare each speed with the film's for the crossing next to it."""
    speeds = [c.speed_kmh for c in crossings if c.speed_kmh is not None]
    off = []
    for true in film:
        near = [c for c in crossings if abs(c.t_s - true.t_s) < PAIR_S and c.direction == true.direction]
        if near and true.speed_kmh and true.t_s > BEGUN_S:
            nearest = min(near, key=lambda c: abs(c.t_s - true.t_s))
            if nearest.speed_kmh is not None:
                off.append(abs(nearest.speed_kmh / true.speed_kmh - 1.0))
    motorcycles = sum(c.class_name == "motorcycle" for c in crossings)
    return StreamRow(
        len(crossings),
        motorcycles,
        max(speeds, default=None),
        len(off),
        median(off) if off else None,
        max(off, default=None),
    )


def write_film(
    folder: Path, seconds: int, codec: str, *, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> tuple[Path, Segment]:
    """Film a simulated street."""
    street = SimulatedStreet(
        scene("day", seed=3, width=size[0], height=size[1], fps=FPS, duration_s=float(seconds), traffic=TRAFFIC)
    )
    film = folder / f"{codec}-{size[0]}.mkv"
    raw = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{size[0]}x{size[1]}", "-r", str(FPS), "-i", "-"]
    pixels = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    command = ["ffmpeg", "-v", "error", "-y", *raw, "-threads", "2", *ENCODERS[codec], "-pix_fmt", pixels, str(film)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as encoder:
        assert encoder.stdin is not None
        for frame in street:
            encoder.stdin.write(frame.luma.tobytes())
    assert encoder.returncode == 0
    return film, street.line


def varied(film: Path) -> Path:
    """Leave frames out of a film as a telephone does in poor light: it is 25, 12 and 8 frames a second by turns."""
    path = film.with_name("varied.mkv")
    some = "select='if(lt(mod(t,9),3),1,if(lt(mod(t,9),6),not(mod(n,2)),not(mod(n,3))))'"
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-y",
        "-i",
        str(film),
        "-vf",
        some,
        "-fps_mode",
        "vfr",
        *ENCODERS["h264"],
        str(path),
    ]
    subprocess.run(command, check=True)
    return path


@contextmanager
def served(film: Path, codec: str) -> Iterator[int]:
    """Serve a film by RTSP; give the port."""
    command = [SYSTEM_PYTHON, str(SERVER), str(film), codec]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.kill()


@contextmanager
def pictures_only(film: Path, fps: int) -> Iterator[str]:
    """Send a film as JPEG pictures over HTTP, without times, as cheap cameras do; give the address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    address = f"http://127.0.0.1:{port}/street"
    pictures = ["-an", "-r", str(fps), "-c:v", "mjpeg", "-q:v", "4", "-f", "mpjpeg", "-listen", "1"]
    command = ["ffmpeg", "-v", "quiet", "-re", "-i", str(film), *pictures, address]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as server:
        try:
            time.sleep(1.0)
            yield address
        finally:
            server.kill()


def taken(source: FrameSource, seconds: float) -> Take:
    """Read a source to its end, or for so long."""
    lumas: list[Luma] = []
    times_s: list[float] = []
    arrivals_s: list[float] = []
    timed: list[bool] = []
    try:
        for frame in source:
            lumas.append(frame.luma.copy())
            times_s.append(frame.t_s)
            arrivals_s.append(time.monotonic())
            timed.append(source.timed)
            if frame.t_s >= seconds:
                break
    except SourceError:
        pass  # a stream that ends is a camera that stops
    return Take(lumas, times_s, [at - arrivals_s[0] for at in arrivals_s], timed, source.fps)


def watched(address: str) -> WatchedSource:
    """Open a stream as the device does."""
    return WatchedSource(lambda: open_source(address), threading.Event(), lambda: None)


def take_stream(film: Path, codec: str, holds: Holds, seconds: float) -> Take:
    """Watch a film through RTSP and a network, as the device watches a camera."""
    with served(film, codec) as port, closing(Network(port, holds)) as network:
        address = f"rtsp://127.0.0.1:{network.port}/street"
        with watched(address) as source:
            return taken(source, seconds)


def take_film(film: Path, seconds: float) -> Take:
    with closing(open_source(str(film))) as source:
        return taken(source, seconds)


def counted(take: Take, times_s: list[float], line: Segment, timed: list[bool] | None = None) -> list[Crossing]:
    """Count a film by some times; speeds of pictures that are not `timed` are left out, as the device does."""
    height, width = take.lumas[0].shape
    counter = Counter(width, height, line, CounterSettings(pixels_per_metre=PIXELS_PER_METRE))
    crossings: list[Crossing] = []
    for number, (luma, t_s) in enumerate(zip(take.lumas, times_s, strict=True)):
        new = counter.process(luma, t_s)
        crossings += new if timed is None or timed[number] else [replace(c, speed_kmh=None) for c in new]
    return crossings + counter.finish()
