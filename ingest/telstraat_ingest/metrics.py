"""Prometheus metrics, one for each rung that a report climbs; docs/operations.md explains every one."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60)
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 20_000)


class Metrics:
    """The metrics of one ingester, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, gauge = self._counter, self._gauge
        self.received = counter("received", "Messages taken from the broker")
        self.received_bytes = counter("received_bytes", "Bytes of payload taken from the broker")
        self.decoded = counter("decoded", "Messages that are what their topic promises", "channel")
        self.quarantined = counter("quarantined", "Messages put into quarantine", "reason")
        self.inserted = counter("inserted", "Reports that are new in the table")
        self.duplicates = counter("duplicates", "Reports that the table had already, unchanged")
        self.late = counter("late", "Reports that came later than late_after_s after their quarter")
        self.batches = counter("batches", "Batches committed")
        self.splits = counter(
            "batch_splits", "Times that a batch was split to find the message that the database refuses"
        )
        self.acknowledged = counter("acknowledged", "Messages acknowledged to the broker, after the commit")
        self.receipts = counter("receipts", "Receipts published to sensors, after the commit")
        self.throttled = counter("throttled", "Messages left out because their sensor sends more than one may")
        self.live = counter("live_relayed", "Live messages passed on to the pages")
        self.broker_connects = counter("broker_connects", "Times that the broker accepted us")
        self.database_failures = counter("database_failures", "Times that a batch could not be written and was kept")
        self.failures = counter("failures", "Errors that nobody foresaw; the log has the trace", "where")
        self.rollups = counter("rollup_marks", "Marks of changed sensor hours worked off")
        self.batch_size = self._histogram("batch_size", "Messages in a batch", _SIZES)
        self.decode_seconds = self._histogram("decode_seconds", "Time to decode a batch", _SECONDS)
        self.write_seconds = self._histogram("write_seconds", "Time to write and commit a batch", _SECONDS)
        self.wait_seconds = self._histogram(
            "wait_seconds", "Time from arrival to commit of a batch's first message", _SECONDS
        )
        self.pending = gauge("pending", "Messages taken and not yet committed")
        self.broker_up = gauge("broker_up", "1 while the broker is connected")
        self.database_up = gauge("database_up", "1 while the database takes batches")
        self.database_refuses = gauge(
            "database_refuses", "1 while the database is there and refuses every batch: rights, read-only, schema"
        )
        self.last_commit = gauge("last_commit_timestamp_seconds", "When a batch was committed last")
        self.missing = gauge("missing_reports", "Reports that ingest has asked for again and that have not come")
        self.lost = gauge("lost_reports", "Reports that devices have announced as lost")
        self.dirty = gauge("rollup_dirty", "Marks of changed sensor hours that wait to be added up again")
        self.silent = gauge("silent_sensors", "Installed sensors without a report for two hours")
        self.throttled_sensors = gauge(
            "throttled_sensors", "Sensors of which messages were left out in the last 5 minutes"
        )
        self.shared_names = gauge("shared_names", "Sensors whose quarters of the last day two devices have observed")
        self.partition_days = gauge("partition_days_ahead", "Days until the last partition ends")
        self.disk_used = gauge("disk_used_ratio", "Used share of the database's disk, where disk_path is set")
        self.database_bytes = gauge("database_bytes", "Size of the database")

    def value(self, name: str, **labels: str) -> float:
        """Return what a metric says now, by its name without the prefix; 0 for a label that was never counted."""
        return self.registry.get_sample_value(f"telstraat_ingest_{name}", labels) or 0.0

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace="telstraat_ingest", registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, namespace="telstraat_ingest", registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(name, text, namespace="telstraat_ingest", buckets=buckets, registry=self.registry)
