"""The map of a measure: every street as wide as it changed, pale and dashed where that cannot be told from chance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import altair as alt

from telstraat_analytics.report.numbers import chart_locale
from telstraat_analytics.words import word

Point = tuple[float, float]
Line = Sequence[Point]
Box = tuple[float, float, float, float]
"""Left, low, right, top; pixels from the lower left corner."""
WIDTH_PX, HEIGHT_MIN_PX, HEIGHT_MAX_PX = 640, 220, 320
MARGIN = 0.15  # of the extent, for the streets' names
FONT = "Libertinus Serif, DejaVu Serif, serif"
COLOURS = {"fell": "#0072b2", "rose": "#d55e00", "unclear": "#8a8f98", "no_answer": "#b9bcc2", "control": "#5b5b5b"}
DASHES: dict[str, list[float]] = {
    "fell": [1, 0],
    "rose": [1, 0],
    "unclear": [6, 4],
    "no_answer": [1.5, 3],
    "control": [1, 0],
}
WIDTHS_PX = (3.0, 14.0)
FULL_WIDTH = 0.5
"""A change of one half or more is drawn as wide as it gets."""

LETTER_PX, LABEL_HIGH_PX, CLEAR_PX, STEP_PX = 5.6, 27.0, 12.0, 4.0
"""Sizes of names on the map: of a letter, of two lines, of the space to their street; how finely streets are walked along."""

EARTH_DEGREE_M = 111_320.0
BAR_SHARE = 0.25


@dataclass(frozen=True)
class MapStreet:
    """One street on the map.

    Attributes
    ----------
    segment, name
        Which, and what people call it.
    line
        Longitude and latitude from A to B.
    result
        ``fell``, ``rose``, ``unclear``, ``no_answer``, ``control``, or empty for a street that is only there to find one's way.
    size
        Of the change, 0.2 for 20 %.
    label
        What is written beside it.
    """

    segment: str
    name: str
    line: Line
    result: str = ""
    size: float = 0.0
    label: str = ""


def streets_map(streets: Sequence[MapStreet], language: str) -> dict[str, Any]:
    """Return a map of streets, north up, with scale and legend.

    Parameters
    ----------
    streets
        At least one that takes part in the measure.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.

    Returns
    -------
    dict
        A Vega-Lite spec that needs no tiles and nothing from the net.
    """
    taking_part = [street for street in streets if street.result]
    answered_for = [street for street in taking_part if street.result != "control"]
    west, south, east, north = _extent(answered_for if len(answered_for) > 1 else taking_part)
    metres_east = EARTH_DEGREE_M * math.cos(math.radians((south + north) / 2))
    across_m, up_m = (east - west) * metres_east, (north - south) * EARTH_DEGREE_M
    height_px = min(max(WIDTH_PX * up_m / across_m, HEIGHT_MIN_PX), HEIGHT_MAX_PX)
    metres_px = max(across_m / WIDTH_PX, up_m / height_px)
    left = (west + east) / 2 - WIDTH_PX * metres_px / 2 / metres_east
    bottom = (south + north) / 2 - height_px * metres_px / 2 / EARTH_DEGREE_M

    def placed(point: tuple[float, float]) -> dict[str, float]:
        return {
            "x": round((point[0] - left) * metres_east, 1),
            "y": round((point[1] - bottom) * EARTH_DEGREE_M, 1),
        }

    scales = {"x": [0.0, WIDTH_PX * metres_px], "y": [0.0, height_px * metres_px]}
    layers = [
        _lines([street for street in streets if not street.result], placed, scales, "#e2e3e6"),
        _found(taking_part, placed, scales, language),
        *_names([street for street in taking_part if street.result != "control"], placed, scales),
        *_scale_bar(scales),
    ]
    done = alt.layer(*layers).properties(width=WIDTH_PX, height=round(height_px))
    spec: dict[str, Any] = (
        done.configure(font=FONT, locale=chart_locale(language)).configure_view(stroke="#c8cacf").to_dict()
    )
    return spec


def _extent(streets: Sequence[MapStreet]) -> tuple[float, float, float, float]:
    lons = [point[0] for street in streets for point in street.line]
    lats = [point[1] for street in streets for point in street.line]
    wide = max(max(lons) - min(lons), 1e-3) * MARGIN
    high = max(max(lats) - min(lats), 1e-3) * MARGIN
    return min(lons) - wide, min(lats) - high, max(lons) + wide, max(lats) + high


def _rows(streets: Sequence[MapStreet], placed: Any) -> list[dict[str, Any]]:
    return [
        {**placed(point), "street": street.segment, "step": step}
        for street in streets
        for step, point in enumerate(street.line)
    ]


def _x(scales: Mapping[str, list[float]]) -> alt.X:
    return alt.X("x:Q", axis=None, scale=alt.Scale(domain=scales["x"], nice=False, zero=False))


def _y(scales: Mapping[str, list[float]]) -> alt.Y:
    return alt.Y("y:Q", axis=None, scale=alt.Scale(domain=scales["y"], nice=False, zero=False))


def _lines(streets: Sequence[MapStreet], placed: Any, scales: Mapping[str, list[float]], colour: str) -> Any:
    return (
        alt.Chart(alt.InlineData(values=_rows(streets, placed)))
        .mark_line(color=colour, strokeWidth=1.5, clip=True, strokeCap="round", strokeJoin="round")
        .encode(x=_x(scales), y=_y(scales), detail="street:N", order="step:Q")
    )


def _found(streets: Sequence[MapStreet], placed: Any, scales: Mapping[str, list[float]], language: str) -> Any:
    kinds = [kind for kind in COLOURS if any(street.result == kind for street in streets)]
    names = {kind: word(f"map.{kind}", language) for kind in kinds}
    known = {
        street.segment: {"found": names[street.result], "size": min(street.size, FULL_WIDTH)} for street in streets
    }
    values = [{**row, **known[row["street"]]} for row in _rows(streets, placed)]
    order = list(names.values())
    colour = alt.Scale(domain=order, range=[COLOURS[kind] for kind in kinds])
    dash = alt.Scale(domain=order, range=list(map(DASHES.__getitem__, kinds)))
    legend = alt.Legend(
        title=None, orient="bottom", symbolType="stroke", symbolStrokeWidth=4, symbolSize=500, columns=5, labelLimit=260
    )
    width = alt.Legend(
        title=word("map.width", language),
        orient="bottom",
        format=".0%",
        values=[0.1, 0.3, 0.5],
        symbolType="stroke",
        symbolSize=500,
    )
    drawn = any(street.result in {"fell", "rose", "unclear"} for street in streets)
    return (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(clip=True, strokeCap="butt", strokeJoin="round")
        .encode(
            x=_x(scales),
            y=_y(scales),
            detail="street:N",
            order="step:Q",
            color=alt.Color("found:N", scale=colour, legend=legend),
            strokeDash=alt.StrokeDash("found:N", scale=dash, legend=legend),
            strokeWidth=alt.StrokeWidth(
                "size:Q",
                scale=alt.Scale(domain=[0.0, FULL_WIDTH], range=list(WIDTHS_PX), clamp=True),
                legend=width if drawn else None,
            ),
        )
    )


def _names(streets: Sequence[MapStreet], placed: Any, scales: Mapping[str, list[float]]) -> list[Any]:
    """Return the streets' names and numbers where they cover least, on white so that they can be read on any line."""
    metres_px = scales["x"][1] / WIDTH_PX
    high_px = scales["y"][1] / metres_px
    lines = [
        _dense([(row["x"] / metres_px, row["y"] / metres_px) for row in map(placed, street.line)]) for street in streets
    ]
    visible = [
        (street, line)
        for street, line in zip(streets, lines, strict=True)
        if any(0 <= x <= WIDTH_PX and 0 <= y <= high_px for x, y in line)
    ]
    crossed = [point for line in lines for point in line]
    taken: list[Box] = []
    values: dict[tuple[bool, bool], list[dict[str, Any]]] = {}
    for street, line in visible:
        size_px = (
            LETTER_PX * max(len(street.name), len(street.label)),
            LABEL_HIGH_PX if street.label else LABEL_HIGH_PX / 2,
        )
        box = min(_places(line, *size_px), key=lambda place: _covers(place, taken, crossed, high_px))
        taken.append(box)
        top = box[3] - LABEL_HIGH_PX / 4
        for second, text in enumerate((street.name, street.label)):
            row = {"x": box[0] * metres_px, "y": (top - second * LABEL_HIGH_PX / 2) * metres_px, "text": text}
            values.setdefault((bool(second), bool(street.label)), []).append(row)
    halos: list[Any] = []
    inks: list[Any] = []
    for (second, answered), rows in values.items():
        for layer, mark in (
            (halos, {"stroke": "#ffffff", "strokeWidth": 4, "color": "#ffffff"}),
            (inks, {"color": "#1b1b1b" if answered else "#55606c"}),
        ):
            chart = alt.Chart(alt.InlineData(values=rows)).mark_text(
                align="left",
                baseline="middle",
                fontSize=11 if second else 11.5 if answered else 10,
                fontWeight="bold" if answered and not second else "normal",
                **mark,
            )
            layer.append(chart.encode(x=_x(scales), y=_y(scales), text="text:N"))
    return [*halos, *inks]


