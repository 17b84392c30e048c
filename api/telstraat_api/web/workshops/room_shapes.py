"""What a room tells its browsers, as JSON: the room itself, notes, groups, votes; and what a phone sends, checked."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson

from telstraat_api.http.answers import stamp
from telstraat_api.web.forms import NO_NUMBER, PageForm
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_users import CLASSES
from telstraat_store.connection import Row
from telstraat_store.counts.windows import local_midnight, zone
from telstraat_store.work.room_changes import RoomChanges
from telstraat_store.work.room_notes import RoomNote

BODY_MAX = 500
KINDS = ("observation", "cause", "proposal")
CHANGE_MAX = 500
CHOOSE = gettext_noop("Please choose.")


def note_shape(row: Row, *, is_lead: bool) -> dict[str, Any]:
    """Return a note; of one that is gone, or hidden from whoever asks, only that it is."""
    if row["deleted_at"] is not None or (row["hidden"] and not is_lead):
        return {"id": row["note_id"], "gone": True}
    shape = {
        "id": row["note_id"],
        "kind": row["kind"],
        "body": row["body"],
        "pin": row["pin"],
        "expected": row["expected"],
        "group": row["group_id"],
        "votes": row["votes"],
        "by": row["first_name"],
        "at": stamp(row["created_at"]),
    }
    return {**shape, "hidden": row["hidden"], "who": row["participant_id"]} if is_lead else shape


def group_shape(row: Row) -> dict[str, Any]:
    """Return a group of notes."""
    if row["deleted_at"] is not None:
        return {"id": row["group_id"], "gone": True}
    return {"id": row["group_id"], "title": row["title"], "votes": row["votes"]}


def state_shape(row: Row) -> dict[str, Any]:
    """Return the room itself."""
    return {
        "title": row["title"],
        "question": row["question"],
        "phase": row["phase"],
        "collecting": row["is_collecting"],
        "votes_each": row["votes_each"],
        "looked_at": row["looked_at"],
        "timer": stamp(row["timer_until"]),
        "open": row["is_open"],
        "ends_at": stamp(row["ends_at"]),
    }


def changes_shape(changes: RoomChanges, since: int, *, is_lead: bool) -> dict[str, Any]:
    """Return what changed after a revision: `since` 0 is everything. `now` is the server's clock, which timers go by."""
    shape: dict[str, Any] = {
        "revision": changes.revision,
        "since": since,
        "now": stamp(changes.now),
        "people": changes.people,
        "voters": changes.voters,
    }
    if changes.room is not None:
        shape["room"] = state_shape(changes.room)
    if changes.notes:
        shape["notes"] = [note_shape(row, is_lead=is_lead) for row in changes.notes]
    if changes.groups:
        shape["groups"] = [group_shape(row) for row in changes.groups]
    votes = {f"n{row['note_id']}": row["votes"] for row in changes.note_votes}
    votes |= {f"g{row['group_id']}": row["votes"] for row in changes.group_votes}
    return {**shape, "votes": votes} if votes else shape


def framed_changes(changes: RoomChanges, since: int, *, is_lead: bool) -> bytes:
    """Return changes as a server-sent event; its id is the revision that the browser has then."""
    data = orjson.dumps(changes_shape(changes, since, is_lead=is_lead))
    return b"id: %d\nevent: changes\ndata: %s\n\n" % (changes.revision, data)


def note_of_form(form: PageForm, zones: Mapping[int, str]) -> RoomNote:
    """Return the note that a form says; what cannot be used is marked in the form. `zones` are the workshop's streets."""
    kind = form.value("kind")
    if kind not in KINDS:
        form.errors["kind"] = CHOOSE
    body = form.text("body", longest=BODY_MAX)
    return RoomNote(client_id_of(form), kind, body, pin_of_form(form, zones), expected_of_form(form))


def client_id_of(form: PageForm) -> UUID:
    """Return the number that the browser has given to what it sends; a new one when it has given none."""
    try:
        return UUID(form.value("client_id"))
    except ValueError:
        return uuid4()


def pin_of_form(form: PageForm, zones: Mapping[int, str]) -> dict[str, Any] | None:
    """Return where a note is pinned: a street, a time (with its end), a place on the map; None for nowhere."""
    pin: dict[str, Any] = {}
    street = form.whole("street", 1, 2**63 - 1, needed=False)
    if street is not None and street not in zones:
        form.errors["street"] = CHOOSE
    elif street is not None:
        pin["segment_id"] = street
    tz = zone(zones.get(street or 0) or next(iter(zones.values()), "UTC"))
    day = form.day("day", needed=False)
    if day is not None:
        hour = form.whole("hour", 0, 23, needed=False)
        start = local_midnight(day, tz)
        end = local_midnight(day + timedelta(days=1), tz)
        if hour is not None:  # by the clock on the wall, also on days of 23 and 25 hours
            start = datetime.combine(day, time(hour), tz).astimezone(UTC)
            end = start + timedelta(hours=1)
        pin |= {"from": stamp(start), "until": stamp(end)}
    place = form.text("place", longest=40, needed=False)
    if place:
        pin |= place_of(form, place)
    return pin or None


def place_of(form: PageForm, text: str) -> dict[str, float]:
    """Return latitude and longitude of `50.88,4.70`; marks the form when that is no place."""
    parts = text.split(",")
    try:
        lat, lon = (round(float(part), 6) for part in parts)
    except ValueError:
        lat, lon = 999.0, 999.0
    if abs(lat) <= 90 and abs(lon) <= 180:
        return {"lat": lat, "lon": lon}
    form.errors["place"] = NO_NUMBER
    return {}


def expected_of_form(form: PageForm) -> dict[str, Any] | None:
    """Return what a proposal is expected to change: a road user and a change in percent; None without."""
    what = form.value("what")
    if not what:
        return None
    if what not in CLASSES:
        form.errors["what"] = CHOOSE
        return None
    change = form.whole("change", 0, CHANGE_MAX, needed=True)
    if change is None:
        return None
    return {"what": what, "change": change if form.value("way") == "more" else -min(change, 100)}
