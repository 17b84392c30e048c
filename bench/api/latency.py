"""How long people wait for pages and answers at a steady rate, whoever else asks: an open loop over random streets.

    python -m bench.api.latency --dsn DSN [--rate 50] [--seconds 30] [--json OUT]

`telstraat api` is started on the database. Every request has its time in advance and is sent then, whether or not those
before it are answered; its latency counts from that time, so that waiting counts. Each kind is asked some times before,
and the first three seconds do not count.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psycopg
from bench.api.throughput import served
from bench.store.questions import cpu_s

RATE = 50.0
WARM_S = 3.0
WARM_TIMES = 12
TIMEOUT_S = 30.0
MIX = {
    "a street's page": 35,
    "the map's page": 10,
    "a street, a week of hours": 25,
    "a street, 90 days of days": 15,
    "streets in a box, an hour": 5,
    "200 streets": 5,
    "health": 5,
}
"""Of a hundred requests."""


@dataclass(frozen=True)
class Kind:
    """What was measured of one kind of request, or of all."""

    name: str
    requests: int
    failed: int
    p50_ms: float
    p99_ms: float
    cpu_ms: float  # of the API's process for one request, the mean of all kinds


@dataclass(frozen=True)
class Planned:
    """One request: when, and what."""

    at_s: float
    name: str
    method: str
    path: str
    body: dict[str, Any] | None = None


def plan(segments: list[int], rate: float, seconds: float, now: datetime) -> list[Planned]:
    """Return what is asked and when: Poisson arrivals, kinds by their share, streets by chance."""
    chosen = random.Random(5)
    hour = (now - timedelta(hours=1)).replace(minute=0, second=0, microsecond=0)
    at_s, planned = 0.0, []
    while (at_s := at_s + chosen.expovariate(rate)) < seconds:
        place = chosen.choice(segments)
        (name,) = chosen.choices(list(MIX), list(MIX.values()))
        method, path, body = "GET", "/healthz", None
        if name == "a street's page":
            path = f"/street/{place}"
        elif name == "the map's page":
            path = "/"
        elif name == "a street, a week of hours":
            path = f"/api/v1/segments/{place}/reports?bucket=hour"
        elif name == "a street, 90 days of days":
            path = f"/api/v1/segments/{place}/reports?bucket=day&from={(now - timedelta(days=90)).date()}"
        elif name == "200 streets":
            path = f"/api/v1/segments?after={max(0, place - 200)}&limit=200"
        elif name == "streets in a box, an hour":
            west, south = 4.0 + chosen.random() * 0.13, 50.5 + chosen.random() * len(segments) * 1e-5
            method, path = "POST", "/v1/reports/traffic_snapshot"
            body = {"time": hour.strftime("%Y-%m-%d %H:00:00Z"), "contents": "minimal"}
            body["area"] = f"{west:.4f},{south:.4f},{west + 0.015:.4f},{south + 0.01:.4f}"
        planned.append(Planned(at_s, name, method, path, body))
    return planned


async def run(address: str, planned: list[Planned]) -> list[tuple[Planned, float, bool]]:
    """Send everything at its time; return each with its milliseconds and whether it was answered."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with httpx.AsyncClient(base_url=address, timeout=TIMEOUT_S, limits=limits) as client:
        began_s = time.perf_counter()

        async def send(item: Planned) -> tuple[Planned, float, bool]:
            await asyncio.sleep(max(0.0, began_s + item.at_s - time.perf_counter()))
            try:
                answer = await client.request(item.method, item.path, json=item.body)
                is_well = answer.status_code == 200
            except httpx.HTTPError:
                is_well = False
            return item, (time.perf_counter() - began_s - item.at_s) * 1000, is_well

        return await asyncio.gather(*(send(item) for item in planned))


def warm_up(address: str, planned: list[Planned]) -> None:
    """Ask for every kind some times, one after the other: what is loaded at first use is loaded, queries are prepared."""
    with httpx.Client(base_url=address, timeout=120) as client:
        for name in MIX:
            for request in [request for request in planned if request.name == name][:WARM_TIMES]:
                client.request(request.method, request.path, json=request.body)


def kinds_of(answers: list[tuple[Planned, float, bool]], cpu_ms: float) -> list[Kind]:
    """Return what was measured, by kind and of all."""
    kinds = []
    for name in ("all", *MIX):
        chosen = [
            (ms, well) for request, ms, well in answers if request.at_s >= WARM_S and name in {"all", request.name}
        ]
        if chosen:
            p50, p99 = np.percentile([ms for ms, _ in chosen], [50, 99])
            kinds.append(Kind(name, len(chosen), sum(not well for _, well in chosen), float(p50), float(p99), cpu_ms))
    return kinds


def measure_api(dsn: str, seconds: float, rate: float = RATE) -> list[Kind]:
    """Start the API on a database and ask it at a rate."""
    with psycopg.connect(dsn) as connection:
        segments = [row[0] for row in connection.execute("select segment_id from segment order by 1")]
    planned = plan(segments, rate, seconds + WARM_S, datetime.now(UTC))
    with served(dsn) as (address, pid):
        warm_up(address, planned)
        before_s = cpu_s(pid)
        answers = asyncio.run(run(address, planned))
        return kinds_of(answers, (cpu_s(pid) - before_s) * 1000 / len(planned))


def main() -> int:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dsn", required=True)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    kinds = measure_api(args.dsn, args.seconds, args.rate)
    for kind in kinds:
        print(
            f"{kind.name:<30} {kind.requests:6} asked {kind.failed:4} failed  p50 {kind.p50_ms:8.1f}  p99 {kind.p99_ms:8.1f} ms"
        )
    if args.json:
        args.json.write_text(json.dumps([asdict(kind) for kind in kinds], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