def _dense(line: list[Point]) -> list[Point]:
    """Return points every few pixels along a line."""
    out = line[:1]
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(int(math.hypot(x1 - x0, y1 - y0) / STEP_PX), 1)
        out += [(x0 + (x1 - x0) * n / steps, y0 + (y1 - y0) * n / steps) for n in range(1, steps + 1)]
    return out


def _places(line: list[Point], wide: float, high: float) -> Iterator[Box]:
    """Yield boxes beside, above and below the middle, the quarters and the ends of a line, the usual ones first."""
    for share in (0.5, 0.25, 0.75, 0.0, 1.0):
        x, y = line[round(share * (len(line) - 1))]
        for left, low in (
            (x + CLEAR_PX, y - high / 2),
            (x - CLEAR_PX - wide, y - high / 2),
            (x - wide / 2, y + CLEAR_PX),
            (x - wide / 2, y - CLEAR_PX - high),
        ):
            yield (left, low, left + wide, low + high)


def _covers(box: Box, taken: Sequence[Box], crossed: Sequence[Point], high_px: float) -> float:
    """Return how bad a place is: other names count most, then the edge, then the streets under it."""
    left, low, right, top = box
    names = sum(left < other[2] and other[0] < right and low < other[3] and other[1] < top for other in taken)
    outside = max(-left, 0) + max(-low, 0) + max(right - WIDTH_PX, 0) + max(top - high_px, 0)
    under = sum(left - CLEAR_PX / 2 < x < right and low < y < top for x, y in crossed)
    return 1000.0 * names + 20.0 * outside + under


def _scale_bar(scales: Mapping[str, list[float]]) -> list[Any]:
    wide, high = scales["x"][1], scales["y"][1]
    least = 10 ** math.floor(math.log10(wide * BAR_SHARE))
    metres = max(step * least for step in (1, 2, 5) if step * least <= wide * BAR_SHARE)
    y = high * 0.04
    ends = [{"x": wide * 0.02, "y": y}, {"x": wide * 0.02 + metres, "y": y}]
    text = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    bar = alt.Chart(alt.InlineData(values=ends)).mark_line(color="#1b1b1b", strokeWidth=2)
    label = alt.Chart(alt.InlineData(values=[{**ends[0], "text": text}])).mark_text(align="left", dy=-7, fontSize=10)
    return [
        bar.encode(x=_x(scales), y=_y(scales)),
        label.encode(x=_x(scales), y=_y(scales), text="text:N"),
    ]
