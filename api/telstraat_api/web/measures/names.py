"""What measures, their streets and the questions about them are called on the pages."""

from __future__ import annotations

from typing import Final

from telstraat_contract.languages import gettext_noop

KINDS: Final[dict[str, str]] = {
    "circulation_plan": gettext_noop("Circulation plan"),
    "school_street": gettext_noop("School street"),
    "speed_limit": gettext_noop("Lower speed limit"),
    "closure": gettext_noop("Street closed to through traffic"),
    "one_way": gettext_noop("One-way street"),
    "cycle_street": gettext_noop("Cycle street"),
    "road_layout": gettext_noop("Other layout of the road"),
    "other": gettext_noop("Something else"),
}
REASONS: Final[dict[str, str]] = {
    "unknown": gettext_noop("no particular reason, or not known"),
    "plan": gettext_noop("it is part of a plan for the whole quarter"),
    "complaints": gettext_noop("people complained"),
    "bad month": gettext_noop("it was unusually busy just then"),
}
ROLE_NAMES: Final[dict[str, str]] = {
    "treated": gettext_noop("With the measure"),
    "boundary": gettext_noop("Around it"),
    "controls": gettext_noop("Compared with"),
}
QUESTIONS: Final[dict[str, str]] = {
    "car": gettext_noop("Cars"),
    "bike": gettext_noop("Bicycles"),
    "pedestrian": gettext_noop("Pedestrians"),
    "heavy": gettext_noop("Heavy vehicles"),
    "motor": gettext_noop("All motor traffic"),
    "v85": gettext_noop("Speed that 85 % of the cars keep to (V85)"),
    "above_limit": gettext_noop("Share of cars above the limit"),
    "bike_share": gettext_noop("Share of bicycles"),
}
"""What one can ask with a tick; the API knows more."""

DAYS: Final[dict[str, str]] = {
    "all": gettext_noop("every day"),
    "workdays": gettext_noop("Monday to Friday"),
    "weekend": gettext_noop("Saturday and Sunday"),
}
AGAINST: Final[dict[str, str]] = {
    "before": gettext_noop("the weeks before"),
    "last year": gettext_noop("the same weeks of last year"),
}
DIRECTIONS: Final[dict[str, str]] = {
    "": gettext_noop("both ways together"),
    "lft": gettext_noop("only from A to B"),
    "rgt": gettext_noop("only from B to A"),
}
PARTS: Final[dict[str, str]] = {
    "hour": gettext_noop("hour by hour"),
    "direction": gettext_noop("one way and the other"),
    "speed": gettext_noop("how the speeds shifted"),
}
OBSTACLES: Final[dict[str, str]] = {
    "treated": gettext_noop("Another measure acts there."),
    "no_counts": gettext_noop("Nobody counted there in these weeks."),
    "few_days": gettext_noop("Too few days were watched there."),
    "silent": gettext_noop(
        "Nobody has counted there for a week or longer: a street to compare with must be counted before and after."
    ),
    "faults": gettext_noop("Its sensor did not stay the same: it was moved, replaced, or saw something else."),
    "near": gettext_noop("It is so near that the traffic may move there: that makes it a street around the measure."),
    "unlike": gettext_noop("Its good and bad days are not those of the street with the measure."),
}
RESULTS: Final[dict[str, str]] = {
    "fell": gettext_noop("less"),
    "rose": gettext_noop("more"),
    "unclear": gettext_noop("cannot be told from chance"),
    "no_answer": gettext_noop("no answer"),
    "controls": gettext_noop("compared with"),
}
SURENESS: Final[dict[str, str]] = {
    "sure": gettext_noop(
        "Is it sure? As far as these counts can say: it is more than streets change by themselves, and no check that could be made leaves a doubt."
    ),
    "doubt": gettext_noop(
        "Is it sure? It is more than streets change by themselves, but some checks leave a doubt: they stand below."
    ),
    "failed": gettext_noop("Is it sure? No: a check failed. Do not quote the number without saying so."),
    "unclear": gettext_noop(
        "Is it sure? No: it cannot be told from what streets do by themselves. That is no proof that nothing changed."
    ),
    "no_answer": gettext_noop("There is no answer: these counts do not allow one."),
}
STATES: Final[dict[str, str]] = {
    "planned": gettext_noop("planned"),
    "running": gettext_noop("in force, being counted"),
    "evaluated": gettext_noop("evaluated"),
}
EMPTY: Final = gettext_noop("Choose at least one street with the measure.")
TOO_MANY: Final = gettext_noop("There may be at most 50 streets of each kind.")
NOTHING_ASKED: Final = gettext_noop("Tick at least one thing to ask, and at most six.")
NOT_SO: Final = gettext_noop("This cannot be used here.")
NOT_LAST_YEAR: Final = gettext_noop("Only counts can be compared with last year, not speeds and shares.")
HOURS_WRONG: Final = gettext_noop("The last hour must come after the first one.")
