"""The pages of measures: what was done, and what was found of it.

Shown from the same objects as the JSON and the reports, so that one number stands everywhere; what one may not see is not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from markupsafe import Markup
from psycopg import AsyncConnection

from telstraat_api.following.weeks import followed_until
from telstraat_api.http.access import Reader, Role
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.measures import measure_shape
from telstraat_api.v1.resources import audience_of, owns, require_visible, sees
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.measures import names, pictures
from telstraat_api.web.measures.answers import (
    AnswerLine,
    AnswerView,
    EvaluationView,
    change_text,
    evaluation_view,
    result_of,
)
from telstraat_api.web.measures.card import ShareCard, base_of, card_of
from telstraat_api.web.measures.figures import hours_figure, weeks_figure
from telstraat_api.web.measures.running import changes_since, latest_job
from telstraat_api.web.measures.where import WhereStreet, extent_of, where_map
from telstraat_api.web.pages import Pages, page_number, page_reader
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.maps.ground import ground_within
from telstraat_store.places.picking import lines_of
from telstraat_store.places.segments import names_of
from telstraat_store.work.evaluations import find_shown, latest_answers, list_brief
from telstraat_store.work.events import list_events_in
from telstraat_store.work.followers import find_follower, list_looks
from telstraat_store.work.measures import ROLES, find_measure, newest_measures
from telstraat_store.work.published import NewestPage, Page

router = APIRouter(include_in_schema=False)
Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
LISTED = 30
EVALUATIONS = 20
EVENTS = Page(after=0, limit=200)
GROUND_MAX = 600
FIGURES_MAX = 8
"""Of each kind on the page; the report has all."""
NAMED_MAX = 12
"""Measures whose names stand on the map of all."""

ALL_LABEL = gettext_noop("Map of the streets with measures; the list below says the same")
WHERE_LABEL = gettext_noop("Map of the streets of this measure; the table below says the same")


def rendered(request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Return a page that depends on who asks: no cache between may keep it for others."""
    pages: Pages = request.app.state.pages
    response = pages.render(request, template, status, **context)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def state_of(measure: Row, today: date, *, is_evaluated: bool) -> str:
    """Return where a measure stands: `planned`, `running` or `evaluated`."""
    if is_evaluated:
        return "evaluated"
    return "planned" if measure["first_day"] > today else "running"


@router.get("/measures")
async def measures_page(request: Request) -> Response:
    """List the measures that one may see, the newest first: each with its sentence and a small chart of its latest answer."""
    database: Database = request.app.state.database
    audience = audience_of(await page_reader(request))
    page = page_number(request)
    async with database.connection() as connection:
        measures, has_older = await newest_measures(connection, audience, NewestPage(page, LISTED))
        answers = await latest_answers(connection, audience, [measure["measure_id"] for measure in measures])
        called = await names_of(connection, [number for measure in measures for number in measure["treated"]])
        where = await where_all(connection, measures, answers, called, page_language(chosen(request)))
    today = datetime.now(UTC).date()
    states = {
        measure["measure_id"]: state_of(measure, today, is_evaluated=measure["measure_id"] in answers)
        for measure in measures
    }
    return rendered(
        request,
        "measures/measures.html",
        page=page,
        has_older=has_older,
        measures=measures,
        answers=answers,
        where=where,
        states=states,
        called=called,
        names=names,
        pictures=pictures,
        result_of=result_of,
        changed=change_text,
    )


