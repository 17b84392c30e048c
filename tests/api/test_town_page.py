"""The town's page: what its first sentences say, its table and map, sorted and searched by address, with odd towns of every kind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import psycopg
import pytest
from tests.api.conftest import served
from tests.api.streets import LINES, add_hours, add_reports, add_segment, add_sensor

from telstraat_api.settings import ApiSettings
from telstraat_api.summaries.day_kinds import kinds_of_days
from telstraat_store.counts.rollup import refresh_all as refresh_rollups
from telstraat_store.summaries.refreshing import refresh_all

BLIND_UNTIL, BLIND_FROM = 7, 20


@pytest.fixture
def client(settings: ApiSettings) -> Iterator[httpx.Client]:
    """A reader of a service that leaves summaries to the test."""
    quiet = msgspec.structs.replace(settings, summaries_every_s=0)
    with served(quiet) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


def this_hour() -> datetime:
    return datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def a_town(connection: psycopg.Connection[Any]) -> list[int]:
    """Four streets with twelve weeks of hours; the third is silent for two days, the fourth blind in the dark."""
    numbers = []
    for place, (name, line, limit) in enumerate(LINES):
        segment = add_segment(connection, name, line, limit_kmh=limit)
        end = this_hour() - timedelta(days=2 if place == 2 else 0)
        installation = add_hours(connection, segment, 84, (10, 20, 40, 5)[place], end)
        if place == 3:
            connection.execute(
                "delete from rollup_hour where installation_id = %s"
                " and extract(hour from hour_start at time zone 'Europe/Brussels') not between %s and %s",
                (installation, BLIND_UNTIL, BLIND_FROM),
            )
        numbers.append(segment)
    refresh_all(connection, kinds_of_days, this_hour())
    return numbers


def names_in(page: str) -> list[str]:
    return re.findall(r"<th scope=\"row\"><a [^>]+><bdi>([^<]*)</bdi>", page)


def test_the_first_sentences_say_what_is_known_of_the_town(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    a_town(connection)
    page = client.get("/").text
    lead = re.sub(r"\s+", " ", re.search(r'<p class="lead">(.*?)</p>', page, re.DOTALL)[1])  # type: ignore[index]
    assert "of 4 streets count now." in lead
    assert "Stationslaan is busiest." in lead
    assert "In Kerkplein most drive too fast: 100% of the cars go above 20 km/h." in lead
    assert "watched well enough that day" in lead  # one of them was silent


def test_the_table_is_sorted_filtered_and_searched_by_the_address(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    a_town(connection)
    by_day = ["Stationslaan", "Kerkplein", "Lindenstraat", "Molenweg"]
    assert names_in(client.get("/").text) == by_day
    assert names_in(client.get("/?sort=day&way=up").text) == by_day[::-1]
    assert names_in(client.get("/?sort=name").text) == sorted(by_day)
    assert names_in(client.get("/?q=LINDEN").text) == ["Lindenstraat"]
    assert set(names_in(client.get("/?which=faulty").text)) == {"Stationslaan", "Molenweg"}
    assert "Stationslaan" not in names_in(client.get("/?which=counting").text)
    for nonsense in (
        "show=x",
        "period=y",
        "sort=';drop",
        "page=-1",
        "page=99999",
        "page=९",
        "box=1,2,3",
        "box=nan,0,1,1",
        "q=%00",
    ):
        assert client.get(f"/?{nonsense}").status_code == 200
    page = client.get("/?show=bike&period=working&q=straat").text
    assert "/?show=bike&amp;period=working&amp;sort=v85&amp;q=straat" in page  # the way to another order loses nothing


def test_silent_and_blind_streets_differ_in_form_and_word(client: httpx.Client, connection: psycopg.Connection) -> None:
    _, _, silent, blind = a_town(connection)
    page = client.get("/").text
    looks = dict(re.findall(r'<a href="/street/(\d+)" data-street.*?class="street [\w-]+ ?([\w-]*)"', page))
    assert looks[str(silent)] == "is-silent"
    assert looks[str(blind)] == "is-blind"
    assert "silent since" in re.sub(r"\s+", " ", page)
    assert "blind in the dark" in page


def test_a_figure_that_is_not_known_has_a_dash_and_its_reason(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    a_town(connection)
    page = client.get("/").text
    assert 'title="not counted a year ago"><span aria-hidden="true">–</span>' in page
    add_segment(connection, "Nieuwstraat")
    assert "being added up" in client.get("/").text
    refresh_all(connection, kinds_of_days, this_hour())
    assert "nothing counted yet" in client.get("/").text


def test_a_town_without_any_street_says_what_to_do(client: httpx.Client) -> None:
    page = client.get("/").text
    assert "No street is counted yet." in page
    assert 'id="map"' not in page
    assert client.get("/town/streets").json() == {"box": None, "streets": [], "clusters": []}


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "شارع الكنيسة", "x" * 200, "Two names", "{n} & %s"])
def test_any_name_is_text_on_map_and_table(client: httpx.Client, connection: psycopg.Connection, name: str) -> None:
    for _ in range(2):
        add_hours(connection, add_segment(connection, name), 30, 10, this_hour())
    refresh_all(connection, kinds_of_days, this_hour())
    page = client.get("/").text
    assert "<script>alert" not in page
    assert len(names_in(page)) == 2
    assert client.get("/", params={"q": name}).text.count('<tr data-street="') == 2


def test_a_street_whose_place_cannot_be_leaves_the_map_to_the_others(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    a_town(connection)
    add_segment(connection, "Null Island", [[0.0, 0.0], [0.001, 0.0]])
    page = client.get("/").text
    assert "Null Island" in names_in(page)
    assert "1 street has a place that cannot be" in page
    west = client.get("/town/streets").json()["box"][0]
    assert west > 4


def test_more_streets_than_a_map_holds_are_numbers_that_lead_closer(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    for number in range(410):
        lon, lat = 4.6 + 0.002 * (number % 40), 50.8 + 0.002 * (number // 40)
        add_segment(connection, f"Street {number}", [[lon, lat], [lon + 0.001, lat]])
    page = client.get("/").text
    shape = client.get("/town/streets").json()
    assert shape["streets"] == []
    assert sum(cluster["n"] for cluster in shape["clusters"]) == 410
    assert len(shape["clusters"]) <= 14 * 14 + 28  # a cell more at the far edges
    closer = re.search(r'<a href="(/\?box=[^"]+)" aria-label="\d+ streets: look closer"', page)
    assert closer
    near = client.get(closer[1].replace("&amp;", "&")).text
    assert 'class="street none' in near
    assert "The whole town" in near
    assert "page 1 of 9" in page
    assert len(page) < 120_000


def test_the_last_hour_of_the_public_is_withheld_where_it_was_not_watched_whole(
    connection: psycopg.Connection, settings: ApiSettings
) -> None:
    segment = add_segment(connection)
    sensor = add_sensor(connection, "linden-12", segment)
    hour = (datetime.now(UTC) - timedelta(minutes=10)).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    connection.execute("select make_report_partition(%s)", (hour,))
    connection.execute("insert into stream (sensor_id, epoch_no, epoch, seen) values (%s, 1, 1, 1)", (sensor,))
    names = "pedestrian bike motorcycle car heavy night"
    columns = ", ".join(f"{name}_{way}" for name in names.split() for way in ("lft", "rgt"))
    connection.execute(
        f"insert into report (period_start, sensor_id, seq, flags, epoch_no, observed_s, light, {columns})"
        f" values (%s, %s, 1, 0, 1, 900, 'd', {', '.join(['7'] * 12)})",
        (hour, sensor),
    )
    public = msgspec.structs.replace(settings, summaries_every_s=0, quarter_min=5)
    with served(public) as address:
        page = httpx.get(f"{address}/?period=live", timeout=60).text
        assert "counted, not shown" in page
        assert not re.search(r'<td class="n">\d+</td>', page)
        assert "Everybody else reads whole hours only" in httpx.get(f"{address}/take-part", timeout=60).text


def test_the_page_is_kept_apart_for_each_language_and_view(
    settings: ApiSettings, connection: psycopg.Connection
) -> None:
    a_town(connection)
    with served(msgspec.structs.replace(settings, summaries_every_s=0, keep_s=60)) as address:
        english, german = (httpx.get(f"{address}/?lang={code}", timeout=60) for code in ("en", "de"))
        assert "is busiest" in english.text
        assert "ist am belebtesten" in german.text
        again = httpx.get(f"{address}/?lang=de", headers={"if-none-match": german.headers["etag"]}, timeout=60)
        assert again.status_code == 304
        assert httpx.get(f"{address}/?lang=de&sort=name", timeout=60).text != german.text


def test_the_steps_of_the_map_are_the_same_whichever_streets_are_listed(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    a_town(connection)

    def legend(address: str) -> list[str]:
        return re.findall(r"</svg>([^<]*\d[^<]*)</li>", client.get(address).text)

    for show in ("all", "car", "speed"):
        everywhere = legend(f"/?show={show}")
        assert everywhere
        assert legend(f"/?show={show}&q=linden") == legend(f"/?show={show}&which=faulty") == everywhere
    live = legend("/?period=live")
    assert legend("/?period=live&q=linden") == live


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("zz", "No street here has “zz” in its name."),
        ("linden", "Found: Lindenstraat."),
        ("n", "4 streets have “n” in their names:"),
    ],
)
def test_a_search_says_what_it_has_found(
    client: httpx.Client, connection: psycopg.Connection, text: str, words: str
) -> None:
    a_town(connection)
    found_line = re.search(r'<p class="found" role="status">(.*?)</p>', client.get(f"/?q={text}").text, re.DOTALL)
    assert found_line
    assert words in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", found_line[1]))
    assert ">Show all</a>" in found_line[1]


def test_streets_are_found_alike_on_every_page(client: httpx.Client, connection: psycopg.Connection) -> None:
    numbers = a_town(connection)
    for text, names in {"LINDEN": ["Lindenstraat"], str(numbers[1]): ["Kerkplein"], "%": [], "zz": []}.items():
        offered = client.get("/streets/named", params={"q": text}).json()["streets"]
        assert [street["name"] for street in offered] == names
        assert names_in(client.get("/", params={"q": text}).text) == names
        count = client.get("/count", params={"q": text}).text
        assert re.findall(r'<span class="street-name"><bdi>([^<]*)</bdi>', count) == names
        assert ("No street here has" in count) is (not names)
    begins = client.get("/streets/named", params={"q": "st"}).json()["streets"]
    assert begins[0]["name"] == "Stationslaan"  # which begins with it


def test_a_sensor_that_says_it_is_too_dark_is_blind_and_neither_late_nor_counting(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    segment = add_segment(connection, "Beekpad")
    sensor = add_sensor(connection, "beek-1", segment)
    quarter = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=8)
    rows = [{"sensor_id": sensor, "period_start": quarter + n * timedelta(minutes=15), "car_lft": 5} for n in range(4)]
    dark = {"sensor_id": sensor, "observed_s": 0, "flags": 128, "light": "n"}
    now = datetime.now(UTC)
    late = now.replace(minute=now.minute // 15 * 15, second=0, microsecond=0) - timedelta(minutes=15)
    begun_again = {"sensor_id": sensor, "observed_s": 0, "flags": 0, "light": "n", "epoch_no": 2, "period_start": late}
    add_reports(connection, [*rows, {**dark, "period_start": late - timedelta(minutes=15)}, begun_again])
    refresh_rollups(connection)
    refresh_all(connection, kinds_of_days, this_hour())
    page = re.sub(r"\s+", " ", client.get("/").text)
    assert "No street counts now. 1 is blind in the dark and counts again by day." in page
    assert "blind in the dark, counts again by day" in page
    assert "late since" not in page
    assert names_in(client.get("/?which=blind").text) == ["Beekpad"]
    assert names_in(client.get("/?which=counting").text) == []
    assert 'class="pill is-off">blind in the dark' in client.get(f"/street/{segment}").text


def test_every_figure_says_whose_it_is_and_every_head_sorts_as_a_whole(
    client: httpx.Client, connection: psycopg.Connection
) -> None:
    a_town(connection)
    page = client.get("/").text
    assert page.count('<a class="sorts"') == len(re.findall(r'<th scope="col"', page))
    assert "Everybody on last year" in page
    assert 'href="/data#year"' in page
    assert "V85 is the speed that 85% of the cars do not exceed." in page
    assert 'id="year"' in client.get("/data").text
    for path in ("/", "/sign-in", "/claim"):
        assert 'href="/take-part"' in client.get(path).text.split("</main>")[0]
    never = client.get("/take-part").text
    assert "It stores no picture and sends none" in never
    assert "whole hours only" not in never, "this service shows everybody quarters of an hour"
