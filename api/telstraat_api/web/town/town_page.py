"""The town: a sentence, a map and a table of all its streets; without a script drawn here, with one alive."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from telstraat_api.http.access import Reader, Role, connections_for
from telstraat_api.http.response_cache import ResponseCache
from telstraat_api.v1.ground import boxes_of
from telstraat_api.web.languages import PageLanguage, chosen, page_language
from telstraat_api.web.pages import Pages, page_headers, page_reader, remembering
from telstraat_api.web.projection import KM_A_DEGREE, Projection, distance_km
from telstraat_api.web.town import drawn_map, street_values
from telstraat_api.web.town.colour_scale import SHARES, ColourScale, evenly, fixed_scale, round_borders, signed
from telstraat_api.web.town.drawn_map import DrawnStreet
from telstraat_api.web.town.street_values import LastHour, ShownValue, value_of
from telstraat_api.web.town.town_view import (
    FILTER_NAMES,
    FIRST_COLUMN,
    OF_EIGHT_WEEKS,
    PERIOD_NAMES,
    ROWS_A_PAGE,
    SHOW_NAMES,
    Show,
    TownView,
    written,
)
from telstraat_api.web.town.town_words import town_sentences
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Connections, Database, Row
from telstraat_store.counts.windows import zone
from telstraat_store.maps.ground import ground_within
from telstraat_store.places.segments import names_of
from telstraat_store.summaries.summary_table import (
    Box,
    StreetState,
    SummaryQuery,
    SummaryRow,
    figures_at,
    middle_of,
    read_clusters,
    read_summaries,
)
from telstraat_store.summaries.town_totals import town_totals
from telstraat_store.work.measures import newest_measures
from telstraat_store.work.published import Audience, NewestPage

router = APIRouter(include_in_schema=False)
LINES_MAX = 400
"""More streets than these are shown as numbers on the map, until one looks closer; the table goes on in pages."""
CELLS = 14
GROUND_MAX = 1500
MEASURES_SHOWN = 3
MAP_NAME = gettext_noop("Map of the streets that are counted")
CLOSER = gettext_noop("{n} streets: look closer")
UNITS = {
    Show.SPEED: gettext_noop("V85: the speed in km/h that 85 % of the cars do not exceed, last eight weeks"),
    Show.ABOVE: gettext_noop("share of cars above the limit, last eight weeks"),
    Show.CHANGE: gettext_noop("everybody, last eight weeks against the same weeks a year before"),
    Show.BIKE_SHARE: gettext_noop("share of bicycles in all that could be named, {period}"),
}
UNIT = gettext_noop("{who}, {period}")


@dataclass(frozen=True)
class ListedStreet:
    """A street of the table with what the view shows of it."""

    row: SummaryRow
    figure: ShownValue
    text: str


@dataclass(frozen=True)
class TownMap:
    """What is on the map: streets in colours, or clusters of more than a map can hold."""

    streets: list[DrawnStreet]
    clusters: list[Row]
    scale: ColourScale
    box: Box | None
    lost: int = 0  # whose place cannot be


@router.get("/")
async def town(request: Request) -> Response:
    """Show the town."""
    cache: ResponseCache = request.app.state.response_cache
    reader = await page_reader(request)
    view = TownView.of(request.query_params)
    connections = connections_for(request)

    async def make() -> bytes:
        return (await town_html(request, reader, view, connections)).encode()

    # Whoever asks for the same view shares it: the address may say more, but not much more.
    key = ("/", connections.is_public, reader.account_id, chosen(request), view, request.query_params.get("lang"))
    return remembering(request, await cache.answer(request, key, make, page_headers(request)))


@router.get("/town/streets")
async def map_streets(request: Request) -> Response:
    """Return what the map shows within a box, for the script."""
    cache: ResponseCache = request.app.state.response_cache
    await page_reader(request)
    view = TownView.of(request.query_params)
    connections = connections_for(request)
    language = page_language(chosen(request))

    async def make() -> bytes:
        town_map = await map_of(request, view, connections, language)
        return orjson.dumps(map_shape(town_map))

    key = ("/town/streets", chosen(request), view)
    headers = {"Content-Type": "application/json", "Vary": "Accept-Language, Cookie, Authorization, X-Api-Key"}
    return await cache.answer(request, key, make, headers)


async def town_html(request: Request, reader: Reader, view: TownView, connections: Connections) -> str:
    """Return the page."""
    database: Database = request.app.state.database
    pages: Pages = request.app.state.pages
    language = page_language(chosen(request))
    now = datetime.now(UTC)
    async with database.connection() as connection:
        totals = await town_totals(connection)
        who = Audience(reader.account_id, sees_everything=reader.role >= Role.PROFESSIONAL)
        measures, has_older = await newest_measures(connection, who, NewestPage(1, MEASURES_SHOWN))
        names = await names_of(connection, [number for row in measures for number in row["treated"]])
    town_map = await map_of(request, view, connections, language)
    listed, streets = await listed_streets(request, view, connections, town_map)
    scale = town_map.scale
    picture = await picture_of(request, view, town_map, language)
    return pages.html(
        request,
        "town/town.html",
        view=view,
        listed=listed,
        streets=streets,
        may_sort_shown=not view.is_live or streets <= LINES_MAX,
        pages_count=max(1, -(-streets // ROWS_A_PAGE)),
        sentences=town_sentences(totals, now, language),
        totals=totals,
        unit=unit_of(view, language),
        legend=scale.legend(language),
        picture=picture,
        town_map=town_map,
        map_data=map_shape(town_map) | {"address": view.address(page=None).partition("?")[2]},
        shows=SHOW_NAMES,
        periods=PERIOD_NAMES,
        filters=FILTER_NAMES,
        fixed=OF_EIGHT_WEEKS,
        why_texts=street_values.WHY_TEXTS,
        sensor_texts=street_values.SENSOR_TEXTS,
        night_blind=street_values.NIGHT_BLIND,
        not_summarised=street_values.NOT_SUMMARISED,
        zone=zone,
        signed=lambda change: signed(change, language),
        measures=measures,
        names=names,
        measures_more=has_older,
        today=now.date(),
    )


async def listed_streets(
    request: Request, view: TownView, connections: Connections, town_map: TownMap
) -> tuple[list[ListedStreet], int]:
    """Return the streets of the table's page with what is shown of them, and how many there are on all pages.

    The last hour is in no summary: streets are sorted by it here, as far as all of them are at hand.
    """
    database: Database = request.app.state.database
    language = page_language(chosen(request))
    first = (view.page - 1) * ROWS_A_PAGE
    by_hour = view.is_live and view.sort == FIRST_COLUMN
    async with database.connection() as connection:
        query = view.streets(LINES_MAX) if by_hour else view.streets(ROWS_A_PAGE, first)
        rows, streets = await read_summaries(connection, query)
    if by_hour and streets > LINES_MAX:
        by_hour, rows = False, rows[first : first + ROWS_A_PAGE]
    hours = await hours_of(view, connections, rows)
    ended_at = street_values.last_full_hour(datetime.now(UTC))
    listed = []
    for row in rows:
        figure = value_of(view, row, hours, ended_at)
        text = figure.why if figure.value is None else town_map.scale.write(figure.value, language)
        listed.append(ListedStreet(row, figure, text))
    if by_hour:
        way = -1 if view.descending else 1
        listed.sort(key=lambda street: (street.figure.value is None, way * (street.figure.value or 0)))
        listed = listed[first : first + ROWS_A_PAGE]
    return listed, streets


async def hours_of(view: TownView, connections: Connections, rows: Sequence[SummaryRow]) -> Mapping[int, LastHour]:
    """Return the last hour of streets, when the view shows it."""
    if not view.is_live or not rows:
        return {}
    ended_at = street_values.last_full_hour(datetime.now(UTC))
    return await street_values.last_hours(connections, [row.segment_id for row in rows], ended_at)


async def map_of(request: Request, view: TownView, connections: Connections, language: PageLanguage) -> TownMap:
    """Return what the map of a view shows: all streets of its table, not of one page of it."""
    database: Database = request.app.state.database
    async with database.connection() as connection:
        query = view.streets(LINES_MAX)
        rows, streets = await read_summaries(connection, query)
        around = await middle_of(connection, query, drawn_map.FAR_KM / KM_A_DEGREE)
        middle = None if around is None else around.place
        if streets > LINES_MAX:
            box = view.box or (None if around is None else around.box)
            inside = replace(query, box=box)
            clusters = [] if box is None else await read_clusters(connection, inside, box, CELLS)
            return TownMap([], clusters, await scale_of(request, view, connections, None), box)
    hours = await hours_of(view, connections, rows)
    ended_at = street_values.last_full_hour(datetime.now(UTC))
    values = [value_of(view, row, hours, ended_at) for row in rows]
    known = None if view.is_part else [figure.value for figure in values if figure.value is not None]
    scale = await scale_of(request, view, connections, known)
    on_map = [
        map_street(row, figure, scale, language)
        for row, figure in zip(rows, values, strict=True)
        if middle is None or distance_km(row.geometry["coordinates"][0], middle) <= drawn_map.FAR_KM or view.box
    ]
    box = view.box or (None if middle is None else drawn_map.bounds_of([street.line for street in on_map], middle))
    return TownMap(on_map, [], scale, box, len(rows) - len(on_map))


def map_street(row: SummaryRow, figure: ShownValue, scale: ColourScale, language: PageLanguage) -> DrawnStreet:
    """Return a street as the map shows it."""
    text = (
        language(figure.why or street_values.NOT_SUMMARISED)
        if figure.value is None
        else scale.write(figure.value, language)
    )
    look, note = "is-silent" if row.state in {StreetState.SILENT, StreetState.LATE} else "", ""
    if row.state is not StreetState.COUNTING:
        note = language(street_values.SENSOR_TEXTS[row.state])
    elif row.is_dark or (row.summary is not None and row.summary.night_blind):
        look, note = "is-blind", language(street_values.NIGHT_BLIND)
    css = "none" if figure.value is None else scale.css(figure.value)
    return DrawnStreet(row.segment_id, row.name, row.geometry["coordinates"], text, css, look, note)


async def scale_of(
    request: Request, view: TownView, connections: Connections, values: Sequence[float] | None
) -> ColourScale:
    """Return the colours of a view; `values` are those of its streets when these are all of the town's."""
    scale = fixed_scale(view)
    if scale is not None:
        return scale
    database: Database = request.app.state.database
    async with database.connection() as connection:
        if not view.is_live:
            return ColourScale(round_borders(await figures_at(connection, view.shown_key, SHARES)))
        rows = [] if values is not None else (await read_summaries(connection, SummaryQuery(limit=LINES_MAX)))[0]
    if values is None:
        hours = await hours_of(view, connections, rows)
        ended_at = street_values.last_full_hour(datetime.now(UTC))
        known = (value_of(view, row, hours, ended_at).value for row in rows)
        values = [value for value in known if value is not None]
    return ColourScale(round_borders(evenly(values)))


