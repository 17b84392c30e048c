"""`/operate/sensors`: every sensor by what is wrong with it, and one of them with what an operator can do about it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from telstraat_analytics.words import word
from telstraat_api.errors import NotFoundError
from telstraat_api.http.access import Role
from telstraat_api.v1.accounts import EMAIL
from telstraat_api.web.forms import MISSING, NO_NUMBER, PageForm, read_form, see_other, signed_in
from telstraat_api.web.languages import chosen, page_language
from telstraat_api.web.operate.shared import ROWS, pager, rendered_for_operators
from telstraat_api.web.pages import page_number
from telstraat_contract.errors import MessageError
from telstraat_contract.languages import gettext_noop
from telstraat_contract.sent_config import config_of
from telstraat_store.accounts.people import find_account
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.devices.sent_settings import send_settings, settings_of_sensor
from telstraat_store.errors import DuplicateError, NoSuchRecordError, RegistryError
from telstraat_store.jobs.deferred import NewJob, defer
from telstraat_store.places import sensors as stored
from telstraat_store.places.claims import issue_code
from telstraat_store.places.fleet_list import SensorState, fleet_by_state, last_odd_look, list_fleet, sensor_of_fleet
from telstraat_store.places.installations import install, list_installations
from telstraat_store.places.segments import names_of, segments_named
from telstraat_store.reports.quarantined import list_quarantine

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
HISTORY = 100
REFUSED = 5

STATE_NAMES_OF_SENSORS = {
    SensorState.DOUBLED: gettext_noop("two devices use its name"),
    SensorState.SILENT: gettext_noop("silent"),
    SensorState.LATE: gettext_noop("late"),
    SensorState.ODD: gettext_noop("odd counts"),
    SensorState.WAITING: gettext_noop("nothing has come yet"),
    SensorState.UNPLACED: gettext_noop("stands nowhere"),
    SensorState.COUNTING: gettext_noop("counting"),
    SensorState.RETIRED: gettext_noop("retired"),
}
WHAT_TO_DO = {
    SensorState.DOUBLED: gettext_noop(
        "Two devices send under this name, so its street would be counted twice; only one of them is added up. Find the second "
        "one, often a copied memory card, and give it a name of its own."
    ),
    SensorState.SILENT: gettext_noop(
        "Nothing has come for two hours or more. What it counts meanwhile is kept on the device and comes later. Ask its owner "
        "whether it has power and network; the lights on the device's own page say more."
    ),
    SensorState.LATE: gettext_noop(
        "Some reports are missing, newer ones have come. The server asks for them again by itself. If this stays for days, the "
        "device has lost them: its log says so."
    ),
    SensorState.ODD: gettext_noop(
        "Its reports come in, and its counts do not fit its own past or its neighbours. Look whether the camera was moved, is dirty "
        "or covered, and ask its owner. Evaluations leave such times out by themselves."
    ),
    SensorState.WAITING: gettext_noop(
        "It stands at a street and has never reported. Its owner may not have installed it yet, or its name and password do not "
        "fit: the broker's log says who knocked."
    ),
    SensorState.UNPLACED: gettext_noop(
        "It stands at no street, so its reports count nowhere. Choose its street below."
    ),
    SensorState.COUNTING: gettext_noop("All is well: its reports come in."),
    SensorState.RETIRED: gettext_noop("It has been taken down. Its counts stay."),
}
NO_STREET = gettext_noop("There is no such street. Choose one from the list.")
SEVERAL_STREETS = gettext_noop("Several streets have this name. Write the number that stands behind it, such as 12.")
OCCUPIED = gettext_noop("It stood somewhere after that day already: what was counted is not rewritten.")
NO_LINE = gettext_noop(
    "Write four shares of the picture between 0 and 1, such as 0.1, 0.6, 0.9, 0.6: where the line begins, from the left and from the top, and where it ends."
)
NOBODY = gettext_noop("There is no account of this address. Let them in first, under People.")


@router.get("/operate/sensors")
async def sensors_page(request: Request) -> Response:
    """List sensors, those that need somebody first."""
    await signed_in(request, Role.OPERATOR)
    return await render_sensors(request, PageForm())


async def look_for_odd_ones(connection: Any) -> Row | None:
    """Return the last look for odd sensors, and have a worker look again when it is not of today."""
    last = await last_odd_look(connection)
    today = datetime.now(UTC).date().isoformat()
    if last is None or last["day"] != today:
        await defer(connection, NewJob("odd-sensors", {"day": today}, key=f"odd-sensors/{today}", priority=-5))
    return last


async def render_sensors(request: Request, form: PageForm, status: int = 200, new: Any = None) -> Response:
    """Return the list, the form for a new sensor and, right after it was added, its password and code."""
    database: Database = request.app.state.database
    search, number = request.query_params.get("search", "")[:100], page_number(request)
    state = request.query_params.get("state")
    state = state if state in set(SensorState) else None
    async with database.connection() as connection:
        states = await fleet_by_state(connection)
        odd_look = await look_for_odd_ones(connection)
        fleet = await list_fleet(connection, state=state, search=search, offset=(number - 1) * ROWS, limit=ROWS)
    return await rendered_for_operators(
        request,
        "operate/sensors.html",
        status,
        rows=fleet.rows,
        pager=pager(number, len(fleet.rows), fleet.total),
        states=states,
        state=state,
        state_names=STATE_NAMES_OF_SENSORS,
        search=search,
        odd_look=odd_look,
        form=form,
        new=new,
    )


async def street_of(connection: Any, form: PageForm, field: str, *, needed: bool) -> int | None:
    """Return the number of the street that a field names, by name or by number; an error beside the field when it names none."""
    text = form.text(field, longest=200, needed=needed)
    if not text:
        return None
    rows = await segments_named(connection, text, limit=2)
    if len(rows) == 1:
        return int(rows[0]["segment_id"])
    form.errors[field] = SEVERAL_STREETS if rows else NO_STREET
    return None


@router.post("/operate/sensors")
async def add_sensor(request: Request) -> Response:
    """Add a sensor; its password and its claim code are shown once, on the answer."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    name, new = form.text("name", longest=64), None
    async with database.connection() as connection:
        street = await street_of(connection, form, "street", needed=False)
        if not form.errors:
            try:
                new = await stored.add_sensor(connection, name, street)
            except RegistryError as error:
                form.errors["name"] = str(error)
    return await render_sensors(request, form if form.errors else PageForm(), 422 if form.errors else 201, new)


