"""What the schema says is what is served: schemathesis over every operation that ends, and docs in step with the routes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.api.conftest import NOON
from tests.api.streets import a_neighbourhood
from tests.api.test_access import let_in

from telstraat_api.app import create_app
from telstraat_api.settings import ApiSettings

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_every_operation_keeps_to_its_schema(
    module_client: httpx.Client, module_connection: psycopg.Connection, tmp_path: Path
) -> None:
    streets = a_neighbourhood(module_connection, NOON, days=1)
    for _ in range(5):  # the numbers that are tried first: a key must not revoke itself
        let_in(module_connection, "citizen")
    key = let_in(module_connection, "operator")
    for _ in range(5):
        something_of_each_kind(module_client, key, streets)
    address = str(module_client.base_url).rstrip("/")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "schemathesis.cli", "--config-file", Path(__file__).parent / "schemathesis.toml",
         "run", f"{address}/api/v1/openapi.json", "-H", f"Authorization: Bearer {key}", "--url", address, "--seed", "1", "-n", "4", "--no-color",
         "--phases", "examples,coverage,fuzzing", "--exclude-path", "/api/v1/segments/{segment_id}/live"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12000:]
    assert re.search(r"(\d+) generated, \1 passed", done.stdout), done.stdout[-2000:]


def something_of_each_kind(client: httpx.Client, key: str, streets: list[int]) -> None:
    """Make a measure, an event and a workshop, so that more than refusals is tried."""
    bodies = {
        "measures": {"name": "School street", "first_day": "2026-03-02", "treated": streets[:1]},
        "events": {
            "segment_id": streets[0], "title": "Market", "from_at": "2026-03-02T08:00:00Z", "until_at": "2026-03-02T18:00:00Z",
        },
        "workshops": {"title": "An evening", "segments": streets[:2]},
    }  # fmt: skip
    for kind, body in bodies.items():
        assert client.post(f"/api/v1/{kind}", headers={"Authorization": f"Bearer {key}"}, json=body).status_code == 201


def test_every_route_is_in_the_documentation_and_the_other_way_round() -> None:
    app = create_app(ApiSettings())
    routes = {
        f"{method} {path}" for path, methods in app.openapi()["paths"].items() for method in map(str.upper, methods)
    }
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    answers = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`?]*)`", text)) - {"GET /api/v1/openapi.json"}
    assert routes == answers


def test_what_version_1_has_promised_is_kept_and_all_of_it_is_written_down() -> None:
    from api_promises import FILE, broken, promised

    now = promised(create_app(ApiSettings()).openapi())
    before = json.loads(FILE.read_text(encoding="utf-8"))
    assert broken(before, now) == []
    assert now == before, "something is new: run python scripts/api_promises.py"


def test_a_broken_promise_is_found() -> None:
    from api_promises import broken, promised

    before = promised(create_app(ApiSettings()).openapi())
    now = json.loads(json.dumps(before))
    del now["operations"]["GET /api/v1/sensors"]
    now["operations"]["GET /api/v1/segments"]["parameters"].remove("after")
    now["operations"]["GET /api/v1/measures"]["role"] = "operator"
    now["fields"]["PeriodShape"]["uptime"] = "string"
    del now["fields"]["Sensor"]["online"]
    assert len(broken(before, now)) == 5
    assert broken(before, {**before, "fields": {**before["fields"], "New": {"one": "string"}}}) == []
