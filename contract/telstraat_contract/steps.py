"""How long each period of a street is, told from where the next one starts: streets change from hours to quarters, and back."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

QUARTER_S, HALF_HOUR_S, HOUR_S = 900, 1800, 3600
HOURS_IN_A_ROW = 5
HALVES_IN_A_ROW = 12


def steps_of(starts: Sequence[int]) -> list[int]:
    """Return the length of each period in seconds: 900, 1800 or 3600.

    A period never reaches into the next one. One with room to spare is long where its neighbours are (a stretch of hours
    before a stretch of quarters), and short with a gap behind it elsewhere.

    Parameters
    ----------
    starts
        Unix seconds of the periods of ONE street, ascending, without doubles.

    Returns
    -------
    list of int
        As long as `starts`. A street with a single row, or none closer than an hour, has hours.
    """
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    if not gaps or min(gaps) >= HOUR_S:
        return [HOUR_S] * len(starts)
    smallest = HALF_HOUR_S if min(gaps) >= HALF_HOUR_S else QUARTER_S
    steps = [smallest] * len(starts)
    if smallest == QUARTER_S:
        _mark(steps, starts, gaps, HALF_HOUR_S, HALVES_IN_A_ROW)
    _mark(steps, starts, gaps, HOUR_S, HOURS_IN_A_ROW)
    return steps


def _mark(steps: list[int], starts: Sequence[int], gaps: Sequence[int], step: int, least: int) -> None:
    """Give `step` to each run of at least `least` gaps that leave room for it, all at the same minutes."""
    begin = 0
    for row in range(len(starts)):
        has_room = row == len(gaps) or gaps[row] >= step
        if has_room and row < len(gaps) and (starts[row + 1] - starts[begin]) % step == 0:
            continue
        length = row - begin
        if length >= least and (step == HOUR_S or 2 * gaps[begin:row].count(step) > length):
            end = row + 1 if has_room else row
            steps[begin:end] = [step] * (end - begin)
        begin = row + 1