@router.get("/operate/sensors/{sensor_id}")
async def sensor_page(request: Request, sensor_id: Number) -> Response:
    """Show a sensor: what is wrong, what to try, where it has stood, and what can be changed."""
    await signed_in(request, Role.OPERATOR)
    return await render_sensor(request, sensor_id, PageForm())


async def render_sensor(
    request: Request, sensor_id: int, form: PageForm, status: int = 200, secrets: dict[str, str] | None = None
) -> Response:
    """Return the page of a sensor; `secrets` are shown once."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        sensor = await require_sensor(connection, sensor_id)
        history = await list_installations(connection, after=0, limit=HISTORY, sensor_id=sensor_id)
        names = await names_of(connection, [row["segment_id"] for row in history])
        refused = await list_quarantine(connection, reason=None, sensor_id=sensor_id, offset=0, limit=REFUSED)
        sent = await settings_of_sensor(connection, sensor_id)
    state = SensorState(sensor["state"])
    return await rendered_for_operators(
        request,
        "operate/sensor.html",
        status,
        sensor=sensor,
        state=state,
        state_name=STATE_NAMES_OF_SENSORS[state],
        what_to_do=WHAT_TO_DO[state],
        oddities=[oddity_words(each, chosen(request)) for each in sensor["oddities"] or ()],
        history=sorted(history, key=lambda row: row["from_at"], reverse=True),
        names=names,
        refused=refused,
        sent=sent,
        form=form,
        secrets=secrets,
        tz=zone(sensor["timezone"] or "UTC"),
        now=datetime.now(UTC),
    )


def oddity_words(oddity: dict[str, str], code: str) -> str:
    """Return what is odd about a sensor, and when, in a language."""
    _ = page_language(code)
    first, last = (_.short_day(date.fromisoformat(oddity[end])) for end in ("first", "last"))
    return f"{word('kind.' + oddity['kind'], code)} ({first if first == last else f'{first} – {last}'})"


async def require_sensor(connection: Any, sensor_id: int) -> Row:
    """Return a sensor, or raise `NotFoundError`."""
    sensor = await sensor_of_fleet(connection, sensor_id)
    if sensor is None:
        raise NotFoundError(f"there is no sensor {sensor_id}")
    return sensor


@router.post("/operate/sensors/{sensor_id}/street")
async def move_sensor(request: Request, sensor_id: Number) -> Response:
    """Let a sensor stand at another street from now on, or from the beginning of a day."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    day = form.day("from", needed=False)
    async with database.connection() as connection:
        sensor = await require_sensor(connection, sensor_id)
        street = await street_of(connection, form, "street", needed=True)
        if street is not None and not form.errors:
            at = (
                None
                if day is None
                else datetime(day.year, day.month, day.day, tzinfo=zone(sensor["timezone"] or "UTC"))
            )
            try:
                await install(connection, sensor_id, street, from_at=at)
            except DuplicateError:
                form.errors["from"] = OCCUPIED
            except NoSuchRecordError as error:
                form.errors["street"] = str(error)
    if form.errors:
        return await render_sensor(request, sensor_id, form, 422)
    return see_other(f"/operate/sensors/{sensor_id}")


