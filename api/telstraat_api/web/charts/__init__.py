"""The one chart component of the pages: SVG from the server that comes alive in the browser; `chart.py` says how it is used."""

from __future__ import annotations

from telstraat_api.web.charts.chart import (
    Band,
    CategoryAxis,
    Chart,
    Column,
    Level,
    Mark,
    Series,
    SeriesKind,
    TimeAxis,
    slots_of,
)
from telstraat_api.web.charts.figure import render
from telstraat_api.web.charts.heat_map import HeatCell, HeatMap, render_heat_map
from telstraat_api.web.charts.shapes import sparkline

__all__ = [
    "Band",
    "CategoryAxis",
    "Chart",
    "Column",
    "HeatCell",
    "HeatMap",
    "Level",
    "Mark",
    "Series",
    "SeriesKind",
    "TimeAxis",
    "render",
    "render_heat_map",
    "slots_of",
    "sparkline",
]
