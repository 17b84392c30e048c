"""What counting these very streets would show: the smallest change that is seen, by weeks and by control streets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from telstraat_analytics.designs.series import CONTROLS_MAX
from telstraat_analytics.planning import WEEKS, plan

TARGET = -0.2
"""Only its sign matters here: what is looked for is a fall."""

MORE = (0, 1, 2, 4, 6)
AT_WEEKS = 8


@dataclass(frozen=True)
class Outlook:
    """The smallest falls of one kind of traffic that counting would show four times out of five.

    Attributes
    ----------
    what
        A class.
    per_day
        Crossings on a comparable day of one street.
    weeks
        Before and, as many, after.
    smallest
        Per number of weeks, as a share: 0.12 is a fall of 12 %.
    by_controls
        Numbers of control streets and, after `AT_WEEKS` weeks with so many, the smallest fall.
    """

    what: str
    per_day: float
    weeks: tuple[int, ...]
    smallest: tuple[float, ...]
    by_controls: tuple[tuple[int, float], ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)


def outlooks(per_day: Mapping[str, float], treated: int, controls: int) -> list[Outlook]:
    """Return what counting would show of each kind of traffic.

    Parameters
    ----------
    per_day
        Crossings on a comparable day of one street, by class.
    treated
        Streets with the measure that are counted.
    controls
        Streets without it that are counted.
    """
    used = min(controls, CONTROLS_MAX)

    def smallest(what: str, count: int, weeks: tuple[int, ...]) -> tuple[float, ...]:
        table = plan(what, TARGET, per_day[what], controls=count, sensors=(treated,), weeks=weeks).table
        return tuple(float(-value) for value in table["detectable"])

    return [
        Outlook(
            what,
            level,
            WEEKS,
            smallest(what, used, WEEKS),
            tuple((count, smallest(what, count, (AT_WEEKS,))[0]) for count in MORE),
        )
        for what, level in per_day.items()
    ]
