"""Uploads of operators: nothing is written before it was looked at, and then exactly what was said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import psycopg
import pytest
from tests.api.people import signed_in
from tests.api.streets import LINES, add_segment
from tests.api.test_jobs import on, working
from tests.harness.databases import one_row
from tests.harness.processes import wait_until

from telstraat_api.uploads.fault_words import FAULTS, fault_in
from telstraat_api.web.languages import page_language
from telstraat_firmware_sim.town import map_of_overbeke
from telstraat_firmware_sim.town.extract import write_extract
from telstraat_store.imports import uploads

HOURS = "street,date,uptime,car_lft,car_rgt\n" + "".join(
    f"Lindenstraat,2026-03-02T{hour:02d}:00:00Z,1,{hour},3\n" for hour in range(24)
)


@pytest.fixture(scope="module")
def operator(
    module_connection: psycopg.Connection, module_client: httpx.Client, module_database: str
) -> Iterator[httpx.Client]:
    """An operator's browser, and a worker."""
    address = str(module_client.base_url).rstrip("/")
    with signed_in(module_connection, address, "operator") as browser, working(module_database):
        yield browser


@pytest.fixture
def connection(module_connection: psycopg.Connection) -> psycopg.Connection:
    """A database without streets."""
    module_connection.execute("truncate segment, ground, import_source, upload cascade")
    return module_connection


def upload(operator: httpx.Client, kind: str, name: str, content: bytes, **fields: str) -> str:
    """Upload a file, wait until it was looked at, and return the address of its page."""
    answer = operator.post("/operate/uploads", data={"kind": kind, **fields}, files={"file": (name, content)})
    assert answer.status_code == 303, answer.text
    return settled(operator, answer.headers["location"])


def settled(operator: httpx.Client, page: str) -> str:
    wait_until(lambda: "data-again" not in operator.get(page).text, 60)
    return page


OSM_NOWHERE = b"""<?xml version="1.0"?><osm version="0.6"><node id="1" lat="nan" lon="4.7"/><node id="2" lat="50.81" lon="4.71"/>
<way id="7"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/><tag k="name" v="Kerkstraat"/></way></osm>"""
GEOJSON_OF_FIJI = json.dumps({
    "type": "FeatureCollection",
    "features": [{"type": "Feature", "properties": {"name": "Date line"},
                  "geometry": {"type": "LineString", "coordinates": [[178.44, -18.13], [178.45, -18.14]]}}],
}).encode()  # fmt: skip


def geojson(*names: str) -> bytes:
    features = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "LineString", "coordinates": line}}
        for name, (_, line, _) in zip(names, LINES, strict=False)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_streets_are_looked_at_first_and_imported_once(operator: httpx.Client, connection: psycopg.Connection) -> None:
    page = upload(
        operator, "streets", "town.geojson", geojson("Lindenstraat", "<b>Kerk</b>"), timezone="Europe/Brussels"
    )
    text = operator.get(page).text
    assert "<strong>2</strong> new streets" in text
    assert "&lt;b&gt;Kerk" in text
    assert one_row(connection, "select count(*) from segment") == (0,)
    for _ in range(2):  # a second click imports nothing twice
        operator.post(f"{page}/import")
    assert "This was imported" in operator.get(settled(operator, page)).text
    assert one_row(connection, "select count(*) from segment") == (2,)
    assert one_row(connection, "select content is null, outcome ->> 'added' from upload") == (True, "2")
    again = upload(operator, "streets", "town.geojson", geojson("Lindenstraat"), timezone="Europe/Brussels")
    assert "<strong>0</strong> new streets" in operator.get(again).text
    operator.post(f"{page}/delete")
    assert operator.get(page).status_code == 404
    assert one_row(connection, "select count(*) from segment") == (2,)


def test_a_made_up_town_is_imported_from_its_extract(
    operator: httpx.Client, connection: psycopg.Connection, tmp_path: Path
) -> None:
    write_extract(map_of_overbeke(1), tmp_path / "town.osm.pbf")
    content = (tmp_path / "town.osm.pbf").read_bytes()
    page = upload(operator, "streets", "Overbeke.osm.pbf", content, timezone="Europe/Brussels", ground="yes")
    assert "upload-map" in operator.get(page).text
    assert one_row(connection, "select (select count(*) from segment) + (select count(*) from ground)") == (0,)
    operator.post(f"{page}/import")
    settled(operator, page)
    segments, ground = one_row(connection, "select (select count(*) from segment), (select count(*) from ground)")
    assert (segments, ground) == one_row(
        connection, "select (outcome ->> 'added')::bigint, (outcome ->> 'ground')::bigint from upload"
    )
    assert segments


