"""Every page: what it weighs, how long until it is seen, what axe-core finds, which languages are complete.

    python -m bench.api.pages [--sensors 10000] [--days 1] [--demo URL] [--page docs/bench/pages.md]
    python -m bench.api.pages --address URL [--page OUT]

With `--demo`, the address of a running `telstraat demo`, the pages of measures, workshops and whoever is signed in are looked at, too.

A database is filled with plausible counts of that many sensors (`bench.store.rows`), added up and summarised; `telstraat api` is
started on it. Bytes are those that cross the wire, compressed. Chromium opens each page with an empty cache.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import psycopg
from babel.messages.pofile import read_po
from bench.api.throughput import served
from bench.store.__main__ import SETTINGS, add_up
from bench.store.page import table
from bench.store.rows import load
from playwright.sync_api import Browser, sync_playwright

from telstraat_api.summaries.day_kinds import kinds_of_days
from telstraat_demo.stack.postgres import Postgres
from telstraat_store.schema.migrate import migrate
from telstraat_store.summaries.refreshing import refresh_all

LANGUAGES = Path(__file__).resolve().parents[2] / "contract" / "telstraat_contract" / "languages"
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
PAGES = {
    "town": "/",
    "town, live": "/?period=live",
    "town, page 100": "/?page=100",
    "town, a search": "/?q=4711",
    "street": "/street/1001",
    "street, a year": "/street/1001?period=year",
    "month": "/street/1001/month/{month}",
    "compare": "/compare?a=1001&b=1002",
    "measures": "/measures",
    "workshops": "/workshops",
    "join": "/join",
    "open data": "/data",
    "addresses to try": "/docs",
    "sign in": "/sign-in",
    "count by hand": "/count/1001",
}
# In the demo's town: who looks, and the page; `A > B` is the first link on A whose address fits B.
OF_DEMO = {
    "town": ("", "/"),
    "street": ("", "/ > /street/[0-9]+"),
    "compare": ("", "/compare"),
    "measure, evaluated": ("", "/measures/1"),
    "measure, planned": ("officer", "/measures/2"),
    "measure, new": ("officer", "/measures/new"),
    "measure, change": ("officer", "/measures/2/edit"),
    "measure, how long": ("officer", "/measures/2/plan"),
    "measure, share": ("officer", "/measures/1/share"),
    "workshops": ("facilitator", "/workshops"),
    "workshop, new": ("facilitator", "/workshops/new"),
    "workshop, lead": ("facilitator", "/workshops/1/lead"),
    "workshop, wall": ("facilitator", "/workshops/1/screen"),
    "workshop, minutes": ("facilitator", "/workshops/1"),
    "my page": ("citizen", "/my"),
    "my sensor": ("citizen", "/my > /my/sensors/[0-9]+"),
    "claim a sensor": ("citizen", "/claim"),
    "count by hand, choose": ("citizen", "/count"),
    "my page, officer": ("officer", "/my"),
    "operate": ("operator", "/operate"),
    "operate, sensors": ("operator", "/operate/sensors"),
    "operate, a sensor": ("operator", "/operate/sensors > /operate/sensors/[0-9]+"),
    "operate, people": ("operator", "/operate/people"),
    "operate, uploads": ("operator", "/operate/uploads"),
    "operate, published": ("operator", "/operate/published"),
    "operate, refused": ("operator", "/operate/quarantine"),
    "operate, jobs": ("operator", "/operate/jobs"),
}
ROUNDS = 3
FIRST_PAINT = """
new Promise((done) => {
  const seen = performance.getEntriesByName("first-contentful-paint");
  if (seen.length) return done(seen[0].startTime);
  new PerformanceObserver((list) => list.getEntries().forEach((e) => e.name === "first-contentful-paint" && done(e.startTime)))
    .observe({ type: "paint", buffered: true });
  setTimeout(() => done(null), 15000);
})
"""


@dataclass(frozen=True)
class PageFigures:
    """What came out of one page."""

    name: str
    status: int
    bytes_before: int
    bytes_all: int
    server_ms: float
    paint_ms: float | None
    findings: Counter[str]
    spoken: int
    """In how many of the languages it answers as itself."""


def axe_core() -> str:
    """Return the script of axe-core."""
    spec = find_spec("axe_playwright_python")
    assert spec
    assert spec.origin
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def look(browser: Browser, client: httpx.Client, name: str, path: str, state: Any = None) -> PageFigures:
    """Ask for a page as a program and as a browser, with the cookies that `state` of a browser holds."""
    own = {cookie["name"]: cookie["value"] for cookie in (state or {}).get("cookies", ())}
    client.cookies.update(own)
    times = []
    for _ in range(ROUNDS):
        began_s = time.perf_counter()
        with client.stream("GET", path) as answer:
            weight = sum(len(part) for part in answer.iter_raw())
        times.append((time.perf_counter() - began_s) * 1000)
    codes = [path_.stem for path_ in LANGUAGES.glob("*.po")]
    spoken = sum(
        f'lang="{code}"' in client.get(path, params={**httpx.URL(path).params, "lang": code}).text for code in codes
    )
    client.cookies.clear()
    context = browser.new_context(locale="en-GB", bypass_csp=True, storage_state=state)
    page = context.new_page()
    session = context.new_cdp_session(page)
    session.send("Network.enable")
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(str(client.base_url).rstrip("/") + path, wait_until="load", timeout=60_000)
    paint = page.evaluate(FIRST_PAINT)
    page.wait_for_timeout(500)
    weight_all = int(sum(received))
    page.evaluate(axe_core())
    answer_of_axe: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    context.close()
    findings = Counter(str(each["impact"]) for each in answer_of_axe["violations"])
    for each in answer_of_axe["violations"]:
        print(f"    {name}: {each['impact']}: {each['id']}: {each['nodes'][0]['target']}", flush=True)
    return PageFigures(name, answer.status_code, weight, weight_all, statistics.median(times), paint, findings, spoken)


def completeness() -> str:
    """Return how much of each catalogue is translated."""
    words = []
    for path in sorted(LANGUAGES.glob("*.po")):
        with path.open("rb") as file:
            messages = [message for message in read_po(file) if message.id]
        done = sum(
            all(message.string) if isinstance(message.string, tuple) else bool(message.string) for message in messages
        )
        words.append(f"{path.stem} {done:,} of {len(messages):,}")
    return ", ".join(words)


def rows_of(figures: list[PageFigures]) -> list[str]:
    """Return the table of figures."""
    cells = []
    for each in figures:
        serious = each.findings["serious"] + each.findings["critical"]
        other = sum(each.findings.values()) - serious
        cells.append(
            [
                each.name,
                f"{each.bytes_before / 1000:.0f}",
                f"{each.bytes_all / 1000:.0f}",
                f"{each.server_ms:.0f}",
                "–" if each.paint_ms is None else f"{each.paint_ms:.0f}",
                f"{serious} / {other}",
                f"{each.spoken + 1} of {len(list(LANGUAGES.glob('*.po'))) + 1}",
            ]
        )
    heads = [
        "page",
        "kB of HTML",
        "kB with styles and scripts",
        "server, ms",
        "first view, ms",
        "axe: serious / other",
        "languages",
    ]
    return table(heads, cells)


def page_of(figures: list[PageFigures], about: str, of_demo: list[PageFigures]) -> str:
    """Return the page from the figures."""
    in_demo = [
        "## Measures, workshops, and whoever is signed in",
        "",
        "The town of `telstraat demo`, 24 streets with 14 months of counts, each page as whoever it is for.",
        "",
        *rows_of(of_demo),
    ]
    lines = [
        "# The pages measured",
        "",
        (
            f"Written by `python -m bench.api.pages`. {about} Bytes are compressed, as they cross the wire; *server* is the median of"
            f" {ROUNDS} answers to a program, *first view* Chromium's first contentful paint with an empty cache."
        ),
        "",
        *rows_of(figures),
        *(in_demo if of_demo else []),
        f"Translated texts: {completeness()}.",
    ]
    return "\n".join(lines).rstrip() + "\n"


def measure(address: str) -> list[PageFigures]:
    """Look at every page of a server."""
    program = next(path for name in CHROMIUM if (path := shutil.which(name)))
    now = datetime.now(UTC)
    month = f"{now.year - (now.month == 1)}-{(now.month - 2) % 12 + 1:02}"
    figures = []
    with sync_playwright() as playwright, httpx.Client(base_url=address, timeout=60) as client:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, path in PAGES.items():
            figures.append(look(browser, client, name, path.format(month=month)))
            print(figures[-1], flush=True)
        browser.close()
    return figures


def measure_demo(address: str) -> list[PageFigures]:
    """Look at the pages of the demo's town, each as whoever it is for."""
    program = next(path for name in CHROMIUM if (path := shutil.which(name)))
    states: dict[str, Any] = {"": None}
    figures = []
    with sync_playwright() as playwright, httpx.Client(base_url=address, timeout=60) as client:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for name, (part, path) in OF_DEMO.items():
            if part not in states:
                context = browser.new_context(locale="en-GB")
                page = context.new_page()
                page.goto(f"{address}/sign-in")
                page.locator(f"form:has(input[value={part}]) button").click()
                page.wait_for_load_state()
                states[part] = context.storage_state()
                context.close()
            listed, _, pattern = path.partition(" > ")
            if pattern:
                client.cookies.update(
                    {cookie["name"]: cookie["value"] for cookie in (states[part] or {}).get("cookies", ())}
                )
                listed = re.findall(rf'href="({pattern})"', client.get(listed).text)[0]
                client.cookies.clear()
            figures.append(look(browser, client, name, listed, states[part]))
            print(figures[-1], flush=True)
        browser.close()
    return figures


