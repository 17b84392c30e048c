"""`/measures/new` and `/measures/{measure_id}/edit`: one form in four steps, plain HTML, that adds a measure or changes it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from telstraat_api.errors import QueryError
from telstraat_api.http.access import Reader, Role
from telstraat_api.v1.measures import MeasureChange, NewMeasure, measure_shape, note_down, write_changes
from telstraat_api.v1.resources import require_changeable
from telstraat_api.web.forms import PageForm, read_form, see_other, signed_in
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.measures import names, pictures
from telstraat_api.web.measures.form import (
    STREET,
    MeasureDraft,
    change_in,
    draft_of,
    empty_form,
    form_of,
    roles_of,
)
from telstraat_api.web.measures.measure_pages import Number, rendered
from telstraat_api.web.measures.prospects import Prospects, prospects_of
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_user_names import PLURALS
from telstraat_contract.road_users import CLASSES
from telstraat_store.connection import Database, Row
from telstraat_store.errors import StaleRecordError
from telstraat_store.places.picking import list_named
from telstraat_store.places.segments import names_of, timezones_of
from telstraat_store.work.measures import delete_measure, find_measure

router = APIRouter(include_in_schema=False)
LISTED_MAX = 12
SAVING = {"draft": False, "publish": True}
STALE = gettext_noop(
    "Somebody has changed this measure since you opened it. What you typed is below and not saved yet: look at it, then save again."
)
GONE = gettext_noop("One of these streets does not exist any more.")


@router.get("/measures/new")
async def new_page(request: Request) -> Response:
    """Show the empty form."""
    await signed_in(request, Role.PROFESSIONAL)
    return await drawn(request, empty_form(datetime.now(UTC).date(), request.query_params))


@router.post("/measures/new")
async def new_measure(request: Request) -> Response:
    """Suggest, look over, or save a new measure; the same form sent twice saves one."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    form = await read_form(request)
    draft = draft_of(form)
    action = form.value("action")
    if action in SAVING and not form.errors:
        new = NewMeasure.model_validate(draft.values | {"published": SAVING[action]})
        database: Database = request.app.state.database
        try:
            async with database.connection() as connection:
                row = await note_down(
                    connection, new, reader.account_id, {"asked": draft.ask}, form.value("form")[:100]
                )
            return see_other(f"/measures/{row['measure_id']}")
        except QueryError:
            form.errors["streets"] = GONE
    return await answered(request, form, draft)


@router.get("/measures/{measure_id}/edit")
async def edit_page(request: Request, measure_id: Number) -> Response:
    """Show the form with a measure as it is."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    measure = await changeable(request, measure_id, reader)
    return await drawn(request, form_of(measure), measure=measure)


@router.post("/measures/{measure_id}/edit")
async def edit_measure(request: Request, measure_id: Number) -> Response:
    """Suggest, look over, or save the changes of a measure; who has not seen the latest change is told so first."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    form = await read_form(request)
    measure = await changeable(request, measure_id, reader)
    draft = draft_of(form)
    action = form.value("action")
    if action in {*SAVING, "save"} and not form.errors:
        if form.value("revision") != str(measure["revision"]):
            return await stale(request, form, measure)
        change = change_in(draft)
        if action in SAVING:
            change = change.model_copy(update={"published": SAVING[action]})
        database: Database = request.app.state.database
        try:
            async with database.connection() as connection:
                await write_changes(connection, measure, change, {"asked": draft.ask})
            return see_other(f"/measures/{measure_id}")
        except StaleRecordError:
            return await stale(request, form, await changeable(request, measure_id, reader))
        except QueryError:
            form.errors["streets"] = GONE
    return await answered(request, form, draft, measure)


@router.post("/measures/{measure_id}/publish")
async def publish(request: Request, measure_id: Number) -> Response:
    """Publish a measure, or take it back."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    form = await read_form(request)
    measure = await changeable(request, measure_id, reader)
    database: Database = request.app.state.database
    change = MeasureChange.model_validate({"published": form.value("published") == "yes"})
    async with database.connection() as connection:
        await write_changes(connection, measure, change)
    return see_other(f"/measures/{measure_id}")


@router.post("/measures/{measure_id}/delete")
async def delete(request: Request, measure_id: Number) -> Response:
    """Delete a measure, when that was ticked."""
    reader = await signed_in(request, Role.PROFESSIONAL)
    form = await read_form(request)
    await changeable(request, measure_id, reader)
    if form.value("sure") != "yes":
        return see_other(f"/measures/{measure_id}/edit", sure="no")
    database: Database = request.app.state.database
    async with database.connection() as connection:
        await delete_measure(connection, measure_id)
    return see_other("/measures")


async def changeable(request: Request, measure_id: int, reader: Reader) -> Row:
    """Return a measure that the reader may change."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        return require_changeable(await find_measure(connection, measure_id), reader, "measure", measure_id)


