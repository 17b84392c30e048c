"""Where a sensor stands: chosen by its owner on the map or in the list, then "walk past now" until the first crossing is seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from telstraat_api.web.forms import PageForm, digits_in, read_form, see_other
from telstraat_api.web.my.moments import local_moment
from telstraat_api.web.my.own_live import SensorNumber
from telstraat_api.web.my.sensor_page import require_own_sensor
from telstraat_api.web.pages import Pages
from telstraat_api.web.projection import box_around, projection_for
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.errors import DuplicateError, NoSuchRecordError
from telstraat_store.places.own_sensors import move_own_sensor, name_directions, search_streets
from telstraat_store.places.segments import find_segment

router = APIRouter(include_in_schema=False)
STREETS_MAX = 40
NAME_MAX = 60
WIDTH, HEIGHT, EDGE = 640, 360, 24
CHOOSE = gettext_noop("Choose a street.")
NO_STREET = gettext_noop("There is no such street.")
HISTORY = gettext_noop("The sensor stands somewhere from then on already: choose a later date.")
TOO_EARLY = gettext_noop("The sensor was not yours then: choose a later date.")
TOO_LATE = gettext_noop("This lies more than a year ahead.")


@dataclass(frozen=True)
class PlacedStreet:
    """A street as it is drawn: its points, and its ends A and B."""

    segment_id: int
    name: str
    points: str
    a: tuple[float, float]
    b: tuple[float, float]


def drawn_streets(streets: Sequence[tuple[int, str, Mapping[str, Any]]]) -> list[PlacedStreet]:
    """Return streets, each with number, name and line, as they lie in a picture of `WIDTH` by `HEIGHT`, north above."""
    lines = [(number, name, geometry["coordinates"]) for number, name, geometry in streets]
    box = box_around(point for _, _, line in lines for point in line)
    if box is None:
        return []
    projection = projection_for(box, WIDTH, (HEIGHT, HEIGHT), edge=EDGE)

    def placed(point: Sequence[float]) -> tuple[float, float]:
        x, y = projection.point(point[0], point[1])
        return round(x, 1), round(y, 1)

    return [
        PlacedStreet(
            number, name, " ".join("{},{}".format(*placed(p)) for p in line), placed(line[0]), placed(line[-1])
        )
        for number, name, line in lines
    ]


async def render_place(
    request: Request, row: Row, form: PageForm, *, words: str, is_new: bool, status: int = 200
) -> Response:
    """Return the page on which a street is chosen; one that is chosen is drawn with its ends, to name the directions."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    async with database.connection() as connection:
        listed = await search_streets(connection, words, STREETS_MAX + 1)
        number = digits_in(form.value("street"))
        picked = None if number is None else await find_segment(connection, number)
    response = pages.render(
        request,
        "my/place.html",
        status,
        sensor=row,
        form=form,
        words=words,
        is_new=is_new,
        streets=listed[:STREETS_MAX],
        has_more=len(listed) > STREETS_MAX,
        drawn=drawn_streets([(s["segment_id"], s["name"], s["geometry"]) for s in listed[:STREETS_MAX]]),
        picked=picked,
        picture=next(iter(drawn_streets([(picked.segment_id, picked.name, picked.geometry)])), None)
        if picked
        else None,
        size=(WIDTH, HEIGHT),
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@router.get("/my/sensors/{sensor_id}/place")
async def place_page(
    request: Request,
    sensor_id: SensorNumber,
    street: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=100)] = "",
    new: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """Show the streets to choose from, or the chosen one with its side and directions."""
    _, row = await require_own_sensor(request, sensor_id)
    is_here = row["segment_id"] is not None and str(row["segment_id"]) == (street or str(row["segment_id"]))
    fields = {"street": [street or (str(row["segment_id"]) if row["segment_id"] and not q else "")]}
    if is_here:
        fields |= {name: [row[name] or ""] for name in ("side", "to_b", "to_a")}
        fields["published"] = ["yes"] if row["names_published"] else []
    return await render_place(request, row, PageForm(fields), words=q.strip(), is_new=new == "yes")


@router.post("/my/sensors/{sensor_id}/place")
async def choose_place(request: Request, sensor_id: SensorNumber) -> Response:
    """Install the sensor where its owner says; where it stood before ends then, and its counts stay there."""
    reader, row = await require_own_sensor(request, sensor_id)
    form = await read_form(request)
    database: Database = request.app.state.database
    is_new = form.value("new") == "yes"
    number = form.whole("street", 1, 2**62)
    names: dict[str, Any] = {
        "side": form.value("side") if form.value("side") in {"left", "right"} else None,
        "to_b": form.text("to_b", longest=NAME_MAX, needed=False),
        "to_a": form.text("to_a", longest=NAME_MAX, needed=False),
        "published": form.value("published") == "yes",
    }
    async with database.connection() as connection:
        segment = await find_segment(connection, number) if number else None
    if segment is None:
        form.errors["street"] = NO_STREET if number else CHOOSE
    is_here = segment is not None and segment.segment_id == row["segment_id"]
    at = datetime.now(UTC) if is_here or segment is None else moment_of_move(form, row, segment.timezone)
    if form.errors or segment is None:
        return await render_place(request, row, form, words="", is_new=is_new, status=422)
    if is_here:
        async with database.connection() as connection:
            await name_directions(connection, sensor_id, reader.account_id, names)
    else:
        try:
            async with database.connection() as connection:
                await move_own_sensor(
                    connection, sensor_id, reader.account_id, segment.segment_id, from_at=at, names=names
                )
        except (DuplicateError, NoSuchRecordError) as error:
            form.errors["from"] = HISTORY if isinstance(error, DuplicateError) else NO_STREET
            return await render_place(request, row, form, words="", is_new=is_new, status=422)
    if is_new:
        return see_other(f"/my/sensors/{sensor_id}/first")
    return see_other(f"/my/sensors/{sensor_id}", did="placed")


def moment_of_move(form: PageForm, row: Row, timezone: str) -> datetime:
    """Return from when on a sensor stands at its new place, now when nothing is said; history before it was theirs is not changed."""
    now = datetime.now(UTC)
    at = local_moment(form, "from", zone(timezone), needed=False) or now
    if at < row["owned_since"] - timedelta(minutes=1):
        form.errors["from"] = TOO_EARLY
    elif at > now + timedelta(days=366):
        form.errors["from"] = TOO_LATE
    return at


@router.get("/my/sensors/{sensor_id}/first")
async def first_crossing(request: Request, sensor_id: SensorNumber) -> Response:
    """Show the first crossing as it is counted: somebody walks past, and sees it."""
    _, row = await require_own_sensor(request, sensor_id)
    pages: Pages = request.app.state.pages
    response = pages.render(request, "my/first.html", sensor=row)
    response.headers["Cache-Control"] = "no-store"
    return response
