"""A batch on its way to the database: what its messages say, sorted by what is done with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from telstraat_contract.messages import Health, Live, Report, Status
from telstraat_ingest.writing.decode import Decoder
from telstraat_ingest.writing.quarantine import Arrival, Reason, Rejected
from telstraat_store.reports import copy_rows


@dataclass(frozen=True)
class Dates:
    """The quarters that are taken: not too old, not ahead of our clock."""

    max_age_days: int = 400
    max_ahead_s: int = 600

    def refusal(self, start: datetime, now: datetime) -> tuple[Reason, str] | None:
        """Return why a quarter that begins at `start` is not taken, or nothing."""
        if start > now + timedelta(seconds=self.max_ahead_s):
            return (
                Reason.IN_THE_FUTURE,
                f"begins {start.isoformat()}, {start - now} ahead of this clock ({now.isoformat()})",
            )
        if start < now - timedelta(days=self.max_age_days):
            return Reason.TOO_OLD, f"begins {start.isoformat()}, more than {self.max_age_days} days ago"
        return None


@dataclass
class Batch:
    """Messages that are written in one transaction, all or none."""

    arrivals: list[Arrival] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    reports: list[tuple[Arrival, Report, bytes]] = field(default_factory=list)
    """With what `copy_rows.measured` makes of each: packed here, while another batch is being written."""
    health: list[tuple[Arrival, Health]] = field(default_factory=list)
    status: list[tuple[Arrival, Status]] = field(default_factory=list)
    live: list[tuple[Arrival, Live]] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def halves(self) -> tuple[Batch, Batch]:
        """Return the batch in two, in the order of arrival."""
        middle = len(self.arrivals) // 2
        first = {id(arrival) for arrival in self.arrivals[:middle]}
        parts = Batch(self.arrivals[:middle], self.now), Batch(self.arrivals[middle:], self.now)
        for name in ("reports", "health", "status", "live"):
            for item in getattr(self, name):
                getattr(parts[id(item[0]) not in first], name).append(item)
        for rejected in self.rejected:
            parts[id(rejected.arrival) not in first].rejected.append(rejected)
        return parts

    def as_rejected(self, reason: Reason, detail: str, *, is_bare: bool = False) -> Batch:
        """Return the same messages, all on their way to quarantine."""
        rejected = [Rejected(arrival, reason, detail, is_bare=is_bare) for arrival in self.arrivals]
        return Batch(list(self.arrivals), self.now, rejected=rejected)


def read_batch(arrivals: Sequence[Arrival], decoder: Decoder, dates: Dates, now: datetime | None = None) -> Batch:
    """Decode the arrivals of a batch and sort them."""
    now = now or datetime.now(UTC)
    earliest = now - timedelta(days=dates.max_age_days)
    latest = now + timedelta(seconds=dates.max_ahead_s)
    batch = Batch(list(arrivals), now)
    for arrival in arrivals:
        decoded = decoder.read(arrival)
        if isinstance(decoded, Rejected):
            batch.rejected.append(decoded)
            continue
        message = decoded[1]
        if type(message) is Report:
            if not earliest <= message.period_start <= latest:
                refusal = dates.refusal(message.period_start, now)
                assert refusal is not None
                batch.rejected.append(Rejected(arrival, *refusal))
            else:
                batch.reports.append((arrival, message, copy_rows.measured(message)))
        elif type(message) is Health:
            batch.health.append((arrival, message))
        elif type(message) is Status:
            batch.status.append((arrival, message))
        elif type(message) is Live:
            batch.live.append((arrival, message))
    return batch
