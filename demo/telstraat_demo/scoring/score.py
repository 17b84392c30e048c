"""Scores counts against clips whose truth is known: what was missed, counted twice, wrong way, wrong class.

A count pairs with a true crossing within 0.7 s of it, or inside the crossing's own time span; pairing is one to one, as
many pairs as possible, then the nearest. Counts inside a clip's `ignore` windows are neither right nor wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from telstraat_cli.errors import CliError
from telstraat_device.counting.crossings.crossing import CLASSES, Crossing

TOLERANCE_S = 0.7  # with 2 s a blind metronome that knows only totals scores 0.88
IMPOSSIBLE = 1e6
OTHER_WAY = 1.0
TWO_WHEELER = {"bicycle": "two-wheeler", "motorcycle": "two-wheeler"}
GROUPS = tuple(sorted({TWO_WHEELER.get(name, name) for name in CLASSES}))


@dataclass(frozen=True, slots=True)
class LabelledCrossing:
    """One crossing of the truth; `t0_s` to `t1_s` is how long it lies on the line, when that was noted."""

    t_s: float
    class_name: str
    direction: str
    class_alt: str | None = None
    t0_s: float | None = None
    t1_s: float | None = None

    def gap_s(self, t_s: float) -> float:
        """Return how far a time is from the crossing."""
        gap = abs(t_s - self.t_s)
        if self.t0_s is not None and self.t1_s is not None and self.t0_s <= t_s <= self.t1_s:
            gap = min(gap, 0.1)
        return gap

    @property
    def groups(self) -> set[str | None]:
        """The classes that are right, bicycles and motorcycles as one."""
        return {TWO_WHEELER.get(name, name) if name else None for name in (self.class_name, self.class_alt)}


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip with its line and its truth."""

    name: str
    video: Path
    line: tuple[tuple[float, float], tuple[float, float]]
    crossings: tuple[LabelledCrossing, ...]
    ignore: tuple[tuple[float, float], ...]


@dataclass(slots=True)
class Score:
    """How counts compare with truth, of one clip or of several together."""

    name: str
    true: int = 0
    counted: int = 0
    matched: int = 0
    direction_right: int = 0
    class_right: int = 0
    doubled: int = 0
    groups: dict[str, list[int]] = field(default_factory=dict)  # group: [true, found, found with the right class]

    @property
    def missed(self) -> int:
        """True crossings without a count."""
        return self.true - self.matched

    @property
    def invented(self) -> int:
        """Counts without a true crossing that are no second count of one."""
        return self.counted - self.matched - self.doubled

    @property
    def misclassified(self) -> int:
        """Found, but called something else."""
        return self.matched - self.class_right

    @property
    def precision(self) -> float:
        """Share of the counts that are true."""
        return self.matched / self.counted if self.counted else float(not self.true)

    @property
    def recall(self) -> float:
        """Share of the true crossings that were counted."""
        return self.matched / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def count_error(self) -> float:
        """Absolute error of the total, over the true total."""
        return abs(self.counted - self.true) / self.true if self.true else 0.0

    @property
    def direction_share(self) -> float:
        """Share of the found crossings with the right direction."""
        return self.direction_right / self.matched if self.matched else float("nan")

    @property
    def class_recall(self) -> float:
        """Mean over the groups of the share of true crossings that were found with the right class."""
        shares = [right / true for true, _, right in self.groups.values() if true]
        return sum(shares) / len(shares) if shares else float("nan")


def read_clips(folder: Path) -> list[Clip]:
    """Read every NAME.json that has a NAME.mp4 beside it."""
    if not folder.is_dir():
        raise CliError(f"there is no folder {str(folder)!r}; give one with NAME.mp4 and NAME.json files")
    clips = [read_clip(path) for path in sorted(folder.glob("*.json")) if path.with_suffix(".mp4").exists()]
    if not clips:
        raise CliError(f"no NAME.mp4 with a NAME.json beside it in {str(folder)!r}")
    return clips


def read_clip(path: Path) -> Clip:
    """Read the truth of one clip."""
    try:
        truth: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        (x1, y1), (x2, y2) = truth["line"]
        crossings = tuple(
            LabelledCrossing(c["t"], c["class"], c["direction"], c.get("class_alt"), c.get("t0"), c.get("t1"))
            for c in truth["crossings"]
        )
        ignore = tuple((float(start), float(end)) for start, end in truth.get("ignore", []))
    except (ValueError, KeyError, TypeError) as error:
        raise CliError(f"{path} is not the truth of a clip: {error!r}; it needs line and crossings") from error
    return Clip(path.stem, path.with_suffix(".mp4"), ((x1, y1), (x2, y2)), crossings, ignore)


