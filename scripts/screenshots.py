"""Take pictures of every page: `python scripts/screenshots.py [--address URL] [--out FOLDER] [--only home street] [--looks wide phone]`.

Without `--address` a demo of its own is started, in a folder that goes away afterwards, and whatever a page needs is done there: somebody
joins the workshop, counts by hand, uploads a file. With `--address` the demo that runs there is only read; pages that need an action are
left out unless `--act` allows it. `--curated` writes the few pictures that the README and the documents show to `docs/images`.

Looks: `wide` (1280), `phone` (360), `dark`, `print` (A4), `projector` (1920 by 1080). Each picture gets a palette of its own.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import cv2
import numpy as np
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FILLED_S = 1800
HEIGHT_MAX = 5200
LOOKS: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "phone": {"viewport": {"width": 360, "height": 740}, "has_touch": True},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "print": {"viewport": {"width": 718, "height": 1047}},  # A4 within its margins
    "projector": {"viewport": {"width": 1920, "height": 1080}},
}
MOST = ("wide", "phone", "dark", "print")
SCREENS = ("wide", "phone", "dark")
ALL = (*MOST, "projector")


@dataclass(frozen=True)
class Shot:
    """A page, who looks at it and how."""

    name: str
    path: str
    part: str = ""
    looks: tuple[str, ...] = SCREENS
    do: str = ""
    """What is done on the page before the picture is taken."""
    acts: bool = False
    """Whether the server keeps something of it."""


SHOTS = (
    Shot("home", "/", looks=ALL),
    Shot("home-speed", "/?show=speed"),
    Shot("street", "/street/{street}", looks=ALL),
    Shot("street-live", "/street/{live}"),
    Shot("street-silent", "/street/{silent}"),
    Shot("street-year", "/street/{street}?span=year", looks=("wide", "phone")),
    Shot("month", "/street/{street}/month/{month}", looks=MOST),
    Shot("compare", "/compare?a={street}&b={live}", looks=MOST),
    Shot("measures", "/measures", looks=MOST),
    Shot("measure", "/measures/{plan}", looks=ALL),
    Shot("measure-share", "/measures/{plan}/share", "officer"),
    Shot("measure-planned", "/measures/{school}", "officer"),
    Shot("measure-new", "/measures/new", "officer"),
    Shot("measure-plan", "/measures/{school}/plan", "officer", looks=MOST),
    Shot("workshops", "/workshops", "facilitator"),
    Shot("workshop-new", "/workshops/new", "facilitator"),
    Shot("workshop-join", "/join"),
    Shot("workshop-phone", "/join/{code}", looks=("phone", "dark"), do="join", acts=True),
    Shot("workshop-projector", "/workshops/{workshop}/screen", "facilitator", looks=("projector",)),
    Shot("workshop-lead", "/workshops/{workshop}/lead", "facilitator"),
    Shot("workshop-minutes", "/workshops/{workshop}", "facilitator", looks=MOST),
    Shot("data", "/data", looks=MOST),
    Shot("docs", "/docs"),
    Shot("sign-in", "/sign-in"),
    Shot("my", "/my", "citizen"),
    Shot("my-officer", "/my", "officer", looks=("wide",)),
    Shot("my-sensor", "/my/sensors/{own}", "citizen", looks=MOST),
    Shot("my-sensor-silent", "/my/sensors/{own_silent}", "citizen", looks=("wide", "phone")),
    Shot("my-place", "/my/sensors/{own}/place", "citizen"),
    Shot("claim", "/claim", "citizen"),
    Shot("count-choose", "/count", "citizen"),
    Shot("count-before", "/count/{street}", "citizen", looks=("phone",)),
    Shot("count", "/count/{street}", "citizen", looks=("phone", "dark"), do="tap"),
    Shot("count-result", "/count/results/{hand_count}", "citizen", acts=True),
    Shot("operate", "/operate", "operator"),
    Shot("operate-sensors", "/operate/sensors", "operator"),
    Shot("operate-sensor", "/operate/sensors/{own_silent}", "operator"),
    Shot("operate-people", "/operate/people", "operator"),
    Shot("operate-uploads", "/operate/uploads", "operator"),
    Shot("operate-upload", "/operate/uploads/{upload}", "operator", acts=True),
    Shot("operate-published", "/operate/published", "operator"),
    Shot("operate-quarantine", "/operate/quarantine", "operator"),
    Shot("error", "/street/999999"),
)
CURATED = {
    "town": ("home", "wide", 1280, 980),
    "town-dark": ("home", "dark", 1280, 980),
    "town-phone": ("home", "phone", 360, 740),
    "town-street": ("street", "wide", 1280, 1180),
    "town-street-phone": ("street", "phone", 360, 740),
    "town-compare": ("compare", "wide", 1280, 1000),
    "town-evaluation": ("measure", "wide", 1280, 1180),
    "town-new-measure": ("measure-new", "wide", 1280, 1100),
    "town-workshop": ("workshop-projector", "projector", 1920, 1080),
    "town-workshop-phone": ("workshop-phone", "phone", 360, 740),
    "town-my-sensor": ("my-sensor", "wide", 1280, 1000),
    "town-count": ("count", "phone", 360, 740),
    "town-operate": ("operate", "wide", 1280, 900),
    "town-month-on-paper": ("month", "print", 718, 1047),
}


@contextlib.contextmanager
def own_demo() -> Iterator[str]:
    """Start a demo in a folder that goes away, and give its address."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["demo", "--no-browser", "--dir", f"{folder}/demo"]
        demo = subprocess.Popen([sys.executable, "-m", "telstraat_cli", *options], stdout=subprocess.PIPE, text=True)
        try:
            yield next(
                match[0].rstrip("/") for line in demo.stdout or () if (match := re.search(r"http://[\w.:]+", line))
            )
        finally:
            demo.terminate()
            demo.wait()