def test_counts_are_given_their_street_and_imported(
    operator: httpx.Client, connection: psycopg.Connection, segment: int
) -> None:
    page = upload(operator, "counts", "tubes.csv", HOURS.encode(), source="Tubes 2026", counts="corrected")
    text = operator.get(page).text
    assert "at no street yet" in text
    assert "<strong>24</strong> lines refused" in text
    assert f'<option value="{segment}" selected>' in text  # the street of the same name is likely meant
    options = {"source": "Tubes 2026", "counts": "corrected", "street/Lindenstraat": str(segment)}
    operator.post(page, data=options)
    settled(operator, page)
    assert "<strong>24</strong> new periods" in operator.get(page).text
    assert one_row(connection, "select count(*) from imported") == (0,)
    assert one_row(connection, "select count(*) from import_source") == (0,)
    operator.post(f"{page}/import")
    assert "This was imported" in operator.get(settled(operator, page)).text
    assert one_row(connection, "select count(*), sum(car_lft)::int from imported") == (24, sum(range(24)))


def test_of_two_streets_of_one_name_the_operator_says_which_and_it_lands_there(
    operator: httpx.Client, connection: psycopg.Connection, segment: int
) -> None:
    other = add_segment(connection, "LINDENSTRAAT")
    page = upload(operator, "counts", "twice.csv", HOURS.encode(), source="Twice", counts="corrected")
    text = operator.get(page).text
    assert "at no street yet" in text
    assert "selected>Lindenstraat" not in text  # which of the two is meant only the operator knows
    assert "selected>LINDENSTRAAT" not in text
    fields = dict.fromkeys(re.findall(r'<select[^>]* name="(street/[^"]+)"', text), str(other))
    assert fields == {"street/Lindenstraat": str(other)}
    operator.post(page, data={"source": "Twice", "counts": "corrected", **fields})
    settled(operator, page)
    text = operator.get(page).text
    assert "at no street yet" not in text
    assert f'<a href="/street/{other}">LINDENSTRAAT</a>' in text
    assert f'<option value="{other}" selected>' in text


def test_what_a_file_does_not_say_is_asked_for(
    operator: httpx.Client, connection: psycopg.Connection, segment: int
) -> None:
    local = HOURS.replace("Z,", ",").replace("Lindenstraat", str(segment)).replace("street", "segment_id")
    page = upload(operator, "counts", "local.csv", local.encode(), source="Tubes", counts="corrected")
    text = operator.get(page).text
    assert "This file cannot be read as it is" in text
    assert "Nothing was written" in text
    operator.post(page, data={"source": "Tubes", "counts": "corrected", "times": "local"})
    settled(operator, page)
    assert "<strong>24</strong> new periods" in operator.get(page).text


def test_a_look_that_comes_late_says_nothing_of_another_way_to_read(
    operator: httpx.Client, connection: psycopg.Connection, segment: int, module_database: str
) -> None:
    page = upload(operator, "counts", "tubes.csv", HOURS.encode(), source="Tubes 2026", counts="corrected")
    number = int(page.rpartition("/")[2])
    first = one_row(connection, "select options from upload")[0]
    operator.post(page, data={"source": "Tubes 2026", "counts": "raw", "street/Lindenstraat": str(segment)})
    settled(operator, page)
    on(module_database, lambda c: uploads.keep_preview(c, number, cast("dict[str, Any]", first), {"new": 999}))
    assert "<strong>24</strong> new periods" in operator.get(page).text
    operator.post(f"{page}/import")
    operator.post(page, data={"source": "Other", "counts": "corrected"})  # too late: it is being imported, or was
    settled(operator, page)
    assert one_row(connection, "select name from import_source") == ("Tubes 2026",)