async def stale(request: Request, form: PageForm, measure: Row) -> Response:
    """Show the form again as it was typed, with what somebody else has saved meanwhile; saving again overwrites it knowingly."""
    form.fields["revision"] = [str(measure["revision"])]
    form.errors["revision"] = STALE
    return await drawn(request, form, status=409, measure=measure, theirs=measure)


async def answered(request: Request, form: PageForm, draft: MeasureDraft, measure: Row | None = None) -> Response:
    """Show the form with what was asked for: found streets, suggestions, or all of it to look over."""
    action = form.value("action")
    if action in {*SAVING, "save"}:
        return await drawn(request, form, status=422, measure=measure)
    if action == "find":
        form.errors.clear()
        return await drawn(request, form, measure=measure)
    wrong = {"streets", "first_day"} if action == "suggest" else set(form.errors)
    if set(form.errors) & wrong:
        form.errors = {name: text for name, text in form.errors.items() if name in wrong}
        return await drawn(request, form, status=422, measure=measure)
    form.errors.clear()
    prospects = await looked(request, form, draft, measure)
    if action == "suggest":
        form.fields |= {
            f"{STREET}{number}": [role] for number, role in prospects.suggested(roles_of(form)).items() if role
        }
    return await drawn(request, form, measure=measure, prospects=prospects, looked_over=action == "review")


async def looked(request: Request, form: PageForm, draft: MeasureDraft, measure: Row | None) -> Prospects:
    """Return what can be said of the streets before the measure."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        zones = await timezones_of(connection, draft.streets["treated"])
    if not zones:
        form.errors["streets"] = GONE
        return Prospects()
    usual = NewMeasure.model_fields
    values: dict[str, Any] = {
        **{name: usual[name].get_default() for name in ("excluded", "other_measures", "phases")},
        **{name: value for name, value in draft.values.items() if value is not None},
        "timezone": next(iter(zones.values())),
        "measure_id": measure["measure_id"] if measure else 0,
    }
    for name in ("before_days", "after_days", "transition_days", "speed_limit_kmh"):
        values.setdefault(name, usual[name].get_default())
    what = next(iter(draft.ask["what"]), "car")
    return await prospects_of(
        request, values, what, datetime.now(UTC).date(), suggest=form.value("action") == "suggest"
    )


async def drawn(
    request: Request,
    form: PageForm,
    *,
    status: int = 200,
    measure: Row | None = None,
    prospects: Prospects | None = None,
    looked_over: bool = False,
    theirs: Row | None = None,
) -> Response:
    """Draw the form."""
    roles, language = roles_of(form), page_language(chosen(request))
    database: Database = request.app.state.database
    async with database.connection() as connection:
        named = await names_of(connection, list(roles))
        listed = await list_named(connection, form.value("q").strip()[:100], LISTED_MAX)
    known = [number for number in roles if number in named]
    rows = [{"segment_id": number, "name": named[number], "role": roles[number]} for number in known]
    fresh = [{**row, "role": ""} for row in listed if row["segment_id"] not in roles]
    return rendered(
        request,
        "measures/edit.html",
        status=status,
        form=form,
        options=options_in(language),
        measure=measure,
        theirs=measure_shape(theirs, await signed_in(request)) if theirs else None,
        chosen_streets=[row for row in rows if row["role"]],
        streets=[*(row for row in rows if not row["role"]), *fresh],
        prospects=prospects,
        looked_over=looked_over,
        today=datetime.now(UTC).date(),
        day_of=day_of,
        names=names,
        pictures=pictures,
        percent_text=language.percent,
    )


def options_in(language: PageLanguage) -> dict[str, list[tuple[str, str]]]:
    """Return the choices of the form in a language."""
    tables: dict[str, dict[str, str]] = {
        "kind": names.KINDS,
        "chosen_for": names.REASONS,
        "what": names.QUESTIONS,
        "against": names.AGAINST,
        "days": names.DAYS,
        "direction": names.DIRECTIONS,
        "by": names.PARTS,
        "closed_to": {kind: PLURALS[kind] for kind in CLASSES},
    }
    return {name: [(value, language(text)) for value, text in table.items()] for name, table in tables.items()}


def day_of(form: PageForm) -> date | None:
    """Return the first day that was typed, if it is one."""
    return PageForm(form.fields).day("first_day")
