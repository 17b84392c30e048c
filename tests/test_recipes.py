"""The recipes of CONTRIBUTING.md work: each is followed on a copy of the project, and what was added comes to life."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import house_rules
import pytest
from tests.harness.code_links import named_links, names_in

ROOT = Path(__file__).resolve().parent.parent
PARTS = house_rules.PARTS
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


class ProjectCopy:
    """The sources in a folder of a test's own, to be changed and run."""

    def __init__(self, root: Path) -> None:
        self.root = root
        ignored = shutil.ignore_patterns("__pycache__")
        for part in (*PARTS, "scripts"):
            shutil.copytree(ROOT / part, root / part, ignore=ignored)

    def add(self, path: str, text: str) -> None:
        """Write a new file."""
        assert not (self.root / path).exists()
        (self.root / path).write_text(text, encoding="utf-8")

    def replace(self, path: str, old: str, new: str) -> None:
        """Replace a text that stands in a file, where it stands first."""
        text = (self.root / path).read_text(encoding="utf-8")
        assert old in text, f"{path} no longer has {old!r}: bring the recipe up to date, too"
        (self.root / path).write_text(text.replace(old, new, 1), encoding="utf-8")

    def run(self, *words: str, **environment: str) -> str:
        """Run Python with the copy's packages before the installed ones; return what it prints."""
        path = os.pathsep.join(str(self.root / part) for part in (*PARTS, "scripts"))
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.root,
            env={**os.environ, "PYTHONPATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> ProjectCopy:
    return ProjectCopy(tmp_path / "project")


RAIN = '''"""Whether it rained."""

from __future__ import annotations

from typing import ClassVar

from telstraat_analytics.checks.base import Check, CheckContext, CheckResult, Verdict


class Rain(Check):
    """Whether it rained."""

    name: ClassVar[str] = "rain"

    def run(self, context: CheckContext) -> CheckResult:
        """Return a doubt."""
        return self.result(Verdict.DOUBT, "some", days=len(context.answer.hours))
'''
EVALUATION = """
import datetime as dt, json, sys
sys.path.append(sys.argv[1])
from tests.analytics.streets import MEASURE, ZONE, town
from telstraat_analytics import Measure, Question, as_counts, evaluate
from telstraat_analytics.words import WORDS
measure = Measure("m", MEASURE, ("a",), ("b", "c"), timezone=ZONE, before_days=56, after_days=28)
answer = evaluate(as_counts(town(5, ("a", "b", "c"))), measure, Question("car"))
doubt = next(check for check in answer.doubts if check.name == "rain")
print(WORDS[f"rain.{doubt.reason}"].format(**doubt.figures))
"""


def test_a_new_check_stands_among_the_doubts_of_an_evaluation(project: ProjectCopy) -> None:
    project.add("analytics/telstraat_analytics/checks/rain.py", RAIN)
    checks = "analytics/telstraat_analytics/checks/__init__.py"
    project.replace(checks, "\nCHECKS:", "from telstraat_analytics.checks.rain import Rain\n\nCHECKS:")
    project.replace(checks, "    DataQuality,\n", "    DataQuality,\n    Rain,\n")
    words = "analytics/telstraat_analytics/words/checks.py"
    project.replace(words, "= {\n", '= {\n    "rain": _("Rain"),\n    "rain.some": _("It rained in {days} hours."),\n')

    assert re.fullmatch(r"It rained in \d+ hours\.\n", project.run("-c", EVALUATION, str(ROOT)))
    project.run("scripts/catalogues.py")
    assert 'msgid "It rained in {days} hours."' in (
        project.root / "contract" / "telstraat_contract" / "languages" / "nl.po"
    ).read_text(encoding="utf-8")


def test_a_new_catalogue_is_a_new_language_everywhere(project: ProjectCopy) -> None:
    project.run("scripts/catalogues.py", "it_IT")
    italian = "contract/telstraat_contract/languages/it.po"
    project.replace(italian, 'msgid "Bicycles"\nmsgstr ""', 'msgid "Bicycles"\nmsgstr "Biciclette"')

    code = """
from telstraat_contract.languages import LANGUAGES
from telstraat_contract.languages.catalogue import language
from telstraat_cli.main import parser_for
from babel.numbers import format_decimal
italian = language("it")
print(italian.name, italian.gettext("Bicycles"), format_decimal(1234.5, locale=italian.locale), "it" in LANGUAGES)
print("it" in parser_for("describe").format_help())
"""
    assert project.run("-c", code).split() == ["Italiano", "Biciclette", "1.234,5", "True", "True"]


CAMERA = '''"""A camera that sees a grey street."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from telstraat_device.cameras.frames import ClosingSource, Frame


class GreyStreet(ClosingSource):
    """Nothing ever happens here."""

    name, width, height, fps, frames = "grey street", 64, 48, 10.0, 30

    def __iter__(self) -> Iterator[Frame]:
        luma = np.full((self.height, self.width), 128, np.uint8)
        yield from (Frame(luma, number / self.fps) for number in range(self.frames))
'''


def test_a_new_camera_can_be_counted_by_its_name(project: ProjectCopy) -> None:
    project.add("device/telstraat_device/cameras/grey_street.py", CAMERA)
    project.replace(
        "device/telstraat_device/cameras/video.py",
        "    if is_live(text):\n",
        "    if text == 'grey':\n"
        "        from telstraat_device.cameras.grey_street import GreyStreet\n\n"
        "        return GreyStreet()\n"
        "    if is_live(text):\n",
    )

    assert "grey street: 0 crossings" in project.run("-m", "telstraat_cli", "count", "grey", "--line", "32,0,32,47")


ENDPOINT = '''"""Pavements."""

from __future__ import annotations

from fastapi import APIRouter, Response

from telstraat_api.telraam.envelope import ok

router = APIRouter(tags=["Telraam-compatible"])


@router.get("/v1/pavements")
async def pavements() -> Response:
    """Return how wide they are."""
    return ok(widths_m=[1.5])
'''
REQUEST = """
import asyncio, httpx
from telstraat_api.app import create_app
from telstraat_api.settings import ApiSettings
async def main():
    app = create_app(ApiSettings())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://street") as client:
        print((await client.get("/v1/pavements/")).text)
asyncio.run(main())
"""


def test_a_new_telraam_endpoint_answers_in_the_envelope(project: ProjectCopy) -> None:
    project.add("api/telstraat_api/telraam/pavements.py", ENDPOINT)
    app = "api/telstraat_api/app.py"
    project.replace(
        app, "from telstraat_api.telraam import legacy,", "from telstraat_api.telraam import pavements, legacy,"
    )
    project.replace(app, "for part in (welcome,", "for part in (pavements, welcome,")

    assert json.loads(project.run("-c", REQUEST)) == {"status_code": 200, "message": "ok", "widths_m": [1.5]}


FORMAT = '''"""Rows of lines, a JSON object each."""

from __future__ import annotations

import json
from collections.abc import Iterator


def line_rows(raw: bytes) -> Iterator[tuple[int, list[object]]]:
    """Yield a header and the cells of every line."""
    rows = [json.loads(line) for line in raw.splitlines()[1:]]
    yield 1, list(rows[0])
    yield from ((number, list(row.values())) for number, row in enumerate(rows, start=2))
'''


def test_a_new_format_of_counts_is_read_by_what_it_begins_with(project: ProjectCopy, tmp_path: Path) -> None:
    project.add("store/telstraat_store/imports/line_sheets.py", FORMAT)
    sheets = "store/telstraat_store/imports/sheets.py"
    project.replace(
        sheets,
        '    if raw[:4] == b"PAR1":\n',
        '    if raw.startswith(b"#lines"):\n        return _of_lines(path, line_rows(raw), is_header)\n    if raw[:4] == b"PAR1":\n',
    )
    project.replace(sheets, "\nSEPARATORS", "from telstraat_store.imports.line_sheets import line_rows\n\nSEPARATORS")
    rows = [
        {"segment_id": 9, "date": f"2026-11-2{day}T{hour:02}:00:00Z", "uptime": 1, "car": 12, "bike": 3}
        for day in range(3)
        for hour in range(24)
    ]
    counts = tmp_path / "counts.anything"
    counts.write_text("#lines\n" + "\n".join(map(json.dumps, rows)), encoding="utf-8")

    code = "import sys; from pathlib import Path; from telstraat_store import read_counts; print(len(read_counts([Path(sys.argv[1])])))"
    assert project.run("-c", code, str(counts)).strip() == "72"


def test_a_new_migration_is_applied_and_drawn(project: ProjectCopy, empty_database: str) -> None:
    folder = re.search(r"`(\S+/)NNNN_what_it_does\.sql`", PAGE)
    assert folder
    number = max(int(path.name[:4]) for path in (ROOT / folder[1]).glob("*.sql")) + 1
    project.add(
        f"{folder[1]}{number:04}_benches.sql",
        "create table bench (bench_id integer primary key, segment_id bigint not null references segment);\n",
    )

    project.run("-m", "telstraat_cli", "db", "--dsn", empty_database, "migrate")

    code = "import sys, schema_picture; print(schema_picture.picture(sys.argv[1]))"
    assert re.search(r"^segment --> bench & ", project.run("-c", code, empty_database), re.MULTILINE)


KERNEL = '''"""The brightest pixel."""

from __future__ import annotations

from telstraat_device.native.kernel import kernel


@kernel
def brightest(luma):
    """Return the largest value of a picture (uint8, any shape with two axes)."""
    value = 0
    for row in range(luma.shape[0]):
        for column in range(luma.shape[1]):
            value = max(value, luma[row, column])
    return value
'''


def test_a_new_kernel_is_compiled_when_it_is_called(project: ProjectCopy) -> None:
    project.add("device/telstraat_device/counting/foreground/brightest.py", KERNEL)

    code = """
import numpy as np
from telstraat_device.counting.foreground.brightest import brightest
picture = np.arange(35, dtype=np.uint8).reshape(5, 7)
print(brightest(picture), bool(brightest.signatures))
"""
    assert project.run("-c", code, TELSTRAAT_KERNELS="jit").split() == ["34", "True"]


def test_a_new_class_of_road_user_goes_from_the_wire_into_copy_and_answers(project: ProjectCopy) -> None:
    road_users, messages = "contract/telstraat_contract/road_users.py", "contract/telstraat_contract/messages.py"
    project.replace(road_users, 'Literal["pedestrian", ', 'Literal["scooter", "pedestrian", ')
    project.replace(
        messages, "    pedestrian: Directed = NONE\n", "    scooter: Directed = NONE\n    pedestrian: Directed = NONE\n"
    )
    project.replace(
        messages,
        "    pedestrian: Percent | None = None\n",
        "    scooter: Percent | None = None\n    pedestrian: Percent | None = None\n",
    )

    names = "contract/telstraat_contract/road_user_names.py"
    project.replace(
        names,
        '    "pedestrian": gettext_noop("Pedestrians"),',
        '    "scooter": gettext_noop("Scooters"),\n    "pedestrian": gettext_noop("Pedestrians"),',
    )
    project.replace(
        names,
        '    "pedestrian": gettext_noop("on foot"),',
        '    "scooter": gettext_noop("by scooter"),\n    "pedestrian": gettext_noop("on foot"),',
    )
    project.replace(
        names,
        '    "pedestrian": gettext_noop("Pedestrian traffic"),',
        '    "scooter": gettext_noop("Scooter traffic"),\n    "pedestrian": gettext_noop("Pedestrian traffic"),',
    )

    code = """
import msgspec
from telstraat_analytics import Question
from telstraat_analytics.words import word
from telstraat_api.v1.shapes import PERIOD, PeriodShape
from telstraat_store.imports.columns import count_column
from telstraat_contract.messages import Counts, Directed
from telstraat_contract.road_users import CONFIDENCE_COLUMNS, COUNT_COLUMNS
from telstraat_store.counts.direct_read import direct_query
from telstraat_store.counts.windows import Bucket
from telstraat_store.reports.copy_rows import COPY
print(msgspec.json.decode(msgspec.json.encode(Counts(scooter=Directed(1, 2))), type=Counts).scooter.rgt)
print(COUNT_COLUMNS[:2] == ("scooter_lft", "scooter_rgt"), CONFIDENCE_COLUMNS[0])
print(PeriodShape.model_validate(PERIOD).raw.scooter.lft, count_column("Scooter (A > B)"))
print(Question("scooter").columns[0], Question("scooter").variance_prior.day_noise, Question("all").columns[0])
print(word("scooter", "en").split()[0], word("class.scooter", "en").split()[1])
print("scooter_rgt" in COPY, b"scooter_rgt" in direct_query(Bucket.QUARTER))
"""
    assert project.run("-c", code).split() == [
        "2", "True", "scooter_conf", "0.0", "scooter_lft", "scooter", "0.32", "scooter", "Scooter", "scooter", "True", "True",
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "path"), named_links(ROOT / "CONTRIBUTING.md"), ids=str)
def test_what_a_recipe_names_stands_in_the_file_that_it_links(name: str, path: Path) -> None:
    assert name in names_in(path)


def test_every_folder_that_a_recipe_names_is_there() -> None:
    folders = re.findall(r"`((?:[a-z_-]+/)+)[A-Za-z_.]*`", PAGE)
    assert len(folders) > 5
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_the_glossary_is_in_the_order_of_the_alphabet_and_complete() -> None:
    words = re.findall(r"^\| ([^|]+) \| ", PAGE.partition("## Glossary")[2], re.MULTILINE)[1:]
    assert words == sorted(words, key=str.lower)
    assert {"quarter", "stream", "epoch", "receipt", "segment", "installation", "instance"} <= set(words)