def score_clip(clip: Clip, counts: Sequence[Crossing], tolerance_s: float = TOLERANCE_S) -> Score:
    """Compare the counts of one clip with its truth."""
    truth = clip.crossings
    costs = [
        [
            gap + (OTHER_WAY if count.direction != true.direction else 0.0)
            if (gap := true.gap_s(count.t_s)) <= tolerance_s
            else IMPOSSIBLE
            for count in counts
        ]
        for true in truth
    ]
    pairs = [(i, j) for i, j in enumerate(assign(costs)) if j is not None and costs[i][j] < IMPOSSIBLE]
    taken = {j for _, j in pairs}
    extra = [
        count
        for j, count in enumerate(counts)
        if j not in taken and not any(start <= count.t_s <= end for start, end in clip.ignore)
    ]
    score = Score(clip.name, true=len(truth), matched=len(pairs), counted=len(pairs) + len(extra))
    score.doubled = sum(any(true.gap_s(count.t_s) <= tolerance_s for true in truth) for count in extra)
    for true in truth:
        score.groups.setdefault(TWO_WHEELER.get(true.class_name, true.class_name), [0, 0, 0])[0] += 1
    for i, j in pairs:
        true, count = truth[i], counts[j]
        score.direction_right += count.direction == true.direction
        score.class_right += count.class_name in (true.class_name, true.class_alt)
        group = score.groups[TWO_WHEELER.get(true.class_name, true.class_name)]
        group[1] += 1
        group[2] += TWO_WHEELER.get(count.class_name, count.class_name) in true.groups
    return score


def pooled(scores: Iterable[Score], name: str = "all clips together") -> Score:
    """Add the scores of several clips: every crossing weighs the same."""
    total = Score(name)
    for score in scores:
        for key in ("true", "counted", "matched", "direction_right", "class_right", "doubled"):
            setattr(total, key, getattr(total, key) + getattr(score, key))
        for group, values in score.groups.items():
            sums = total.groups.setdefault(group, [0, 0, 0])
            sums[:] = [a + b for a, b in zip(sums, values, strict=True)]
    return total


def assign(costs: Sequence[Sequence[float]]) -> list[int | None]:
    """Return the column of each row in the cheapest one-to-one assignment (Hungarian method, by shortest paths)."""
    rows = len(costs)
    columns = len(costs[0]) if rows else 0
    if rows > columns:
        back: list[int | None] = [None] * rows
        for j, i in enumerate(assign([[costs[i][j] for i in range(rows)] for j in range(columns)])):
            if i is not None:
                back[i] = j
        return back
    row_price, column_price = [0.0] * (rows + 1), [0.0] * (columns + 1)
    row_of = [0] * (columns + 1)  # rows and columns count from 1; 0 is none
    for row in range(1, rows + 1):
        column, came = shortest_path(costs, row, row_of, row_price, column_price)
        while column:
            row_of[column] = row_of[came[column]]
            column = came[column]
    partner: list[int | None] = [None] * rows
    for j in range(1, columns + 1):
        if row_of[j]:
            partner[row_of[j] - 1] = j - 1
    return partner


def shortest_path(
    costs: Sequence[Sequence[float]], row: int, row_of: list[int], row_price: list[float], column_price: list[float]
) -> tuple[int, list[int]]:
    """Find the cheapest way from a row to a free column; return that column and the way back."""
    columns = len(column_price) - 1
    row_of[0] = row
    column = 0
    nearest, came, used = [float("inf")] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
    while True:
        used[column] = True
        here, step, following = row_of[column], float("inf"), 0
        for j in range(1, columns + 1):
            if used[j]:
                continue
            price = costs[here - 1][j - 1] - row_price[here] - column_price[j]
            if price < nearest[j]:
                nearest[j], came[j] = price, column
            if nearest[j] < step:
                step, following = nearest[j], j
        for j in range(columns + 1):
            if used[j]:
                row_price[row_of[j]] += step
                column_price[j] -= step
            else:
                nearest[j] -= step
        column = following
        if row_of[column] == 0:
            return column, came
