"""The town's sensors as clients of the broker, from the moment up to which their past was filled: a real outbox and receipts each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from telstraat_demo.town.history import Drawn
from telstraat_demo.town.registration import PASSWORDS
from telstraat_device.delivery.outbox import Outbox
from telstraat_firmware_sim.fleet.publish import FleetClock, FleetPublisher, Wire

STATE = "sensors"
AHEAD = timedelta(days=2)
"""How long the sensors send before the next stretch is drawn."""
SPREAD_S = 20.0


def sent_until(folder: Path, sensor: str) -> datetime | None:
    """Return until when a sensor has closed its quarters as a client, whether or not they have been sent; None: never."""
    state = folder / STATE / sensor
    if not state.is_dir():
        return None
    outbox = Outbox(state, sensor)
    try:
        closed_until_s = outbox.begin()[0].closed_until_s
    finally:
        outbox.close()
    return datetime.fromtimestamp(closed_until_s, UTC) if closed_until_s else None


def clients_of(
    folder: Path, broker_url: str, drawn: Iterable[tuple[Drawn, datetime]], start: datetime
) -> FleetPublisher:
    """Return the sensors that still count, with their reports from when each is a client; they are not started yet."""
    end = start + AHEAD
    reports = {
        each.watch.sensor: list(each.reports(since, end))
        for each, since in drawn
        if each.watch.until_at is None or each.watch.until_at > start
    }
    address = urlsplit(broker_url)
    wire = Wire(
        host=address.hostname or "127.0.0.1",
        port=address.port or 1883,
        passwords=folder / PASSWORDS,
        state=folder / STATE,
        spread_s=SPREAD_S,
    )
    return FleetPublisher(reports, wire, FleetClock(start, end, wall_s=start.timestamp()))
