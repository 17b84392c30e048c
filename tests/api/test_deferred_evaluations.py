"""Evaluations as jobs: who waits, who asks twice, what is known already, what has changed since, and who may see and end them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest
from tests.analytics.streets import MEASURE, town
from tests.api.conftest import served
from tests.api.evaluated import ended, evaluation_of
from tests.api.streets import add_imported_town
from tests.api.test_access import bearing, let_in

from telstraat_api.client import Client
from telstraat_api.settings import ApiSettings

HOURS = [8, 9, 17]


@pytest.fixture(scope="module")
def module_address(module_database: str) -> Iterator[str]:
    """An API that computes what it is asked for by itself, as that of a small town does."""
    with served(ApiSettings(dsn=module_database, quarter_min=0, pool_max=4, keep_s=0, jobs_at_once=1)) as address:
        yield address


@pytest.fixture(scope="module")
def module_client(module_address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=module_address, timeout=90) as client:
        yield client


@pytest.fixture(scope="module")
def streets(module_connection: psycopg.Connection) -> list[int]:
    frame = town(71, ("a", "b", "c"), before=70, after=35, effects={"a": {"car": -0.5}})
    return add_imported_town(module_connection, frame)


@pytest.fixture(scope="module")
def key(module_connection: psycopg.Connection) -> str:
    return let_in(module_connection, "professional")


@pytest.fixture(scope="module")
def professional(key: str) -> dict[str, str]:
    return bearing(key)


@pytest.fixture(scope="module")
def measure(module_client: httpx.Client, professional: dict[str, str], streets: list[int]) -> dict[str, Any]:
    body = {
        "name": "Scheme",
        "first_day": MEASURE.isoformat(),
        "treated": streets[:1],
        "controls": streets[1:],
        "after_days": 28,
    }
    answer: dict[str, Any] = module_client.post("/api/v1/measures", headers=professional, json=body).json()
    return answer


@pytest.fixture(scope="module")
def evaluation(module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any]) -> dict[str, Any]:
    body = {"measure_id": measure["measure_id"], "questions": [{"what": "car", "hours": HOURS}]}
    return evaluation_of(module_client, professional, body)


def test_a_job_says_how_far_it_is_and_its_first_answers_stand_in_the_evaluation(
    module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    [row] = module_client.get("/api/v1/jobs", headers=professional, params={"measure": measure["measure_id"]}).json()[
        "jobs"
    ]
    job = module_client.get(row["links"]["self"], headers=professional).json()
    assert (job["state"], job["progress"], job["tries"], job["mine"]) == ("done", 1, 1, True)
    assert job["result"]["evaluation_id"] == evaluation["evaluation_id"]
    assert not job["result"]["known"]
    [first] = job["first"]["answers"]
    [street] = evaluation["result"]["evaluations"][0]["streets"]
    assert (first["street"], first["role"], first["effect"]) == ("Street a", "treated", street["effect"])
    assert row["first"] is None


def test_who_waits_gets_the_evaluation_itself_or_the_reason_for_none(
    module_client: httpx.Client, professional: dict[str, str], measure: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    waiting = {**professional, "Prefer": "wait=60"}
    body = {"measure_id": measure["measure_id"], "questions": evaluation["questions"]}
    answer = module_client.post("/api/v1/evaluations", headers=waiting, json=body)
    assert (answer.status_code, answer.json()["evaluation_id"]) == (201, evaluation["evaluation_id"])
    assert answer.headers["location"] == evaluation["links"]["self"]
    early = {"name": "Long ago", "first_day": "2010-03-01", "treated": measure["treated"]}
    number = module_client.post("/api/v1/measures", headers=professional, json=early).json()["measure_id"]
    refused = module_client.post("/api/v1/evaluations", headers=waiting, json={"measure_id": number})
    assert (refused.status_code, refused.json()["type"]) == (422, "/problems/not-evaluated")
    assert "the database has no hours of segments" in refused.json()["detail"]
    [job] = module_client.get("/api/v1/jobs", headers=professional, params={"measure": number}).json()["jobs"]
    assert (job["state"], job["error"]) == ("failed", refused.json()["detail"])
    # Another measure in the street is an input of every evaluation there.
    assert module_client.delete(f"/api/v1/measures/{number}", headers=professional).status_code == 200


def test_the_same_question_on_the_same_inputs_is_answered_by_what_is_known(
    module_client: httpx.Client,
    module_connection: psycopg.Connection,
    professional: dict[str, str],
    measure: dict[str, Any],
    evaluation: dict[str, Any],
) -> None:
    body = {"measure_id": measure["measure_id"], "questions": evaluation["questions"]}
    pressed = [module_client.post("/api/v1/evaluations", headers=professional, json=body).json() for _ in range(20)]
    assert len({job["job_id"] for job in pressed}) <= 2  # one, unless it had ended in between
    for job in pressed:
        result = ended(module_client, professional, job["links"]["self"])["result"]
        assert (result["evaluation_id"], result["known"]) == (evaluation["evaluation_id"], True)
    colleague = bearing(let_in(module_connection, "professional", email="colleague@example.org"))
    copy = evaluation_of(module_client, colleague, body)
    assert copy["evaluation_id"] != evaluation["evaluation_id"]
    assert copy["result"] == evaluation["result"]
    assert copy["inputs"] == evaluation["inputs"]
    assert module_client.delete(copy["links"]["self"], headers=colleague).status_code == 200


def test_other_counts_another_measure_and_other_code_are_seen(
    module_client: httpx.Client,
    module_connection: psycopg.Connection,
    professional: dict[str, str],
    measure: dict[str, Any],
    evaluation: dict[str, Any],
) -> None:
    def changed() -> list[str]:
        answer = module_client.get(evaluation["links"]["inputs"], headers=professional)
        assert answer.status_code == 200, answer.text
        names: list[str] = answer.json()["changed"]
        assert ("other counts" in answer.json()["sentence"]["en"]) == ("counts" in names)
        return names

    assert changed() == []
    one_hour = (
        "where segment_id = %(segment)s and hour_start ="
        " (select min(hour_start) from imported_hour where segment_id = %(segment)s)"
    )
    values = {"segment": measure["treated"][0]}
    module_connection.execute(f"update imported_hour set car_lft = car_lft + 1 {one_hour}", values)
    assert changed() == ["counts"]
    module_connection.execute(f"update imported_hour set car_lft = car_lft - 1 {one_hour}", values)
    address = measure["links"]["self"]
    assert module_client.patch(address, headers=professional, json={"after_days": 27}).status_code == 200
    assert changed() == ["measure"]
    assert module_client.patch(address, headers=professional, json={"after_days": 28}).status_code == 200
    assert changed() == []
    change = "update evaluation set inputs = (inputs::jsonb || jsonb_build_object('code', %s::text))::json where evaluation_id = %s"
    for code, names in (("of another version", ["code"]), (evaluation["inputs"]["code"], [])):
        module_connection.execute(change, (code, evaluation["evaluation_id"]))
        assert changed() == names


def test_jobs_are_seen_and_cancelled_by_their_owner_and_by_operators_only(
    module_client: httpx.Client,
    module_connection: psycopg.Connection,
    professional: dict[str, str],
    measure: dict[str, Any],
) -> None:
    body = {"measure_id": measure["measure_id"], "note": "cancelled", "questions": [{"hours": HOURS}], "by": ["hour"]}
    job = module_client.post("/api/v1/evaluations", headers=professional, json=body).json()
    address = job["links"]["self"]
    stranger = bearing(let_in(module_connection, "professional", email="stranger@example.org"))
    operator = bearing(let_in(module_connection, "operator"))
    assert module_client.get(address).status_code == 401
    for method in ("GET", "DELETE"):
        assert module_client.request(method, address, headers=stranger).status_code == 404
    assert module_client.post(f"{address}/retry", headers=stranger).status_code == 404
    assert module_client.get("/api/v1/jobs", headers=stranger).json()["jobs"] == []
    listed = module_client.get("/api/v1/jobs", headers=operator, params={"limit": 1}).json()
    assert [row["job_id"] for row in listed["jobs"]] == [job["job_id"]]
    assert listed["next"] == f"/api/v1/jobs?before={job['job_id']}&limit=1"
    cancelled = module_client.delete(address, headers=operator)
    assert (cancelled.status_code, cancelled.json()["state"]) == (200, "cancelled")
    assert module_client.delete(address, headers=professional).json()["state"] == "cancelled"
    again = module_client.post(f"{address}/retry", headers=professional).json()
    assert again["state"] in {"waiting", "running"}
    assert ended(module_client, professional, address)["state"] == "done"
    late = (
        module_client.delete(address, headers=professional),
        module_client.post(f"{address}/retry", headers=professional),
    )
    for refused in late:
        assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")


def test_a_measure_that_is_deleted_takes_its_jobs_along(
    module_client: httpx.Client, module_connection: psycopg.Connection, professional: dict[str, str], streets: list[int]
) -> None:
    body = {"name": "Short-lived", "first_day": MEASURE.isoformat(), "treated": streets[:1], "controls": streets[1:]}
    measure = module_client.post("/api/v1/measures", headers=professional, json=body).json()
    order = {"measure_id": measure["measure_id"]}
    job = module_client.post("/api/v1/evaluations", headers=professional, json=order).json()
    assert module_client.delete(measure["links"]["self"], headers=professional).status_code == 200
    assert module_client.get(job["links"]["self"], headers=professional).status_code == 404
    assert module_client.post("/api/v1/evaluations", headers=professional, json=order).status_code == 422
    row = module_connection.execute("select count(*) from evaluation where measure_id = %s", (measure["measure_id"],))
    assert row.fetchone() == (0,)


def test_the_client_waits_for_the_evaluation_and_tells_why_there_is_none(
    module_address: str, key: str, measure: dict[str, Any], evaluation: dict[str, Any]
) -> None:
    with Client(module_address, key) as client:
        answer = client.evaluate(measure["measure_id"], *evaluation["questions"])
        assert answer.evaluation_id == evaluation["evaluation_id"]
        job = client.defer_evaluation(measure["measure_id"], {"what": "bike", "hours": HOURS})
        assert client.cancel(job.job_id).state == "cancelled"
        assert client.job(job.job_id).state == "cancelled"
