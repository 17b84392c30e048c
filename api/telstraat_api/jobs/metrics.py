"""Prometheus metrics of jobs; docs/operations.md explains each."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge

STATES = ("waiting", "running", "done", "failed", "cancelled", "expired")


class JobMetrics:
    """The metrics of one worker, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.jobs = Gauge(
            "telstraat_jobs",
            "Jobs in the database, those that ended in the last month",
            ["state"],
            registry=self.registry,
        )
        self.database_up = Gauge("telstraat_jobs_database_up", "1 while the database answers", registry=self.registry)
        self.ended = Counter(
            "telstraat_jobs_ended", "Jobs that this worker has ended", ["kind", "how"], registry=self.registry
        )

    def show(self, jobs: Mapping[str, int] | None) -> None:
        """Take over how many jobs there are by state; None while the database does not answer."""
        self.database_up.set(jobs is not None)
        if jobs is None:
            return
        for state in STATES:
            self.jobs.labels(state).set(jobs.get(state, 0))