@router.get("/measures/{measure_id}")
async def measure_page(
    request: Request, measure_id: Number, evaluation: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None
) -> Response:
    """Show a measure: what was found of it, how sure that is, where the traffic went, and what else happened there."""
    database: Database = request.app.state.database
    reader = await page_reader(request)
    language = page_language(chosen(request))
    async with database.connection() as connection:
        measure = require_visible(await find_measure(connection, measure_id), reader, "measure", measure_id)
        tz = zone(measure["timezone"])
        page, audience = page_number(request), audience_of(reader)
        evaluations, has_older = await list_brief(connection, audience, NewestPage(page, EVALUATIONS), measure_id)
        row = await find_shown(connection, audience, measure_id, evaluation)
        view = evaluation_view(row, language.code) if row else None
        beside = await read_beside(connection, measure, reader)
        officers = await read_officers(request, connection, measure, row, reader)
        where = await where_of(connection, measure, view.first if view else None, beside["called"], language)
    return rendered(
        request,
        "measures/measure.html",
        measure=measure,
        may_change=may_change(reader, measure),
        changeable={row["evaluation_id"] for row in evaluations if owns(reader, row) or reader.role is Role.OPERATOR},
        reader=reader,
        time_after=time_after(measure, view, datetime.now(tz).date()),
        state=state_of(measure, datetime.now(tz).date(), is_evaluated=view is not None),
        view=view,
        card=shared_card(request, measure, view, beside["called"], language) if view else None,
        base=base_of(request),
        evaluations=evaluations,
        page=page,
        has_older=has_older,
        figures=figures_of(view, tz, language) if view else MeasureFigures(),
        where=where,
        until=followed_until(measure_shape(measure, reader)),
        names=names,
        pictures=pictures,
        result_of=result_of,
        changed=change_text,
        tz=tz,
        **beside,
        **officers,
    )


async def read_beside(connection: AsyncConnection[Any], measure: Row, reader: Reader) -> dict[str, Any]:
    """Return what stands beside an answer: names of the streets, what else was marked, weekly looks, and whether one follows."""
    numbers = [number for role in ROLES for number in measure[role]]
    since = datetime.combine(measure["first_day"], datetime.min.time(), zone(measure["timezone"]))
    return {
        "called": await names_of(connection, numbers),
        "events": await list_events_in(connection, audience_of(reader), EVENTS, numbers, since),
        "looks": await list_looks(connection, measure["measure_id"]),
        "follower": await find_follower(connection, measure["measure_id"], reader.account_id),
    }


async def read_officers(
    request: Request, connection: AsyncConnection[Any], measure: Row, evaluation: Row | None, reader: Reader
) -> dict[str, Any]:
    """Return the evaluation that is being computed, and what officers see besides: what has changed since the one that is shown."""
    run = await latest_job(connection, measure["measure_id"])
    if reader.role < Role.PROFESSIONAL:
        return {"run": run if run and run.is_live else None, "changes": []}
    settings: ApiSettings = request.app.state.settings
    changes = await changes_since(connection, measure, evaluation, reader, settings) if evaluation else []
    return {"run": run, "changes": changes}


def shared_card(
    request: Request, measure: Row, view: EvaluationView, called: Mapping[int, str], language: PageLanguage
) -> ShareCard:
    """Return the card of what the page shows."""
    address = f"{base_of(request)}/measures/{measure['measure_id']}?evaluation={view.evaluation['evaluation_id']}"
    settings: ApiSettings = request.app.state.settings
    return card_of(measure, view, called, address, settings.site_name, language)


def may_change(reader: Reader, measure: Row) -> bool:
    """Tell whether the reader may change a measure."""
    return sees(reader, measure) and (
        (owns(reader, measure) and reader.role >= Role.PROFESSIONAL) or reader.role is Role.OPERATOR
    )


@dataclass(frozen=True)
class TimeAfter:
    """The days after a measure that are compared: from when to when, how many of them were over, and whether that is all of them."""

    first: date
    last: date
    days: int
    over: int

    @property
    def is_whole(self) -> bool:
        """Tell whether every day that was asked for was over."""
        return self.over >= self.days


def time_after(measure: Row, view: EvaluationView | None, today: date) -> TimeAfter:
    """Return the time after a measure: as its shown evaluation saw it, else as it is today."""
    details = measure["details"]
    days, transition = int(details.get("after_days", 56)), int(details.get("transition_days", 7))
    begin, seen = measure["first_day"], today
    if view is not None:
        compared = view.evaluation["result"]["evaluations"][0]["measure"]
        days, transition = int(compared["after_days"]), int(compared["transition_days"])
        begin, seen = date.fromisoformat(compared["date"]), view.evaluation["created_at"].date()
    first = begin + timedelta(days=transition)
    return TimeAfter(first, first + timedelta(days=days - 1), days, min(max((seen - first).days, 0), days))