def wait_until_filled(page: Page, address: str) -> None:
    """Wait until the town has its history, its evaluation and its workshop."""
    deadline = time.monotonic() + FILLED_S
    while time.monotonic() < deadline:
        with contextlib.suppress(Error):
            page.goto(address + "/")
            if page.locator(".demo-banner").count() and not page.locator(".demo-filling").count():
                return
        page.wait_for_timeout(5000)
    raise SystemExit("the demo was not filled in time")


class Town:
    """The demo town as browsers see it, each in somebody's part."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        self.address = address
        self.states: dict[str, Any] = {"": {"cookies": [], "origins": []}}

    def context(self, part: str, look: str) -> BrowserContext:
        """Return a new browser of somebody's part."""
        if part not in self.states:
            context = self.browser.new_context(locale="en-GB")
            page = context.new_page()
            page.goto(f"{self.address}/sign-in")
            page.locator(f"form:has(input[value={part}]) button").click()
            page.wait_for_url(re.compile(r".*/(my|operate|measures|workshops|$)"))
            self.states[part] = context.storage_state()
            context.close()
        return self.browser.new_context(
            locale="en-GB", timezone_id="Europe/Brussels", storage_state=self.states[part], **LOOKS[look]
        )

    def numbers(self, *, act: bool) -> dict[str, str]:
        """Return what stands in the addresses."""
        operator, citizen, leader = (self.context(part, "wide") for part in ("operator", "citizen", "facilitator"))
        features = self._api(operator, "segments")["features"]
        streets = {each["properties"]["name"]: str(each["properties"]["segment_id"]) for each in features}
        measures = self._api(operator, "measures")["measures"]
        numbers = {
            "street": streets["Schoolstraat"],
            "live": streets["Stationsstraat"],
            "silent": streets["Havenkaai"],
            "month": (datetime.now(UTC).replace(day=1) - timedelta(days=1)).strftime("%Y-%m"),
        }
        for measure in measures:
            which = "plan" if measure["first_day"] < datetime.now(UTC).date().isoformat() else "school"
            numbers[which] = str(measure["measure_id"])
        own = {row["sensor"].split("-")[0]: str(row["sensor_id"]) for row in self._api(citizen, "claims")["claims"]}
        numbers |= {"own": own["lindenlaan"], "own_silent": own["havenkaai"]}
        room = self._api(leader, "workshops")["workshops"][0]
        numbers["workshop"] = str(room["workshop_id"])
        page = leader.new_page()
        page.goto(f"{self.address}/workshops/{room['workshop_id']}/screen")
        if page.locator("[data-code]").count():
            numbers["code"] = page.inner_text("[data-code]").replace(" ", "")
        if act:
            numbers["hand_count"] = self._count_by_hand(citizen, numbers["street"])
            numbers["upload"] = self._upload(operator, numbers["street"])
        for context in (operator, citizen, leader):
            context.close()
        return numbers

    def _api(self, context: BrowserContext, path: str) -> Any:
        return context.request.get(f"{self.address}/api/v1/{path}").json()

    def _count_by_hand(self, context: BrowserContext, street: str) -> str:
        start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=30)
        counts = {"pedestrian_lft": 4, "pedestrian_rgt": 3, "bike_lft": 3, "bike_rgt": 3, "car_lft": 3, "car_rgt": 2}
        quarters = [
            {
                "from_at": (start + n * timedelta(minutes=15)).isoformat(),
                "until_at": (start + (n + 1) * timedelta(minutes=15)).isoformat(),
                "counts": counts,
            }
            for n in range(2)
        ]
        form = {"number": str(uuid4()), "quarters": json.dumps(quarters)}
        context.request.post(f"{self.address}/count/{street}", form=form, headers={"origin": self.address})
        page = context.new_page()
        page.goto(f"{self.address}/count")
        return str(page.get_attribute("a[href^='/count/results/']", "href")).rsplit("/", 1)[1]

    def _upload(self, context: BrowserContext, street: str) -> str:
        lines = ["segment,period_start,period_s,uptime,corrected,bike_lft,bike_rgt,car_lft,car_rgt"]
        for hour in range(24):
            lines.append(f"{street},2023-03-01T{hour:02}:00:00+01:00,3600,1,no,{hour},{hour},{hour * 3},{hour * 2}")
            lines.append(f"Oude Markt,2023-03-01T{hour:02}:00:00+01:00,3600,1,no,{hour},4,{hour},{hour * 2}")
        lines.append(f"{street},2023-03-02T10:00:00+01:00,3600,1,no,many,1,1,1")
        page = context.new_page()
        page.goto(f"{self.address}/operate/uploads")
        page.check("input[name=kind][value=counts]")
        file = {"name": "tubes-2023.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode()}
        page.set_input_files("#file", file)  # type: ignore[arg-type]
        page.fill("#source", "City of Overbeke, tubes 2023")
        page.click("#new button[type=submit]")
        page.wait_for_url(re.compile(r"/operate/uploads/\d+"))
        page.locator("form[action$='/import']").wait_for(timeout=60_000)
        return page.url.rsplit("/", 1)[1]

    def take(self, shot: Shot, look: str, path: str, file: Path) -> list[str]:
        """Take a picture of a page; return what a look at it found wrong."""
        context = self.context(shot.part, look)
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        page.goto(self.address + path)
        page.wait_for_selector("[data-paper]", state="detached")  # what is computed first opens by itself
        if shot.do == "join":
            page.fill("#first_name", "Mila")
            page.click(".join button[type=submit]")
            page.wait_for_url("**/room")
        if shot.do == "tap":
            page.click("#begin-now")
            for kind, times in (("bike_lft", 7), ("car_lft", 5), ("car_rgt", 9), ("pedestrian_rgt", 3)):
                for _ in range(times):
                    page.click(f"#tap-{kind}")
        page.evaluate("document.fonts.ready")
        page.wait_for_timeout(700)
        if look == "print":
            page.emulate_media(media="print")
        width = page.viewport_size["width"] if page.viewport_size else 0
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            complaints.append(f"is {wide} px wide on {width} px")
        if look == "projector" or shot.do == "tap":  # what a screen holds
            page.screenshot(path=file)
        else:
            height = min(page.evaluate("document.documentElement.scrollHeight"), HEIGHT_MAX)
            page.screenshot(
                path=file, full_page=True, clip={"x": 0, "y": 0, "width": width, "height": max(height, 300)}
            )
        context.close()
        with_palette(file)
        return complaints


def with_palette(file: Path, size: tuple[int, int] | None = None, to: Path | None = None) -> None:
    """Make a picture small: its 256 most used colours; cut to a width and height when they are given."""
    picture = cv2.imread(str(file))
    assert picture is not None
    if size:
        picture = picture[: size[1], : size[0]]
    colours, place, times = np.unique(picture.reshape(-1, 3)[:, ::-1], axis=0, return_inverse=True, return_counts=True)
    palette = colours[np.argsort(-times, kind="stable")[:256]]
    apart = np.square(colours[:, None].astype(np.int32) - palette[None].astype(np.int32)).sum(axis=2)
    pixels = apart.argmin(axis=1).astype(np.uint8)[place.reshape(-1)].reshape(picture.shape[:2])
    rows = np.pad(pixels, ((0, 0), (1, 0))).tobytes()  # each row begins with the number of its filter: none
    head = struct.pack(">IIBBBBB", picture.shape[1], picture.shape[0], 8, 3, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"PLTE", palette.tobytes()), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    (to or file).write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
            for name, body in chunks
        )
    )


