"""The colours of the map: up to five steps between round numbers, or five around no change.

What is shown has the same steps whichever streets are listed: their borders come from all streets of the town.

The steps are told by colour and by how thick a line is: the scale from light to dark is readable without colours, and the colours of the one around
nothing (purple, orange) are apart for colour-blind eyes (ColorBrewer's YlGnBu and PuOr).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.town.town_view import Show, TownPeriod, TownView
from telstraat_contract.languages import gettext_noop

STEPS = 5
SHARES = tuple(nth / STEPS for nth in range(1, STEPS))
"""Of the town's streets: so many lie below each border, before it is rounded."""
BELOW = gettext_noop("below {value}")
BETWEEN = gettext_noop("{low} to {high}")
ABOVE = gettext_noop("{value} and more")
FIXED = {
    Show.ABOVE: (0.1, 0.25, 0.5, 0.75),
    Show.BIKE_SHARE: (0.1, 0.2, 0.3, 0.45),
    Show.CHANGE: (-0.2, -0.05, 0.05, 0.2),
}
AROUND_NOTHING = (-0.5, -0.2, 0.2, 0.5)
"""One hour differs from the usual one by chance: a fifth is nothing yet."""


@dataclass(frozen=True)
class ColourScale:
    """Borders between steps, in ascending order; what they are written as."""

    borders: tuple[float, ...]
    is_share: bool = False
    is_change: bool = False

    def step(self, value: float) -> int:
        """Return which step a value falls into, from 0."""
        return sum(value >= border for border in self.borders)

    def css(self, value: float) -> str:
        """Return the class of the style sheet of a value; with fewer steps the darkest are left out."""
        return f"{'turn' if self.is_change else 'step'}-{self.step(value) + 1}"

    def write(self, value: float, language: PageLanguage) -> str:
        """Write a value with its unit, changes with their sign."""
        if self.is_change:
            return signed(value, language)
        return language.percent(value) if self.is_share else language.number(value)

    def legend(self, language: PageLanguage) -> list[tuple[str, str]]:
        """Return class and range of each step, from the lowest."""
        kind = "turn" if self.is_change else "step"
        ends = [self.write(border, language) for border in self.borders]
        if not ends:
            return []
        texts = [language(BELOW, value=ends[0])]
        texts += [language(BETWEEN, low=low, high=high) for low, high in itertools.pairwise(ends)]
        texts.append(language(ABOVE, value=ends[-1]))
        return [(f"{kind}-{nth}", text) for nth, text in enumerate(texts, 1)]


def signed(value: float, language: PageLanguage) -> str:
    """Write a change with its sign: an unsigned one is easily misread."""
    if round(value * 100) == 0:
        return language.percent(0)
    return ("+" if value > 0 else "\u2212") + language.percent(abs(value))


def fixed_scale(view: TownView) -> ColourScale | None:
    """Return the scale of what has the same borders in every town; None where they come from the town's streets."""
    if view.period is TownPeriod.TYPICAL and view.show is not Show.BIKE_SHARE:
        return ColourScale(AROUND_NOTHING, is_change=True)
    if view.show in FIXED:
        return ColourScale(FIXED[view.show], is_share=True, is_change=view.show is Show.CHANGE)
    return None


def evenly(values: Sequence[float]) -> list[float]:
    """Return the values that share all of them out evenly among the steps; nothing for nothing."""
    ordered = sorted(values)
    return [ordered[min(len(ordered) - 1, nth * len(ordered) // STEPS)] for nth in range(1, STEPS)] if ordered else []


def round_borders(places: Sequence[float]) -> tuple[float, ...]:
    """Return up to four round borders near the places that share the values of all streets out evenly."""
    return tuple(sorted({rounded(value) for value in places} - {0.0}))


def rounded(value: float) -> float:
    """Return a value rounded to one or two digits: 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten."""
    if value <= 0:
        return 0.0
    power = 10 ** math.floor(math.log10(value))
    return float(min((1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10), key=lambda step: abs(step * power - value)) * power)