@dataclass(frozen=True)
class NamedFigure:
    """A chart with the name of its street, which stands above it."""

    street: str
    drawing: Markup


@dataclass(frozen=True)
class MeasureFigures:
    """The charts of an evaluation: `weeks` of the first answer, `hours` of each that was asked by hour, by what was asked."""

    weeks: Sequence[NamedFigure] = ()
    hours: Sequence[tuple[str, Sequence[NamedFigure]]] = ()


def figures_of(view: EvaluationView, tz: Any, language: PageLanguage) -> MeasureFigures:
    """Draw the charts of an evaluation; an answer or a street without enough to draw has none."""
    first = view.first
    weeks = [
        NamedFigure(line.name, weeks_figure(f"weeks-{line.segment}", first, line, tz, language))
        for line in [line for line in first.lines if line.effect is not None][:FIGURES_MAX]
    ]
    hours = []
    for at, answer in enumerate(view.answers):
        drawn = []
        for part in [part for part in answer.parts if part["by"] == "hour"][:FIGURES_MAX]:
            street = answer.called(part["segment"])
            name = f"hours-{at}-{part['segment']}"
            drawn.append(NamedFigure(street, hours_figure(name, answer, part, street, language)))
        hours.append((answer.title, [figure for figure in drawn if figure.drawing]))
    return MeasureFigures([figure for figure in weeks if figure.drawing], [group for group in hours if group[1]])


async def where_all(
    connection: AsyncConnection[Any],
    measures: Sequence[Row],
    answers: Mapping[int, Row],
    called: Mapping[int, str],
    language: PageLanguage,
) -> Markup:
    """Return the map of the streets with any measure, each leading to it, by what its evaluation says; nothing where none has a line."""
    lines = await lines_of(connection, list(called))
    streets = []
    for at, measure in enumerate(measures):
        number = measure["measure_id"]
        result = result_of(answers[number]["effect"]) if number in answers else "plain-treated"
        there = [street for street in measure["treated"] if len(lines.get(street, ())) > 1]
        for street in there:
            is_named = street == there[0] and at < NAMED_MAX
            name, label = (measure["name"], "") if is_named else (called[street], measure["name"])
            streets.append(
                WhereStreet(street, name, lines[street], result, 0.2, label, f"/measures/{number}", is_named)
            )
    return await drawn_map(connection, streets, language(ALL_LABEL))


async def drawn_map(connection: AsyncConnection[Any], streets: Sequence[WhereStreet], label: str) -> Markup:
    """Return the map of some streets on the town's ground; nothing without a street."""
    if not streets:
        return Markup("")
    ground = await ground_within(connection, [extent_of(streets)], "fine", but=["path"], limit=GROUND_MAX)
    return where_map(streets, ground, label)


async def where_of(
    connection: AsyncConnection[Any],
    measure: Row,
    answer: AnswerView | None,
    called: Mapping[int, str],
    language: PageLanguage,
) -> Markup:
    """Return the map of a measure's streets, by their change once there is an answer; nothing where no street has a line."""
    lines = await lines_of(connection, list(called))
    by_street: dict[int | None, AnswerLine] = {line.segment: line for line in answer.lines} if answer else {}
    streets = []
    for role in ("controls", "boundary", "treated"):
        for number in measure[role]:
            line = by_street.get(number)
            if len(lines.get(number, ())) < 2:
                continue
            result = "controls" if role == "controls" else (line.result if line else f"plain-{role}")
            size = float(line.effect["estimate"]) if line and line.effect and line.effect["unit"] == "relative" else 0.2
            streets.append(
                WhereStreet(number, called[number], lines[number], result, size, line.change if line else "")
            )
    return await drawn_map(connection, streets, language(WHERE_LABEL))
