"""An RTSP server of GStreamer's own library, run by the system's Python: it sends a film in real time, as a camera does.

    /usr/bin/python3 bench/camera/rtsp_server.py FILM CODEC     prints its port

CODEC is h264, h265 or mjpeg. From Debian: python3-gi, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-good and -bad.
"""

from __future__ import annotations

import sys

import gi  # type: ignore[import-not-found]  # of the system's Python

gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # type: ignore[import-not-found]  # noqa: E402

PAYLOADS = {
    "h264": "h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 config-interval=-1",
    "h265": "h265parse config-interval=-1 ! rtph265pay name=pay0 pt=96 config-interval=-1",
    "mjpeg": "jpegparse ! rtpjpegpay name=pay0 pt=26",
}


def main() -> None:
    film, codec = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service("0")
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(f"( filesrc location={film} ! matroskademux ! {PAYLOADS[codec]} )")
    server.get_mount_points().add_factory("/street", factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


main()
