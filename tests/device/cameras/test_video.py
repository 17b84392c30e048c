"""Sources: a file, and everything that is none."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import logging
import threading
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest

from telstraat_device.cameras.picamera import PiCamera
from telstraat_device.cameras.video import VideoFile, is_live, open_source
from telstraat_device.errors import CameraError, NoFileError, NotVideoError


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "street.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 20.0, (64, 48))
    for number in range(10):
        writer.write(np.full((48, 64, 3), 10 + 20 * number, np.uint8))
    writer.release()
    return path


def test_a_file_gives_its_frames_in_order_with_their_times(film: Path) -> None:
    with closing(open_source(str(film))) as source:
        assert (source.name, source.width, source.height, source.fps) == ("street.mp4", 64, 48, 20.0)
        assert source.frames == 10
        seen = [(frame.t_s, int(np.median(frame.luma)), frame.luma.flags.c_contiguous) for frame in source]
    assert [t_s for t_s, _, _ in seen] == pytest.approx([k / 20 for k in range(10)])
    assert [tone for _, tone, _ in seen] == sorted(tone for _, tone, _ in seen)
    assert all(contiguous for _, _, contiguous in seen)


def test_a_source_closes_behind_a_with_and_may_be_closed_twice(film: Path) -> None:
    with VideoFile(str(film)) as source:
        pass
    source.close()


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoFileError, match="there is no file"):
        open_source(str(tmp_path / "nothing.mp4"))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(NoFileError, match="not a file"):
        open_source(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"dear diary", bytes(2000)])
def test_a_file_that_is_no_video_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "diary.mp4"
    path.write_bytes(content)
    with pytest.raises(NotVideoError, match="not a video that can be decoded"):
        open_source(str(path))


@pytest.mark.parametrize("text", ["93", "/dev/video93"])
def test_a_camera_that_is_not_there_is_named(text: str) -> None:
    with pytest.raises(CameraError, match="camera 93 gives no picture"):
        open_source(text)


def test_a_password_in_an_address_is_not_told() -> None:
    with pytest.raises(CameraError) as caught:
        open_source("rtsp://anna:secret@127.0.0.1:9/street")
    assert "secret" not in str(caught.value)
    assert "rtsp://127.0.0.1:9/street" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "live"),
    [("0", True), ("/dev/video2", True), ("rtsp://x/y", True), ("picamera", True), ("a.mp4", False), ("0.mp4", False)],
)
def test_cameras_and_streams_are_told_from_files(text: str, live: bool) -> None:
    assert is_live(text) is live


def test_a_machine_without_a_pi_camera_is_told_what_to_install() -> None:
    with pytest.raises(CameraError, match="picamera2"):
        PiCamera()


class MotionJpeg(http.server.BaseHTTPRequestHandler):
    """Pictures one after the other, as a cheap camera in the network gives them."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=next")
        self.end_headers()
        for number in range(400):
            _, jpeg = cv2.imencode(".jpg", np.full((48, 64), number % 200, np.uint8))
            head = b"--next\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(jpeg)
            with contextlib.suppress(OSError):
                self.wfile.write(head + jpeg.tobytes() + b"\r\n")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_stream_without_times_is_read_and_its_irregularity_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("telstraat_device.cameras.video.stamp_of", lambda *_: float("nan"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), MotionJpeg) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        with (
            caplog.at_level(logging.WARNING),
            closing(open_source(f"http://127.0.0.1:{server.server_port}/")) as source,
        ):
            times = [frame.t_s for frame in itertools.islice(source, 150)]
            assert not source.timed
        server.shutdown()
        thread.join()
    assert times == sorted(times)
    assert caplog.text.count("has no times of its own; its pictures come") == 1