async def picture_of(request: Request, view: TownView, town_map: TownMap, language: PageLanguage) -> Markup | None:
    """Return the map as a picture; none without any street that lies somewhere."""
    if town_map.box is None:
        return None
    database: Database = request.app.state.database
    projection = drawn_map.town_projection(town_map.box)
    west, south, east, north = projection.box
    boxes, detail = boxes_of(f"{max(west, -180)},{max(south, -90)},{min(east, 180)},{min(north, 90)}")
    async with database.connection() as connection:
        but = ("path", "stream") if town_map.clusters else ()
        ground = await ground_within(
            connection, boxes, "middle" if detail == "fine" else detail, but=but, limit=GROUND_MAX
        )
    # Thousands of points become text: not on the loop that answers everybody.
    layers = await asyncio.to_thread(layers_of, view, town_map, projection, ground, language)
    return drawn_map.svg_of(projection, language(MAP_NAME), *layers)


def layers_of(
    view: TownView, town_map: TownMap, projection: Projection, ground: Sequence[Row], language: PageLanguage
) -> list[Markup]:
    """Return the layers of the picture: ground, streets, names, clusters."""
    clusters = [
        (
            (cluster["lon"], cluster["lat"]),
            cluster["streets"],
            language(CLOSER, n=language.number(cluster["streets"])),
            view.address(box=written(closer(cluster))),
        )
        for cluster in town_map.clusters
    ]
    return [
        drawn_map.ground_paths(ground, projection),
        Markup('<g class="streets-drawn">{}</g>').format(drawn_map.street_paths(town_map.streets, projection)),
        Markup('<g class="names" aria-hidden="true">{}</g>').format(drawn_map.labels(town_map.streets, projection)),
        drawn_map.cluster_circles(clusters, projection),
    ]


