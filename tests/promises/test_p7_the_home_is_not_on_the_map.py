"""P7: where a sensor stands, what it is called and whose it is occur in no public answer, file or page."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
from tests.api.conftest import served
from tests.api.streets import add_reports, add_segment, add_sensor, plausible_days

from telstraat_api.app import create_app
from telstraat_api.settings import ApiSettings
from telstraat_contract.quarters import quarter_start
from telstraat_store.counts.rollup import refresh_all

NAME, MAIL, NOTE, WIFI = "lindenstraat-12-first-floor", "neighbour@example.org", "behind the blue door", "50.87654321"
PAGES = ("/", "/measures", "/docs", "/sign-in", "/street/{segment_id}")


def public_addresses(segment: int, sensor: int, instance: int, day: str) -> list[tuple[str, str]]:
    """Every operation that reads without a key, with what is there, and the pages."""
    results = [("GET", page.replace("{segment_id}", str(segment))) for page in PAGES]
    for path, methods in create_app(ApiSettings()).openapi()["paths"].items():
        for method, operation in methods.items():
            reads = method == "get" or not path.startswith("/api/v1")
            if not reads or operation.get("x-role", "public") != "public" or path.endswith("/live"):
                continue
            address = path.replace("{segment_id}", str(segment)).replace("{instance_id}", str(instance))
            address = address.replace("{mac_id}", str(sensor)).replace("{first}", day).replace("{last}", day)
            forms = ["csv", "parquet", "arrow"] if path.endswith("file.{form}") else ["html"]
            results += [(method.upper(), re.sub(r"\{\w+\}", "1", address.replace("{form}", form))) for form in forms]
    return results


def test_no_public_answer_file_or_page_tells_of_the_home(database: str) -> None:
    end = quarter_start(datetime.now(UTC))
    day = (end - timedelta(days=1)).date().isoformat()
    with psycopg.connect(database, autocommit=True) as connection:
        segment = add_segment(connection)
        sensor = add_sensor(connection, NAME, segment)
        connection.execute("insert into account (email, role) values (%s, 'citizen')", (MAIL,))
        connection.execute("update sensor set account_id = (select account_id from account)")
        connection.execute("update installation set note = %s", (NOTE,))
        connection.execute("update sensor_health set health = jsonb_build_object('place', %s::text)", (WIFI,))
        [instance] = connection.execute("select installation_id from installation").fetchone() or [0]
        add_reports(connection, plausible_days(sensor, end - timedelta(days=2), end))
        refresh_all(connection)
    body = {"level": "segments", "id": segment, "time_start": f"{day} 00:00:00Z", "time_end": f"{day} 12:00:00Z",
            "duration": "month", "month": day[:7], "area": "full"}  # fmt: skip
    query = {"segments": str(segment), "from": day, "bucket": "hour"}
    read = 0
    with served(ApiSettings(dsn=database)) as address, httpx.Client(base_url=address, timeout=60) as client:
        for method, path in public_addresses(segment, sensor, instance, day):
            params = query if "/reports" in path and method == "GET" else None
            answer = client.request(method, path, json=body if method == "POST" else None, params=params)
            assert answer.status_code < 500, path
            read += answer.status_code == 200
            content = answer.content + str(answer.headers).encode()
            for secret in (NAME, MAIL, NOTE, WIFI):
                assert secret.encode() not in content, f"{method} {path} tells {secret}"
        sides = client.get(f"/v1/cameras/segment/{segment}").json()["camera"]
        assert {(side["user_id"], side["direction"]) for side in sides} == {
            (0, True)
        }  # the same for all: no side is told
    assert read > 40
