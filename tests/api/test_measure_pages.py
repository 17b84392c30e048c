"""The page of a measure: what was found and how sure it is, in words and pictures, for those who may see it; the card to share."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import httpx
import orjson
import psycopg
import pytest
from tests.analytics.streets import MEASURE, town
from tests.api.streets import add_imported_town
from tests.api.test_making_measures import browser, text_of, typed

from telstraat_analytics import Measure, Question, evaluate_all
from telstraat_analytics.report.content import evaluation_content
from telstraat_contract.languages import LANGUAGES

HTML = {"Accept": "text/html"}
Headers = dict[str, str]
ADD = """
insert into evaluation (measure_id, account_id, questions, answered, result, contents, published)
select measure_id, account_id, '[]', true, %s::json, %s::json, %s from measure where measure_id = %s returning evaluation_id
"""
NAMES = {"1001": "Street <a>", "1002": "Street b", "1003": "Street c"}


@pytest.fixture(scope="module")
def officer(module_client: httpx.Client, module_connection: psycopg.Connection) -> Headers:
    return browser(module_client, module_connection, "professional")


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    frame = town(71, ("a", "b", "c"), before=112, after=35, effects={"a": {"car": -0.5}})
    numbers = add_imported_town(module_connection, frame)
    for place, number in enumerate(numbers):
        line = (
            f'{{"type": "LineString", "coordinates": [[{4.7 + place / 200}, 50.87], [{4.702 + place / 200}, 50.871]]}}'
        )
        module_connection.execute(
            "update segment set geometry = %s, name = %s where segment_id = %s",
            (line, NAMES[str(1001 + place)], number),
        )
    return numbers


def noted(client: httpx.Client, headers: Headers, streets: list[int], **changes: Any) -> str:
    """Make a measure on the page, and return its address."""
    fields = typed(streets, **{f"street-{streets[1]}": "boundary", f"street-{streets[2]}": "controls"}, **changes)
    response = client.post("/measures/new", headers=headers, data=fields)
    assert response.status_code == 303, response.text
    return response.headers["Location"]


def computed(streets: list[int], published: bool, address: str, connection: psycopg.Connection) -> int:
    """Evaluate a measure from the very counts that are stored, keep it and return its number."""
    frame = town(71, ("a", "b", "c"), before=112, after=35, effects={"a": {"car": -0.5}})
    names = dict(zip(("a", "b", "c"), map(str, streets), strict=True))
    frame["segment"] = frame["segment"].map(names)
    labels = {str(number): NAMES[str(1001 + place)] for place, number in enumerate(streets)}
    measure = Measure(
        "Scheme", MEASURE, (str(streets[0]),), (str(streets[2]),), (str(streets[1]),), after_days=28, names=labels
    )
    evaluations = evaluate_all(frame, measure, [Question("car"), Question("bike")], by=["hour", "direction"])
    result = {"evaluations": [evaluation.to_dict() for evaluation in evaluations]}
    contents = {code: asdict(evaluation_content(evaluations, code)) for code in LANGUAGES}
    option = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
    texts = [orjson.dumps(value, option=option, default=str).decode() for value in (result, contents)]
    row = connection.execute(ADD, (*texts, published, int(address.rpartition("/")[2]))).fetchone()
    assert row
    return int(row[0])


@pytest.fixture(scope="module")
def evaluated(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: Headers, streets: list[int]
) -> str:
    """The address of a published measure with a published evaluation."""
    address = noted(module_client, officer, streets, action="publish")
    computed(streets, True, address, module_connection)
    return address


def test_the_number_stands_with_its_interval_and_how_sure_it_is(module_client: httpx.Client, evaluated: str) -> None:
    response = module_client.get(evaluated, headers=HTML)
    text = text_of(response)
    number = re.search(r'<p class="huge is-fell">−(\d+)%</p>', response.text)
    assert number
    assert 35 < int(number[1]) < 62
    assert re.search(r"95% interval: −\d+% … −\d+%", text)
    assert "Is it sure?" in text
    assert f"fell by {number[1]}%" in text


def test_what_is_drawn_is_in_the_page_and_said_in_a_table(module_client: httpx.Client, evaluated: str) -> None:
    page = module_client.get(evaluated, headers=HTML).text
    assert 'class="where"' in page
    assert page.count("data-chart=") >= 2
    assert "Hour by hour" in page
    for part in ("weeks-", "hours-"):  # a chart without the name of its street says nothing
        figures = re.findall(rf'<figure[^>]*id="{part}[^"]*"', page)
        assert figures
        assert len(re.findall(rf'<h3>[^<]+</h3>\s*<figure[^>]*id="{part}', page)) == len(figures)
    assert "Everything that was asked" in page
    assert '<td><span class="word is-fell">less</span></td>' in re.sub(r"\s+", " ", page).replace("> <", "><")
    assert "<script>" not in page
    assert "Street <a>" not in page
    assert len(page) < 200_000


def test_the_list_has_a_map_of_all_measures_that_leads_to_each(module_client: httpx.Client, evaluated: str) -> None:
    page = module_client.get("/measures", headers=HTML).text
    drawn = page[page.index('class="where"') : page.index("</svg>", page.index('class="where"'))]
    assert f'<a href="{evaluated}"' in drawn
    assert "is-fell" in drawn
    assert page.index('class="where"') < page.index('class="measure-cards"')


def test_a_passed_check_says_what_passed_means(module_client: httpx.Client, evaluated: str) -> None:
    text = text_of(module_client.get(evaluated, headers=HTML))
    assert "Passed means: what was looked for was not found." in text


def test_the_card_never_shows_the_number_without_interval_period_and_address(
    module_client: httpx.Client, evaluated: str
) -> None:
    page = module_client.get(f"{evaluated}/share", headers=HTML)
    card = unescape(re.findall(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)[0])
    assert re.search(r"−\d+% \(95% interval: −\d+% … −\d+%\)", card)
    assert "56 days before" in card
    assert "28 days after" in card
    assert evaluated in card
    picture = module_client.get(f"{evaluated}/card.svg", headers=HTML).text
    for part in re.findall(r"−\d+%", card):
        assert part in unescape(picture)
    assert "Street &lt;a&gt;" in picture
    png = module_client.get(f"{evaluated}/card.png", timeout=60)
    assert png.headers["Content-Type"] == "image/png"
    assert png.content[16:24] == bytes.fromhex("000004b000000276"), "1200 by 630"
    described = module_client.get(evaluated, headers=HTML).text
    assert re.search(r'<meta property="og:image" content="http[^"]+/card\.png', described)


def test_what_is_not_published_has_no_card_and_no_preview(
    module_client: httpx.Client, module_connection: psycopg.Connection, officer: Headers, streets: list[int]
) -> None:
    address = noted(module_client, officer, streets, action="publish")
    number = computed(streets, False, address, module_connection)
    for path in ("share", "card.svg", "card.png", f"card.svg?evaluation={number}"):
        assert module_client.get(f"{address}/{path}", headers=officer).status_code == 404
    text = text_of(module_client.get(address, headers=HTML))
    assert "Nothing has been found yet, or it has not been published." in text
    assert "og:image" not in module_client.get(address, headers=officer).text
    stranger = module_client.get(f"{address}?evaluation={number}", headers=HTML)
    assert "fell by" not in text_of(stranger)
    changed = module_client.post(f"{address}/evaluations/{number}", headers=officer, data={"action": "publish"})
    assert changed.status_code == 303
    assert "fell by" in text_of(module_client.get(address, headers=HTML))
    module_client.post(f"{address}/evaluations/{number}", headers=officer, data={"action": "delete"})
    assert "fell by" not in text_of(module_client.get(address, headers=officer))


def test_a_planned_measure_says_so_and_how_long_to_count(
    module_client: httpx.Client, officer: Headers, streets: list[int]
) -> None:
    day = datetime.now(UTC).date() + timedelta(days=40)
    address = noted(module_client, officer, streets, first_day=day.isoformat(), action="publish", name="Coming")
    assert "This measure begins on" in text_of(module_client.get(address, headers=HTML))
    plan = module_client.get(f"{address}/plan", headers={"Accept": "*/*"}, timeout=60)
    assert plan.status_code == 200
    assert "How long must we count?" in text_of(plan)
    listed = text_of(module_client.get("/measures", headers=HTML))
    assert re.search(r"planned Coming", listed)


def test_a_measure_is_followed_and_no_more_by_a_button(
    module_client: httpx.Client, module_connection: psycopg.Connection, evaluated: str
) -> None:
    stranger = module_client.post(f"{evaluated}/follow", headers=HTML, data={"what": "car"})
    assert stranger.status_code in {303, 403}
    citizen = browser(module_client, module_connection, "citizen")
    assert module_client.post(f"{evaluated}/follow", headers=citizen, data={"what": "bike"}).status_code == 303
    assert "You get a letter when what it shows has changed: Bicycles." in text_of(
        module_client.get(evaluated, headers=citizen)
    )
    module_client.post(f"{evaluated}/follow", headers=citizen, data={"what": ""})
    assert "Write to me when this has changed" in text_of(module_client.get(evaluated, headers=citizen))


def test_the_plan_tells_the_public_nothing_of_measures_that_are_not_published(
    module_client: httpx.Client, officer: Headers, streets: list[int]
) -> None:
    day = (MEASURE + timedelta(days=3)).isoformat()
    fields = typed([streets[2]], first_day=day, name="Secret")
    assert module_client.post("/measures/new", headers=officer, data=fields).status_code == 303
    address = noted(module_client, officer, streets, action="publish", name="Open")
    says = "Another measure acts there."
    assert says in text_of(module_client.get(f"{address}/plan", headers={**officer, "Accept": "*/*"}, timeout=60))
    assert says not in text_of(module_client.get(f"{address}/plan", headers={"Accept": "*/*"}, timeout=60))


def test_the_list_shows_sentence_state_and_interval(module_client: httpx.Client, evaluated: str) -> None:
    text = text_of(module_client.get("/measures", headers=HTML))
    assert re.search(r"−\d+% \(−\d+ to −\d+\)", text)
    assert "evaluated" in text


def test_every_page_of_measures_is_spoken_in_every_language(module_client: httpx.Client, evaluated: str) -> None:
    pages = {code: text_of(module_client.get(f"{evaluated}?lang={code}", headers=HTML)) for code in LANGUAGES}
    assert len(set(pages.values())) == len(LANGUAGES)
    assert "Ist es sicher?" in pages["de"]
    assert "Is het zeker?" in pages["nl"]
    assert "Est-ce sûr ?" in pages["fr"]


def test_the_newest_measures_come_first_and_the_others_are_a_click_away(
    module_client: httpx.Client, module_connection: psycopg.Connection
) -> None:
    module_connection.execute(
        "insert into measure (name, kind, description, first_day, timezone, details, published)"
        " select 'Row ' || n, 'other', '', date '2040-01-01' + n, 'UTC', '{}', true from generate_series(1, 65) n"
    )
    module_connection.execute(
        "insert into workshop (title, question, place, segments, first_day, last_day, held_at, published)"
        " select 'Round ' || n, '', '', '{}', '2026-01-01', '2026-01-02', date '2040-01-01' + n, true from generate_series(1, 65) n"
    )
    for path, name, of_page in (("/measures", "Row", 30), ("/workshops", "Round", 50)):
        first = re.findall(rf"{name} (\d+)<", module_client.get(path).text)
        assert first == [str(n) for n in range(65, 65 - of_page, -1)]
        page = module_client.get(path).text
        older = re.search(r'rel="next" href="([^"]+)"', page)
        assert older
        second = module_client.get(older[1]).text
        assert re.findall(rf"{name} (\d+)<", second)[0] == str(65 - of_page)
        assert 'rel="prev"' in second
        assert "There is nothing older." in module_client.get(f"{path}?page=999&lang=en").text
    assert "Row 65" in module_client.get("/").text
    module_connection.execute(
        "delete from measure where name like 'Row %'; delete from workshop where title like 'Round %'"
    )


def test_the_latest_of_many_evaluations_is_shown_and_the_first_is_found_by_its_number(
    module_client: httpx.Client, officer: Headers, streets: list[int], module_connection: psycopg.Connection
) -> None:
    address = noted(module_client, officer, streets, name="Often evaluated", published="yes")
    numbers = [computed(streets, False, address, module_connection) for _ in range(2)]
    module_connection.execute(
        "insert into evaluation (measure_id, account_id, questions, answered, result, contents, published)"
        " select measure_id, account_id, questions, answered, result, contents, false from evaluation, generate_series(1, 22)"
        " where evaluation_id = %s",
        (numbers[0],),
    )
    page = module_client.get(address, headers=HTML | officer).text
    listed = [
        int(n) for n in re.findall(r"\?evaluation=(\d+)\"", page.split('class="evaluations"')[1].split("</ul>")[0])
    ]
    assert listed == sorted(listed, reverse=True)
    assert len(listed) == 20
    assert numbers[0] not in listed
    older = module_client.get(f"{address}?page=2", headers=HTML | officer).text
    assert f'?evaluation={numbers[0]}"' in older
    shown_page = module_client.get(f"{address}?evaluation={numbers[0]}", headers=HTML | officer).text
    assert f"{address}/report.pdf?evaluation={numbers[0]}&" in unescape(shown_page)