def closer(cluster: Row) -> Box:
    """Return the box of a cluster, a little wider than its streets' middles."""
    wide, high = (max(cluster[a] - cluster[b], 0.002) * 0.1 for a, b in (("east", "west"), ("north", "south")))
    return (
        max(-180.0, cluster["west"] - wide), max(-90.0, cluster["south"] - high),
        min(180.0, cluster["east"] + wide), min(90.0, cluster["north"] + high),
    )  # fmt: skip


def map_shape(town_map: TownMap) -> dict[str, Any]:
    """Return the map for the script."""
    return {
        "box": town_map.box,
        "streets": [
            {
                "id": street.segment_id, "name": street.name, "text": street.text, "note": street.note,
                "css": f"{street.css} {street.look}".strip(), "line": [[point[1], point[0]] for point in street.line],
            }
            for street in town_map.streets
        ],
        "clusters": [
            {"at": [cluster["lat"], cluster["lon"]], "n": cluster["streets"], "box": closer(cluster)}
            for cluster in town_map.clusters
        ],
    }  # fmt: skip


def unit_of(view: TownView, language: PageLanguage) -> str:
    """Say what the colours and the first column are."""
    period = language(PERIOD_NAMES[view.period])
    if view.show in UNITS:
        return language(UNITS[view.show], period=period) if view.show is Show.BIKE_SHARE else language(UNITS[view.show])
    return language(UNIT, who=language(SHOW_NAMES[view.show]), period=period)
