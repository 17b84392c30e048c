"""A catalogue that somebody drops in is spoken everywhere, and nothing that people read stands outside of catalogues."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.analytics.streets import MEASURE, town
from tests.api.evaluated import evaluation_of
from tests.api.mail_and_identities import Letters, free_port, mail_server
from tests.api.streets import add_imported_town
from tests.api.test_access import bearing, let_in
from tests.harness.marked_language import CODE, OPENS, drop_in, outside, pieces_of

from telstraat_contract.languages import LANGUAGES

STREETS = ("Mill Lane", "Old Road", "Side Way", "Ring")
NAMES = {*STREETS, "Scheme", "Parquet", "Arrow"}
FILE = f"""
[measure]
name = "Scheme"
date = {MEASURE.isoformat()}
treated = ["Mill Lane", "Old Road"]
controls = ["Side Way"]
boundary = ["Ring"]
after_days = 28
[question]
what = ["car"]
[data]
files = ["*.csv"]
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return drop_in(tmp_path_factory.mktemp("dropped"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A measure and counts with a fall, a boundary that took it up, and a sensor that fails."""
    folder = tmp_path_factory.mktemp("measure")
    effects = {"Mill Lane": {"car": -0.5}, "Old Road": {"car": -0.4}, "Ring": {"car": 0.3}}
    frame = town(71, STREETS, before=84, after=35, effects=effects)
    (folder / "m.toml").write_text(FILE, encoding="utf-8")
    frame.to_csv(folder / "counts.csv", index=False)
    return folder


def telstraat(environment: dict[str, str], *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "telstraat_cli", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done.stdout + (done.stderr if code else "")


def unmarked(page: str, names: set[str] = NAMES) -> list[tuple[str, list[str]]]:
    return [(piece.strip()[:80], left) for piece in pieces_of(page) if (left := outside(piece, names))]


def test_the_command_line_offers_a_language_whose_catalogue_lies_there(environment: dict[str, str]) -> None:
    for command in ("evaluate", "describe", "plan", "follow"):
        offered = re.search(r"--language \{([^}]*)\}", telstraat(environment, command, "--help"))
        assert offered is not None
        assert set(offered[1].split(",")) == {*LANGUAGES, CODE}
    assert f"'{CODE}'" in telstraat(environment, "plan", "--language", "xx", code=2)


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "m.toml", "--by", "direction"),
        ("describe", "counts.csv", "--segment", "Mill Lane", "--segment", "Old Road"),
        ("plan", "--what", "car", "--what", "bike", "--sensors", "1,2", "--weeks", "4,8"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_text_of_a_report_stands_outside_of_the_catalogue(
    environment: dict[str, str], folder: Path, arguments: tuple[str, ...]
) -> None:
    command, *rest = arguments
    out = folder / f"{command}-report"
    places = [str(folder / value) if (folder / value).is_file() else value for value in rest]
    telstraat(environment, command, *places, "--language", CODE, "--out", str(out))
    page = next(folder.glob(f"{command}-report*.html")).read_text(encoding="utf-8")
    assert page.count(OPENS) > 30
    assert unmarked(page) == []


def test_what_is_printed_about_a_followed_measure_is_in_the_language(environment: dict[str, str], folder: Path) -> None:
    printed = telstraat(environment, "follow", str(folder / "m.toml"), "--language", CODE)
    assert OPENS in printed
    assert outside(printed, NAMES) == []


@pytest.fixture(scope="module")
def mail() -> Iterator[tuple[int, Letters]]:
    with mail_server() as server:
        yield server


SITE = """
import sys, time
from tests.api.conftest import served
from telstraat_api.settings import ApiSettings
dsn, port, mail = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settings = ApiSettings(dsn=dsn, quarter_min=0, pool_max=4, keep_s=0, public_url=f"http://127.0.0.1:{port}", mail_host="127.0.0.1",
    mail_port=mail, mail_tls="none", mail_from="counts@example.org", site_name="Scheme")
with served(settings, port):
    print("ready", flush=True)
    sys.stdin.read()
"""
ROUND = """
import asyncio, sys
from datetime import UTC, datetime, timedelta
from tests.analytics.streets import MEASURE
from telstraat_api.following.weekly import go_round
from telstraat_api.settings import ApiSettings
dsn, port, mail = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
settings = ApiSettings(dsn=dsn, pool_max=4, public_url=f"http://127.0.0.1:{port}", mail_host="127.0.0.1", mail_port=mail, mail_tls="none",
    mail_from="counts@example.org", site_name="Scheme")
day = MEASURE + timedelta(days=7 * 4 + 1)
print(asyncio.run(go_round(settings, datetime(day.year, day.month, day.day, 12, tzinfo=UTC))).sent)
"""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def site(
    environment: dict[str, str], module_database: str, mail: tuple[int, Letters], port: int
) -> Iterator[httpx.Client]:
    """A site in a process of its own, in which the catalogue lies."""
    command = [sys.executable, "-c", textwrap.dedent(SITE), module_database, str(port), str(mail[0])]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            yield client
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.fixture(scope="module")
def connection(module_database: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(module_database, autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def measure(site: httpx.Client, connection: psycopg.Connection) -> int:
    """A published measure with an evaluation, and a citizen who follows it in the language."""
    streets = add_imported_town(
        connection, town(71, ("a", "b", "c"), before=84, after=35, effects={"a": {"car": -0.5}})
    )
    professional = bearing(let_in(connection, "professional"))
    body = {"name": "Scheme", "first_day": MEASURE.isoformat(), "treated": streets[:1], "controls": streets[1:], "after_days": 28,
            "published": True}  # fmt: skip
    number = int(site.post("/api/v1/measures", headers=professional, json=body).json()["measure_id"])
    evaluation = {"measure_id": number, "questions": [{"what": "car"}], "published": True}
    assert OPENS in evaluation_of(site, professional, evaluation)["sentence"][CODE][0]
    citizen = bearing(let_in(connection, "citizen", email="citizen@example.org"))
    follow = site.put(f"/api/v1/measures/{number}/following", headers=citizen, json={"what": "car", "language": CODE})
    assert follow.status_code == 200, follow.text
    return number


def test_no_text_of_a_page_stands_outside_of_the_catalogue(
    site: httpx.Client, connection: psycopg.Connection, measure: int
) -> None:
    [(street,)] = connection.execute("select min(segment_id) from segment").fetchall()
    names = {row[0] for row in connection.execute("select name from segment").fetchall()} | {
        *NAMES,
        "telstraat sensor add",
    }
    day = MEASURE.isoformat()
    paths = ["/", f"/street/{street}?day={day}", f"/street/{street}?day={day}&by=hour", f"/street/{street}", "/measures",
             f"/measures/{measure}", "/sign-in", f"/sign-in/link?token={'a' * 43}", f"/following/stop?token={'a' * 43}"]  # fmt: skip
    left = {}
    for path in paths:
        page = site.get(path, headers={"accept": "text/html", "accept-language": f"xx,{CODE}-IT;q=0.9"}).text
        assert f'<html lang="{CODE}">' in page
        assert f'hreflang="{CODE}"' in page, "the switch offers it"
        assert page.count(OPENS) > 5, path
        left[path] = unmarked(page, names)
    assert {path: texts for path, texts in left.items() if texts} == {}


def test_letters_and_sign_in_mails_are_written_in_the_language(
    site: httpx.Client,
    environment: dict[str, str],
    module_database: str,
    mail: tuple[int, Letters],
    port: int,
    measure: int,
) -> None:
    command = [sys.executable, "-c", textwrap.dedent(ROUND), module_database, str(port), str(mail[0])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout == "1\n", done.stderr
    request = site.post(
        "/sign-in",
        data={"email": "citizen@example.org"},
        params={"lang": CODE},
        headers={"origin": str(site.base_url).rstrip("/")},
    )
    assert request.status_code < 400, request.text
    for number in (1, 2):
        letter = mail[1].wait(number)
        text = re.sub(r"https?://[^\s⟧]+", "", f"{letter['Subject']}\n{letter.get_content()}")
        assert text.count(OPENS) > 2
        assert outside(text, {"Scheme", "Street a", "citizen@example.org"}) == []


def test_a_report_is_handed_out_in_the_language(
    site: httpx.Client, connection: psycopg.Connection, measure: int
) -> None:
    [(number,)] = connection.execute(
        "select evaluation_id from evaluation where measure_id = %s", (measure,)
    ).fetchall()
    page = site.get(f"/api/v1/evaluations/{number}/report.html", params={"language": CODE})
    assert page.status_code == 200
    assert f'<html lang="{CODE}">' in page.text
    names = {row[0] for row in connection.execute("select name from segment").fetchall()}
    assert unmarked(page.text, names | {"Scheme"}) == []
    refused = site.get(f"/api/v1/evaluations/{number}/report.html", params={"language": "xx"})
    assert refused.status_code == 422
    assert json.dumps(CODE).strip('"') in refused.text


def test_what_was_computed_before_a_language_came_is_there_in_english(
    site: httpx.Client, connection: psycopg.Connection, measure: int
) -> None:
    connection.execute(
        "insert into evaluation (measure_id, questions, answered, result, contents, published)"
        " select measure_id, questions, answered, jsonb_set(result::jsonb, '{evaluations,0,sentence}', (result::jsonb #> '{evaluations,0,sentence}') - %s),"
        " contents::jsonb - %s, published from evaluation where measure_id = %s limit 1",
        (CODE, CODE, measure),
    )
    [(number,)] = connection.execute("select max(evaluation_id) from evaluation").fetchall()
    assert CODE not in site.get(f"/api/v1/evaluations/{number}").json()["sentence"]
    page = site.get(f"/api/v1/evaluations/{number}/report.html", params={"language": CODE})
    assert page.status_code == 200
    assert '<html lang="en">' in page.text
    assert site.get(f"/measures/{measure}", params={"lang": CODE}).status_code == 200
    connection.execute("delete from evaluation where evaluation_id = %s", (number,))