def main() -> int:
    """Fill a database unless a server is named, look at the pages, write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", help="of a running server")
    parser.add_argument("--demo", help="of a running demo, for the pages of whoever is signed in")
    parser.add_argument("--sensors", type=int, default=10_000)
    parser.add_argument("--days", type=float, default=1)
    parser.add_argument("--page", type=Path, default=Path("docs/bench/pages.md"))
    args = parser.parse_args()
    if args.address:
        figures, what = measure(args.address), f"The server at {args.address}."
    else:
        with tempfile.TemporaryDirectory(prefix="telstraat-pages-") as folder:
            Path(folder).chmod(0o711)
            server = Postgres(Path(folder) / "postgres", durable=False, settings=SETTINGS)
            server.start()
            try:
                server.create_database("pages")
                dsn = server.dsn("pages")
                migrate(dsn)
                with psycopg.connect(dsn, autocommit=True) as connection:
                    reports, _, _ = load(connection, args.sensors, args.days)
                    add_up(connection, reports)
                    summaries = refresh_all(connection, kinds_of_days, datetime.now(UTC))
                    connection.execute("vacuum analyze")
                print(f"{reports:,} reports, {summaries:,} summaries", flush=True)
                with served(dsn) as (address, _):
                    figures = measure(re.sub("/$", "", address))
            finally:
                server.stop()
        what = f"{args.sensors:,} sensors with {args.days:g} days of counts, each street with its summary."
    about = (
        f"{what} {os.cpu_count()} cores, {datetime.now(UTC):%Y-%m-%d}, on average {os.getloadavg()[2]:.0f} processes that wanted"
        " one of them, so that times are longer than on a machine of its own by about that ratio."
    )
    of_demo = measure_demo(args.demo.rstrip("/")) if args.demo else []
    args.page.write_text(page_of(figures, about, of_demo), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
