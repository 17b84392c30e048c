"""A published client of Telraam's API, unmodified but for the address, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
from tests.api.streets import a_neighbourhood

from telstraat_contract.quarters import quarter_start

PROGRAM = """
import json, sys
import telraam_data.download as client
client.TELRAAM_API_URL = sys.argv[1] + "/v0"
first, last, segment = sys.argv[2:]
hours = client.download_segment(segment, first, last, fmt="per-hour")
days = client.download_segment(segment, first, last)
print(json.dumps({
    "segments": sorted(client.list_segments()),
    "near": sorted(client.list_segments_by_coordinates(lat=50.878, lon=4.701, radius=1)),
    "far": client.list_segments_by_coordinates(lat=48.9, lon=2.3, radius=10),
    "hours": len(hours), "days": len(days), "columns": list(hours.columns), "cars": float(hours["car"].sum()),
}))
"""


def test_telraam_data_from_pypi_downloads_hours_and_days(client: httpx.Client, connection: psycopg.Connection) -> None:
    end = quarter_start(datetime.now(UTC))
    segments = a_neighbourhood(connection, end, days=4)
    window = [f"{(end - timedelta(days=ago)).date()} 00:00:00Z" for ago in (3, 0)]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(client.base_url).rstrip("/"), *window, str(segments[0])],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["segments"] == content["near"] == segments
    assert content["far"] == []
    assert 60 <= content["hours"] <= 72
    assert 2 <= content["days"] <= 4
    assert {"date", "uptime", "car", "bike_lft", "v85"} <= set(content["columns"])
    assert content["cars"] > 100
