"""Have a measure evaluated as a patient client does: ask, then look at the job until it has ended."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import httpx


def ended(client: httpx.Client, headers: Mapping[str, str], address: str, wait_s: float = 300) -> dict[str, Any]:
    """Return a job once it has ended."""
    until = time.monotonic() + wait_s
    while True:
        response = client.get(address, headers=headers)
        assert response.status_code == 200, response.text
        job: dict[str, Any] = response.json()
        if job["state"] not in {"waiting", "running"}:
            return job
        assert time.monotonic() < until, job
        time.sleep(0.2)


def evaluation_of(client: httpx.Client, headers: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evaluation that answers a request."""
    response = client.post("/api/v1/evaluations", headers=headers, json=body)
    assert response.status_code == 202, response.text
    assert response.headers["location"] == response.json()["links"]["self"]
    job = ended(client, headers, response.headers["location"])
    assert job["state"] == "done", job
    answer = client.get(job["links"]["evaluation"], headers=headers)
    assert answer.status_code == 200, answer.text
    evaluation: dict[str, Any] = answer.json()
    return evaluation