@pytest.mark.parametrize(
    ("kind", "name", "content"),
    [
        ("streets", "empty.geojson", b"{}"),
        ("streets", "../../etc/passwd.geojson", b"\x00\xff"),
        ("streets", "broken.osm.pbf", b"\x00\x00\x00\x0d\n\tOSMHeader"),
        ("counts", "nothing.csv", b"a,b\n"),
        ("counts", "picture.xlsx", b"PK\x03\x04 not a spreadsheet"),
        ("counts", "x" * 300 + ".parquet", b"PAR1"),
        ("counts", "zeros.csv", b"\x00\x00\x00,\x00\n" * 50),
        ("counts", "zero-later.csv", HOURS.encode() + b"x" * 200_000 + b"\x00\n"),
        ("counts", "no-book.xlsx", b"PK\x03\x04" + b"x" * 100),
        ("streets", "nowhere.osm", OSM_NOWHERE),
        ("counts", "end-of-time.csv", HOURS.replace("2026-03-02T23", "9999-12-31T23").encode()),
        ("counts", "broken.csv.gz", b"\x1f\x8b\x08\x00no more"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words(
    operator: httpx.Client, connection: psycopg.Connection, kind: str, name: str, content: bytes
) -> None:
    page = upload(operator, kind, name, content, timezone="Europe/Brussels", source="x")
    text = operator.get(page).text
    assert "This file cannot be read as it is" in text
    assert "Traceback" not in text
    assert "broke off" not in text
    assert "could not be kept" not in text
    assert "telstraat-upload-" not in text, "nobody learns where a file lies here"
    assert one_row(connection, "select count(*) from upload where preview is not null") == (0,)


def test_a_form_without_a_file_or_with_wrong_answers_comes_back(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    none = operator.post(
        "/operate/uploads", data={"kind": "streets", "timezone": "Mars/Olympus"}, files={"x": ("", b"")}
    )
    assert (none.status_code, none.text.count('class="wrong"')) == (422, 2)
    empty = operator.post("/operate/uploads", data={"kind": "counts", "source": ""}, files={"file": ("a.csv", b"")})
    assert (empty.status_code, empty.text.count('class="wrong"')) == (422, 2)
    assert (
        operator.post("/operate/uploads", content=b"--x", headers={"content-type": "multipart/form-data"}).status_code
        == 400
    )
    assert one_row(connection, "select count(*) from upload") == (0,)


def test_a_page_names_neither_a_path_of_the_server_nor_options_of_a_command(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    page = upload(operator, "counts", "tubes.csv", HOURS.encode(), source="City")
    text = operator.get(page).text
    assert "does not say whether the counts were divided by it; choose it below" in text
    assert "/upload.csv" not in text
    assert " --" not in text.partition("<main")[2]


def test_a_street_that_can_be_none_is_refused_in_words_and_not_in_those_of_a_program(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    def feature(name: Any, line: Any) -> dict[str, Any]:
        return {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {"type": "LineString", "coordinates": line},
        }

    good = LINES[0][1]
    odd = [
        feature("a\x00b", good), feature("x" * 201, good), feature({"a": 1}, good), feature("Kerkstraat", [good[0], good[0]]),
        feature("Kerkstraat", [[1e300, 1], [2, 3]]), feature("Kerkstraat", [[4.7 + n * 1e-5, 50.87] for n in range(501)]),
        feature("\ud800", good), feature("Kerkstraat", [["x", "y"], [1, 2]]),
    ]  # fmt: skip
    content = json.dumps({"type": "FeatureCollection", "features": odd}).encode()
    text = operator.get(upload(operator, "streets", "odd.geojson", content, timezone="Europe/Brussels")).text
    assert "<strong>8</strong> refused" in text
    for words in (
        "such as a new line",
        "longer than 200 signs",
        "its name is no text",
        "0.0 m long",
        "more than 500 points",
    ):
        assert words in text, words
    for words in ("String should", "Value error", "List should", "Input should", "match pattern", "validation"):
        assert words not in text, words


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"[" * 100_000, "lists lie in lists"), (GEOJSON_OF_FIJI, "choose another time zone below")],
)
def test_a_question_about_a_file_names_the_fields_of_the_page(
    operator: httpx.Client, connection: psycopg.Connection, content: bytes, words: str
) -> None:
    text = operator.get(upload(operator, "streets", "a.geojson", content, timezone="Europe/Brussels")).text
    assert words in text
    assert " --" not in text.partition("<main")[2]


def test_what_is_noted_of_a_file_names_it_as_whoever_uploaded_it_does(
    operator: httpx.Client, connection: psycopg.Connection
) -> None:
    content = (
        HOURS.replace("Lindenstraat", "Lindenstra\xdfe").replace(",uptime", "").replace("Z,1,", "Z,").encode("latin-1")
    )
    text = operator.get(upload(operator, "counts", "tubes.csv", content, source="City")).text
    assert "is not UTF-8" in text
    assert "upload.csv" not in text


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("car_lft 'many' is not a number; write digits, or nothing where nothing was counted", "car_lft 'many' ist keine Zahl; schreiben Sie Ziffern"),
        ("segment 'Oude Markt' is not one of ours; choose its street below", "Straße 'Oude Markt' ist nicht bekannt"),
        ("has more than 5 million cells, empty ones included; save the rows with counts as CSV", "hat mehr als 5 Millionen Zellen"),
        ("tubes.csv is not UTF-8: read as Windows-1252", "tubes.csv ist kein UTF-8"),
        ("something that nobody has put into words", "something that nobody has put into words"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_file_is_said_in_the_reader_s_language(text: str, german: str) -> None:
    assert fault_in(text, page_language("de")).startswith(german)
    assert fault_in(text, page_language("en")) == text


def test_the_sentences_of_refusals_are_those_of_the_import() -> None:
    source = "".join(path.read_text() for path in Path(uploads.__file__).parent.glob("*.py"))
    source = re.sub(r"""["']\s+f?["']""", "", source)  # a sentence over two lines
    for sentence in FAULTS:
        words = max(re.split(r"\{\w+\}", re.split("[;?]", sentence)[0]), key=len).strip(" ()':,")
        if not sentence.startswith(
            ("this ", "its ", "it ", "cannot be read as Geo", "the file has no")
        ):  # of jobs, of streets
            assert words in source, sentence
