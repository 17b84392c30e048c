"""Make the pictures of the README from a street and a town that do not exist: `python scripts/readme_pictures.py [evaluation|street ...]`.

The evaluation is of a simulated fleet with a measure that takes three cars in ten off one street; the street is the demo's
page after it has counted `STREET_MINUTES`. Needs Chromium, and for the street some minutes of one core.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
TELSTRAAT = [sys.executable, "-m", "telstraat_cli"]
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
MEASURE_FROM = "2025-06-02"
STREET_MINUTES, PACE = 300, 60

MEASURE = """
[measure]
name = "Filter in {treated}"
date = {date}
treated = ["{treated}"]
controls = {controls}
boundary = {boundary}
timezone = "Europe/Brussels"

[question]
what = "car"
hours = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]

[data]
files = ["fleet/reports.parquet"]
source = "a simulated town"
counts = "raw"
"""


def evaluation(page: Page, folder: Path) -> None:
    """Take the first page of the report on a measure in a simulated town."""
    fleet = ["sim", "fleet", "--out", "fleet", "--sensors", "16", "--days", "240", "--seed", "3"]
    effect = ["--measure", "car=-0.3", "--measure-from", MEASURE_FROM, "--measure-streets", "1", "--shifted", "0.4"]
    subprocess.run([*TELSTRAAT, *fleet, *effect], cwd=folder, check=True)
    who = json.loads((folder / "fleet" / "fleet.json").read_text(encoding="utf-8"))
    measure = who["measures"][0]
    treated, boundary = measure["streets"][0], list(measure["shifted_to"])
    streets = [street["name"] for street in who["towns"][0]["streets"]]
    controls = [name for name in streets if name not in {treated, *boundary}][:6]
    text = MEASURE.format(
        date=MEASURE_FROM, treated=treated, controls=json.dumps(controls), boundary=json.dumps(boundary)
    )
    (folder / "measure.toml").write_text(text, encoding="utf-8")
    subprocess.run([*TELSTRAAT, "evaluate", "measure.toml", "--out", "report"], cwd=folder, check=True)
    page.goto((folder / "report.html").as_uri())
    page.screenshot(path=IMAGES / "report.png", clip={"x": 0, "y": 0, "width": 900, "height": 1015})


def street(page: Page, folder: Path) -> None:
    """Take the demo's page of a street when its clock has come to the present."""
    options = ["--no-browser", "--dir", str(folder / "demo"), "--past", str(STREET_MINUTES), "--pace", str(PACE)]
    demo = subprocess.Popen([*TELSTRAAT, "demo", *options], stdout=subprocess.PIPE, text=True)
    try:
        address = next(match[0] for line in demo.stdout or () if (match := re.search(r"http://\S+", line)))
        time.sleep(STREET_MINUTES * 60 / PACE + 120)
        page.goto(address)
        page.wait_for_selector("svg.marks")  # a chart
        page.wait_for_timeout(2000)
        page.screenshot(path=IMAGES / "street.png", clip={"x": 0, "y": 0, "width": 900, "height": 960})
    finally:
        demo.terminate()
        demo.wait()


def main(names: list[str]) -> None:
    """Make the pictures that are named, or both."""
    pictures = {"evaluation": evaluation, "street": street}
    program = next(path for name in CHROMIUM if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 900, "height": 1150}, locale="en-GB")
        for name in names or pictures:
            pictures[name](page, Path(folder))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