@router.post("/operate/sensors/{sensor_id}/owner")
async def change_owner(request: Request, sensor_id: Number) -> Response:
    """Give a sensor to somebody, or to nobody when the field is empty."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    email = form.text("email", longest=254, needed=False)
    async with database.connection() as connection:
        await require_sensor(connection, sensor_id)
        account = await find_account(connection, email) if re.match(EMAIL, email) else None
        if email and account is None:
            form.errors["email"] = NOBODY
        else:
            await stored.set_owner(connection, sensor_id, account["account_id"] if account else None)
    if form.errors:
        return await render_sensor(request, sensor_id, form, 422)
    return see_other(f"/operate/sensors/{sensor_id}")


@router.post("/operate/sensors/{sensor_id}/code")
async def make_code(request: Request, sensor_id: Number) -> Response:
    """Make a claim code and show it, once; an older one stops working."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    await read_form(request)
    async with database.connection() as connection:
        sensor = await require_sensor(connection, sensor_id)
        code, _ = await issue_code(connection, sensor_id, sensor["name"])
    return await render_sensor(request, sensor_id, PageForm(), secrets={"code": code})


@router.post("/operate/sensors/{sensor_id}/settings")
async def send_sensor_settings(request: Request, sensor_id: Number) -> Response:
    """Send a sensor the line, the direction and the limit that it shall count with; the sensor has the last word."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    line, limit_text = form.text("line", longest=100, needed=False), form.text("limit", longest=4, needed=False)
    limit = int(limit_text) if limit_text.isdecimal() else None
    if limit_text and not (limit and 5 <= limit <= 150):
        form.errors.setdefault("limit", NO_NUMBER)
    flip = {"yes": True, "no": False}.get(form.value("flip"))
    changes = None
    try:
        changes = config_of(line, flip, None if "limit" in form.errors else limit)
    except MessageError:
        form.errors.setdefault("line", NO_LINE)
    if not form.errors and not line and flip is None and limit is None:
        form.errors["line"] = MISSING
    if form.errors or changes is None:
        return await render_sensor(request, sensor_id, form, 422)
    async with database.connection() as connection:
        await send_settings(connection, sensor_id, changes)
    return see_other(f"/operate/sensors/{sensor_id}")


@router.post("/operate/sensors/{sensor_id}/password")
async def renew_password(request: Request, sensor_id: Number) -> Response:
    """Give a sensor a new password for the broker and show it, once."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    await read_form(request)
    async with database.connection() as connection:
        sensor = await require_sensor(connection, sensor_id)
        password = await stored.renew_password(connection, sensor["name"])
    return await render_sensor(request, sensor_id, PageForm(), secrets={"password": password})


@router.post("/operate/sensors/{sensor_id}/retire")
async def retire_sensor(request: Request, sensor_id: Number) -> Response:
    """End a sensor; whoever asks has ticked that it is meant."""
    await signed_in(request, Role.OPERATOR)
    database: Database = request.app.state.database
    form = await read_form(request)
    if form.value("sure") != "yes":
        form.errors["sure"] = MISSING
        return await render_sensor(request, sensor_id, form, 422)
    async with database.connection() as connection:
        sensor = await require_sensor(connection, sensor_id)
        await stored.retire_sensor(connection, sensor["name"])
    return see_other(f"/operate/sensors/{sensor_id}")
