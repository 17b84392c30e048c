"""What is not among the periods of an answer, and why: nobody watched, it is withheld, or it is not there yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby

from telstraat_store.connection import Connections
from telstraat_store.counts.reading import read_watched
from telstraat_store.counts.states import ON_THE_WAY, State, Stretch, due_at, gaps
from telstraat_store.counts.windows import Bucket, Window, zone

SPANS_MAX = 8
"""So many gaps are looked into each by itself; a year between two of them is not read."""
CONNECTED = """
select distinct i.segment_id from installation i join sensor_health h using (sensor_id)
where i.segment_id = any(%(ids)s) and i.until_at is null and h.online
"""


async def read_gaps(
    connections: Connections,
    zones: Mapping[int, str],
    bucket: Bucket,
    window: Window,
    present: Iterable[tuple[int, datetime]],
) -> list[tuple[int, Stretch]]:
    """Return the gaps between periods by street and time; periods are given by street and start, in order; what is not for whoever asks is `withheld`.

    Nothing is asked of the database for an answer without gaps.
    """
    now = datetime.now(UTC)
    starts = {segment_id: [start for _, start in of] for segment_id, of in groupby(present, key=lambda place: place[0])}

    def stretches_of(segment_id: int, watched: Iterable[datetime], *, online: bool) -> list[Stretch]:
        due = due_at(now, online=online)
        return gaps(window, bucket, zone(zones[segment_id]), starts.get(segment_id, ()), watched, due)

    at_first = {segment_id: stretches_of(segment_id, (), online=False) for segment_id in zones}
    ids = [segment_id for segment_id, of in at_first.items() if of]
    if not ids:
        return []
    connected: set[int] = set()
    if window.end > now - ON_THE_WAY:
        connected = {row["segment_id"] for row in await connections.rows(CONNECTED, {"ids": ids})}
    hidden: dict[int, list[datetime]] = {}
    if connections.is_public:
        for span in spans_of(
            stretch.window for of in at_first.values() for stretch in of if stretch.state is State.MISSING
        ):
            for quarter in await read_watched(connections, ids, span):
                if quarter.observed_s:
                    hidden.setdefault(quarter.segment_id, []).append(quarter.start)
    return [
        (segment_id, stretch)
        for segment_id in ids
        for stretch in stretches_of(segment_id, hidden.get(segment_id, ()), online=segment_id in connected)
    ]


def spans_of(windows: Iterable[Window]) -> list[Window]:
    """Return windows in order without overlaps; as one from the first to the last when they are many."""
    spans: list[Window] = []
    for window in sorted(windows, key=lambda window: window.start):
        if spans and window.start <= spans[-1].end:
            spans[-1] = Window(spans[-1].start, max(spans[-1].end, window.end))
        else:
            spans.append(window)
    return spans if len(spans) <= SPANS_MAX else [Window(spans[0].start, max(span.end for span in spans))]
