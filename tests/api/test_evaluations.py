"""Evaluations through the API: the very object of `telstraat evaluate`, its reports, its limits, and what was marked in the street."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.analytics.streets import MEASURE, town
from tests.api.conftest import served
from tests.api.evaluated import evaluation_of
from tests.api.streets import add_imported_town, add_segment
from tests.api.test_access import bearing, let_in

from telstraat_api.settings import ApiSettings
from telstraat_cli.main import main

HOURS = list(range(8, 19))


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    """Three streets of a simulated town as imported hours; on the date, cars fall by half in the first."""
    frame = town(71, ("a", "b", "c"), before=70, after=35, effects={"a": {"car": -0.5}})
    return add_imported_town(module_connection, frame)


@pytest.fixture(scope="module")
def module_client(module_database: str) -> Iterator[httpx.Client]:
    """An API that computes what it is asked for by itself, as that of a small town does."""
    settings = ApiSettings(dsn=module_database, quarter_min=0, pool_max=4, keep_s=0, jobs_at_once=1)
    with served(settings) as address, httpx.Client(base_url=address, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def professional(module_connection: psycopg.Connection) -> dict[str, str]:
    return bearing(let_in(module_connection, "professional"))


@pytest.fixture(scope="module")
def measure(module_client: httpx.Client, professional: dict[str, str], streets: list[int]) -> dict[str, Any]:
    body = {"name": 'Scheme "one"', "first_day": MEASURE.isoformat(), "treated": streets[:1], "controls": streets[1:],
            "after_days": 28, "other_measures": [{"day": "2019-01-01", "name": "long ago"}]}  # fmt: skip
    response = module_client.post("/api/v1/measures", headers=professional, json=body)
    assert response.status_code == 201, response.text
    answer: dict[str, Any] = response.json()
    return answer


@pytest.fixture(scope="module")
def evaluation(
    module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any], streets: list[int]
) -> dict[str, Any]:
    """One evaluation, with a market that was marked before."""
    day = MEASURE + timedelta(days=9)
    event = {"segment_id": streets[0], "kind": "market", "title": "canary stalls", "from_at": f"{day}T06:00:00Z",
             "until_at": f"{day}T20:00:00Z", "excludes": True}  # fmt: skip
    assert module_client.post("/api/v1/events", headers=professional, json=event).status_code == 201
    body = {"measure_id": measure["measure_id"], "questions": [{"what": "car", "hours": HOURS}]}
    return evaluation_of(module_client, professional, body)


def test_the_effect_is_found_and_told_in_three_languages(evaluation: dict[str, Any]) -> None:
    [result] = evaluation["result"]["evaluations"]
    assert evaluation["answered"]
    assert result["effect"]["low"] < -0.5 < result["effect"]["high"] < 0
    assert "Car traffic in Street a" in evaluation["sentence"]["en"][0]
    assert "autoverkeer in Street a" in evaluation["sentence"]["nl"][0]
    assert evaluation["sentence"]["fr"][0] == result["sentence"]["fr"]
    assert len(evaluation["inputs_sha256"][0]) == 64
    assert {check["name"] for checks in result["checks"].values() for check in checks} >= {"season", "placebo_in_time"}


def test_the_command_gives_the_very_same_object_for_the_measures_file(
    module_client: httpx.Client,
    module_database: str,
    professional: dict[str, str],
    measure: dict[str, Any],
    evaluation: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = module_client.get(f"{measure['links']['self']}/file", headers=professional)
    assert file.headers["content-type"].startswith("application/toml")
    path = tmp_path / "measure.toml"
    path.write_bytes(file.content)
    assert main(["evaluate", str(path), "--dsn", module_database, "--what", "car", "--hours", "8-18", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == evaluation["result"]


def test_what_was_marked_is_left_out_and_its_words_stay_private(evaluation: dict[str, Any], streets: list[int]) -> None:
    marked = [finding for finding in evaluation["result"]["evaluations"][0]["findings"] if finding["kind"] == "marked"]
    day = (MEASURE + timedelta(days=9)).isoformat()
    assert [(row["segment"], row["first"], row["last"], row["action"]) for row in marked] == [
        (str(streets[0]), day, day, "left out")
    ]
    assert "market" in json.dumps(evaluation)
    assert "canary stalls" not in json.dumps(evaluation)


def test_page_and_pdf_show_the_sentence_of_the_answer(
    module_client: httpx.Client, professional: dict[str, str], evaluation: dict[str, Any]
) -> None:
    language = "nl"
    page = module_client.get(
        evaluation["links"]["html"], params={"language": language}, headers=professional, timeout=300
    )
    assert page.status_code == 200
    assert evaluation["sentence"][language][0].replace("'", "&#39;") in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]
    paper = module_client.get(evaluation["links"]["pdf"], params={"language": "nl"}, headers=professional, timeout=300)
    assert paper.content.startswith(b"%PDF")
    again = module_client.get(evaluation["links"]["pdf"], params={"language": "nl"}, headers=professional)
    assert again.content == paper.content


def test_nobody_reads_it_before_it_is_published(
    module_client: httpx.Client, professional: dict[str, str], evaluation: dict[str, Any], measure: dict[str, Any]
) -> None:
    links = [evaluation["links"][name] for name in ("self", "html", "pdf")] + [measure["links"]["file"]]
    assert [module_client.get(link).status_code for link in links] == [404] * 4
    address = evaluation["links"]["self"]
    published = module_client.patch(address, headers=professional, json={"published": True})
    assert published.status_code == 200
    public = module_client.get(address).json()
    assert (public["result"], public["created_by"]) == (evaluation["result"], None)
    listed = module_client.get(f"/api/v1/evaluations?measure={measure['measure_id']}").json()["evaluations"]
    assert [row["evaluation_id"] for row in listed] == [evaluation["evaluation_id"]]
    assert "result" not in listed[0]
    module_client.patch(address, headers=professional, json={"published": False})
    assert module_client.get(address).status_code == 404


def test_a_colleague_reads_but_does_not_change_it(
    module_client: httpx.Client, module_connection: psycopg.Connection, evaluation: dict[str, Any]
) -> None:
    colleague = bearing(let_in(module_connection, "professional", email="colleague@example.org"))
    address = evaluation["links"]["self"]
    assert module_client.get(address, headers=colleague).status_code == 200
    assert module_client.patch(address, headers=colleague, json={"note": "mine"}).status_code == 403
    assert module_client.delete(address, headers=colleague).status_code == 403


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"measure_id": 999_999}, "there is no measure"),
        ({"questions": [{"what": "horses"}]}, "what"),
        ({"questions": [{"hours": [24]}]}, "hours"),
        ({"questions": [{"against": "yesterday"}]}, "against"),
        ({"questions": [{"what": "v85", "against": "last year"}]}, "not compared with last year"),
        ({"questions": []}, "questions"),
        ({"result": {}}, "result"),
    ],
)
def test_what_cannot_be_asked_is_refused(
    module_client: httpx.Client,
    professional: dict[str, str],
    measure: dict[str, Any],
    change: dict[str, Any],
    says: str,
) -> None:
    answer = module_client.post(
        "/api/v1/evaluations", headers=professional, json={"measure_id": measure["measure_id"], **change}
    )
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_last_years_weeks_are_asked_for_and_their_absence_is_an_answer(
    module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any]
) -> None:
    body = {"measure_id": measure["measure_id"], "questions": [{"against": "last year"}]}
    answer = evaluation_of(module_client, professional, body)
    assert module_client.delete(answer["links"]["self"], headers=professional).status_code == 200
    assert (answer["answered"], answer["questions"][0]["against"]) == (False, "last year")
    [request] = answer["result"]["evaluations"]
    assert request["question"]["against"] == "last year"
    assert "year before" in answer["sentence"]["en"][0]


def test_a_street_without_counts_is_told_at_once(
    module_client: httpx.Client, module_connection: psycopg.Connection, professional: dict[str, str]
) -> None:
    empty = add_segment(module_connection, "Nowhere")
    body = {"name": "Nothing", "first_day": MEASURE.isoformat(), "treated": [empty]}
    number = module_client.post("/api/v1/measures", headers=professional, json=body).json()["measure_id"]
    answer = module_client.post("/api/v1/evaluations", headers=professional, json={"measure_id": number})
    assert (answer.status_code, "nothing has been counted" in answer.text) == (422, True)


def test_a_phase_is_evaluated_with_its_own_dates(
    module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any]
) -> None:
    trial = {"name": "trial", "first_day": (MEASURE + timedelta(days=7)).isoformat(),
             "last_day": (MEASURE + timedelta(days=20)).isoformat()}  # fmt: skip
    address = measure["links"]["self"]
    assert module_client.patch(address, headers=professional, json={"phases": [trial]}).status_code == 200
    file = module_client.get(f"{address}/file?phase=trial", headers=professional).text
    assert f"date = {trial['first_day']}" in file
    assert "after_days = 14" in file
    assert module_client.get(f"{address}/file?phase=final", headers=professional).status_code == 422


def test_a_measure_in_a_control_street_is_another_measure_nearby(
    module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any], streets: list[int]
) -> None:
    body = {"name": "Cycle street", "first_day": MEASURE.isoformat(), "treated": streets[1:2]}
    other = module_client.post("/api/v1/measures", headers=professional, json=body).json()
    path = f"{measure['links']['self']}/file"
    try:
        assert f'["{MEASURE.isoformat()}", "another measure"]' in module_client.get(path, headers=professional).text
        response = module_client.patch(other["links"]["self"], headers=professional, json={"published": True})
        assert response.status_code == 200
        assert f'["{MEASURE.isoformat()}", "Cycle street"]' in module_client.get(path, headers=professional).text
    finally:
        module_client.delete(other["links"]["self"], headers=professional)
    assert "Cycle street" not in module_client.get(path, headers=professional).text


def test_the_page_of_a_measure_says_what_its_report_says_to_those_who_may_see_it(
    module_client: httpx.Client,
    professional: dict[str, str],
    measure: dict[str, Any],
    evaluation: dict[str, Any],
) -> None:
    page = f"/measures/{measure['measure_id']}"
    html = {"accept": "text/html"}
    for address in (page, "/measures"):
        assert measure["name"] not in unescape(module_client.get(address, headers=html).text)
    assert module_client.get(page, headers=html).status_code == 404
    for code in ("en", "nl", "fr"):
        answer = module_client.get(page, headers=professional, params={"lang": code})
        assert answer.headers["cache-control"] == "private, no-cache"
        text = unescape(answer.text)
        assert evaluation["sentence"][code][0] in text
        assert f"{page}/report.pdf?evaluation={evaluation['evaluation_id']}&lang={code}" in text
        report = unescape(
            module_client.get(evaluation["links"]["html"], headers=professional, params={"language": code}).text
        )
        table = re.search(r'<table class="changes">(.*?)</table>', text, re.DOTALL)
        assert table
        cells = [cell for cell in re.findall(r'<td class="n">([^<]*)</td>', table[1]) if cell]
        assert len(cells) >= 2
        assert [cell for cell in cells if cell not in report] == []
    module_client.cookies.clear()
    assert "canary stalls" in unescape(module_client.get(page, headers=professional).text)
    for address in (measure["links"]["self"], evaluation["links"]["self"]):
        assert module_client.patch(address, headers=professional, json={"published": True}).status_code == 200
    public = unescape(module_client.get(page, headers=html).text)
    assert evaluation["sentence"]["en"][0] in public
    assert "canary stalls" not in public  # marked, and not published
    assert measure["name"] in unescape(module_client.get("/measures", headers=html).text)
    for address in (measure["links"]["self"], evaluation["links"]["self"]):
        assert module_client.patch(address, headers=professional, json={"published": False}).status_code == 200


def test_what_was_marked_in_the_year_before_is_left_out_of_the_history_too(
    module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any], streets: list[int]
) -> None:
    day = MEASURE - timedelta(days=300)
    event = {"segment_id": streets[0], "kind": "road_works", "title": "new sewers", "from_at": f"{day}T06:00:00Z",
             "until_at": f"{day}T20:00:00Z", "excludes": True}  # fmt: skip
    assert module_client.post("/api/v1/events", headers=professional, json=event).status_code == 201
    file = module_client.get(f"{measure['links']['self']}/file", headers=professional)
    assert day in [row["first"] for row in tomllib.loads(file.text)["excluded"]]