def main() -> None:
    """Take the pictures that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", help="of a running demo; without it one is started")
    parser.add_argument("--out", type=Path, default=IMAGES / "pages")
    parser.add_argument("--only", nargs="+", choices=[shot.name for shot in SHOTS], metavar="PAGE")
    parser.add_argument("--looks", nargs="+", choices=list(LOOKS))
    parser.add_argument("--act", action="store_true", help="join, count and upload in the demo at the address, too")
    parser.add_argument("--at-once", action="store_true", help="do not wait until the town is filled and evaluated")
    parser.add_argument("--curated", action="store_true", help="copy the README's pictures to docs/images")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    program = next(path for name in CHROMIUM if (path := shutil.which(name)))
    started = contextlib.nullcontext(args.address.rstrip("/")) if args.address else own_demo()
    with started as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--lang=en-GB"])
        if not args.at_once:
            wait_until_filled(browser.new_page(), address)
        town = Town(browser, address)
        numbers = town.numbers(act=args.act or not args.address)
        for shot in SHOTS:
            if (args.only and shot.name not in args.only) or (shot.acts and args.address and not args.act):
                continue
            for look in shot.looks:
                if args.looks and look not in args.looks:
                    continue
                file = args.out / f"{shot.name}-{look}.png"
                try:
                    complaints = town.take(shot, look, shot.path.format(**numbers), file)
                except (Error, KeyError) as error:
                    complaints = [f"no picture: {str(error).splitlines()[0]}"]
                print(file.name, *complaints, sep="  ", flush=True)
        browser.close()
    if args.curated:
        for name, (shot_name, look, *size) in CURATED.items():
            if (file := args.out / f"{shot_name}-{look}.png").exists():
                with_palette(file, (size[0], size[1]), IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
