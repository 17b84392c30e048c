"""What people call each class of road user, and in which colour they see it, on pages and in reports.

The texts are English; the catalogues hold every other language.
"""

from __future__ import annotations

from typing import Final

from telstraat_contract.languages import gettext_noop

PLURALS: Final[dict[str, str]] = {
    "pedestrian": gettext_noop("Pedestrians"),
    "bike": gettext_noop("Bicycles"),
    "car": gettext_noop("Cars"),
    "heavy": gettext_noop("Heavy vehicles"),
    "night": gettext_noop("In the dark"),
}
"""Above a number."""
MODES: Final[dict[str, str]] = {
    "pedestrian": gettext_noop("on foot"),
    "bike": gettext_noop("by bicycle"),
    "car": gettext_noop("cars"),
    "heavy": gettext_noop("large vehicles"),
}
"""In a table or a legend of a report: who it was."""
SUBJECTS: Final[dict[str, str]] = {
    "pedestrian": gettext_noop("Pedestrian traffic"),
    "bike": gettext_noop("Bicycle traffic"),
    "car": gettext_noop("Car traffic"),
    "heavy": gettext_noop("Traffic of large vehicles"),
}
"""The subject of a sentence: what rose or fell."""
COLOURS: Final[dict[str, str]] = {"pedestrian": "#009e73", "bike": "#0072b2", "car": "#d55e00", "heavy": "#a8508f"}
"""On white paper, apart for colour-blind eyes; the pages' style sheet has them, too, and others for a dark screen."""

__all__ = ["COLOURS", "MODES", "PLURALS", "SUBJECTS"]
