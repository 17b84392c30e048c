"""A heat map: rows and columns of cells, the darker the more; what is unknown is hatched, and the numbers are a table, too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup, escape

from telstraat_api.web.charts.figure import AS_TABLE
from telstraat_api.web.languages import PageLanguage

LIGHTEST = 0.06


@dataclass(frozen=True)
class HeatCell:
    """A cell: from 0 to 1 how dark it is, None where nothing is known, and what it says."""

    share: float | None
    text: str


@dataclass(frozen=True)
class HeatMap:
    """Cells by row and column (None: no cell), with the names of both; a name that is empty is not written.

    `head` and `lines` are its table: the names of the columns, then rows that begin with their own.
    """

    name: str
    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    cells: Sequence[Sequence[HeatCell | None]]
    head: Sequence[str] = field(default=())
    lines: Sequence[Sequence[str]] = field(default=())


def render_heat_map(heat: HeatMap, _: PageLanguage) -> Markup:
    """Return the figure of a heat map."""
    parts = [
        f'<figure class="figure heat room-4" id="{escape(heat.name)}"><div class="canvas">',
        f'<svg class="plot" role="img" aria-label="{escape(heat.title)}" width="100%" height="100%">',
        *cells(heat),
        *names(heat),
        "</svg></div>",
        *heat_table(heat, _),
        "</figure>",
    ]
    return Markup("".join(parts))  # noqa: S704


def cells(heat: HeatMap) -> Iterator[str]:
    """Yield the cells."""
    wide, high = 100 / max(1, len(heat.columns)), 100 / max(1, len(heat.rows))
    for at, row in enumerate(heat.cells):
        for column, cell in enumerate(row):
            if cell is None:
                continue
            place = (
                f'x="{column * wide:.2f}%" y="{at * high:.2f}%" width="{wide * 0.92:.2f}%" height="{high * 0.9:.2f}%"'
            )
            kind = "state-missing" if cell.share is None else "warm"
            dark = "" if cell.share is None else f' opacity="{LIGHTEST + (1 - LIGHTEST) * cell.share:.2f}"'
            yield f'<rect class="{kind}" {place}{dark}><title>{escape(cell.text)}</title></rect>'


def names(heat: HeatMap) -> Iterator[str]:
    """Yield the names of rows at the side and of columns below."""
    for at, name in enumerate(heat.rows):
        if name:
            y = (at + 0.45) * 100 / len(heat.rows)
            yield f'<text class="y" x="0" y="{y:.2f}%" dx="-.5em" dy=".33em">{escape(name)}</text>'
    every = max(1, -(-sum(1 for name in heat.columns if name) // 6))
    named = 0
    for column, name in enumerate(heat.columns):
        if name:
            hidden = "" if named % every == 0 else " wide"
            named += 1
            x = column * 100 / len(heat.columns)
            yield f'<text class="x at-start{hidden}" x="{x:.2f}%" y="100%" dy="1.2em">{escape(name)}</text>'


def heat_table(heat: HeatMap, _: PageLanguage) -> Iterator[str]:
    """Yield the table."""
    if not heat.lines:
        return
    heads = "".join(f'<th scope="col">{escape(name)}</th>' for name in heat.head)
    body = "".join(
        f'<tr><th scope="row">{escape(line[0])}</th>{"".join(f"<td>{escape(text)}</td>" for text in line[1:])}</tr>'
        for line in heat.lines
    )
    title = escape(heat.title)
    yield f'<details class="as-table" id="{escape(heat.name)}-table"><summary>{escape(_(AS_TABLE))}</summary>'
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{title}">'
    yield f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div></details>"
