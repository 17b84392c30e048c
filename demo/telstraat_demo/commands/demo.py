"""The whole line on this computer: a town that does not exist, one of its streets counted live, all of it in the browser.

    telstraat demo                                     a town with 14 months of counts, and a street counted since two hours ago
    telstraat demo --months 0                          that one street alone
    telstraat demo --video street.mp4 --line 320,100,320,480
    telstraat demo --video rtsp://camera/stream --line 320,100,320,480
    telstraat demo --headless --minutes 30 --json      for machines: count, compare, print JSON, end

Everything runs on this computer alone: a database, a broker, ingest, the pages and the device, each a process of its own.
Ctrl-C stops them all. A second start goes on with the same data; --clean forgets it.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dir", type=Path, metavar="FOLDER", help="where everything is kept (the user's data folder)")
    parser.add_argument("--clean", action="store_true", help="forget the data of earlier runs, and end")
    parser.add_argument("--port", type=int, metavar="PORT", help="port of the pages (8080, or a free one)")
    parser.add_argument("--no-browser", action="store_true", help="do not open the street's page in a browser")
    town = parser.add_argument_group("the town around it")
    town.add_argument(
        "--months", type=float, metavar="N", help="months of counts that the town has (14; 0: no town, one street)"
    )
    source = parser.add_argument_group("what is counted")
    source.add_argument(
        "--video", metavar="SOURCE", help="a video file, a camera (0, /dev/video0) or an rtsp:// address"
    )
    source.add_argument("--line", metavar="X1,Y1,X2,Y2", help="counting line in pixels of the video")
    source.add_argument(
        "--scene", default="day", metavar="NAME", help="which simulated street: day, rain, night, ... (day)"
    )
    source.add_argument("--seed", type=int, default=1, metavar="N", help="what passes in it (1)")
    source.add_argument("--size", default="320x240", metavar="WxH", help="picture of the simulated street (320x240)")
    source.add_argument("--fps", type=float, default=8.0, metavar="N", help="its frames per second (8)")
    source.add_argument("--past", type=float, default=120.0, metavar="MINUTES", help="how long ago it begins (120)")
    source.add_argument(
        "--pace", type=float, default=36.0, metavar="X", help="how much faster than the wall it runs (36)"
    )
    machines = parser.add_argument_group("for machines")
    machines.add_argument("--headless", action="store_true", help="count --minutes of street time, compare, and end")
    machines.add_argument("--minutes", type=float, metavar="N", help="street time to count (30)")
    machines.add_argument("--json", action="store_true", help="print the result as JSON, the last line of the output")
    parts = parser.add_argument_group("instead of the embedded parts")
    parts.add_argument("--dsn", help="address of a database to use")
    parts.add_argument("--broker", metavar="URL", help="address of a broker to use, mqtt://127.0.0.1:1883")
    parts.add_argument(
        "--broker-kind", choices=["mosquitto", "amqtt"], help="which broker to start (what is installed)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    from telstraat_demo.run.demo import run_demo

    return run_demo(args)
