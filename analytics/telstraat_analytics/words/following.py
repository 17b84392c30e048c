"""The words about a measure that is followed week by week."""

from __future__ import annotations

from telstraat_contract.languages import gettext_noop as _

FOLLOWING_WORDS: dict[str, str] = {
    "follow.subject": _("{name}: news after {weeks} weeks"),
    "follow.fell": _("{subject}: {size} less than expected ({low} to {high}), {weeks} weeks after {date}."),
    "follow.rose": _("{subject}: {size} more than expected ({low} to {high}), {weeks} weeks after {date}."),
    "follow.unclear": _(
        "{subject}: no change can be told from chance ({size}, between {low} and {high}), {weeks} weeks after {date}."
    ),
    "follow.no_answer": _("{subject}: no answer {weeks} weeks after {date}: {reasons}."),
    "follow.fades": _("The effect fades: the second half of the time since then shows less of it than the first."),
    "follow.grows": _("The effect grows: the second half of the time since then shows more of it than the first."),
    "follow.boundary.rose": _(
        "{where}, beside it: {size} more than expected in the hours seen on both sides ({low} to {high}), {weeks} weeks after {date}. Traffic may have moved there."
    ),
    "follow.boundary.fell": _(
        "{where}, beside it: {size} less than expected in the hours seen on both sides ({low} to {high}), {weeks} weeks after {date}."
    ),
    "follow.boundary.unclear": _(
        "{where}, beside it: no change can be told from chance ({size}, between {low} and {high}) in the hours seen on both sides, {weeks} weeks after {date}."
    ),
    "follow.looks": _(
        "These intervals hold however often one looks: they are wider than those of an evaluation that is made once."
    ),
    "follow.until": _("The measure is looked at every week until {date}, {weeks} weeks after it began."),
    "follow.last": _(
        "This is the last letter: weekly looks end {weeks} weeks after a measure began, here on {date}. It can be evaluated at any time."
    ),
    "follow.why": _("You follow this measure on {site}. A letter comes only when something has changed."),
    "follow.stop": _("No more letters: {link}"),
    "follow.stop_title": _("No more letters"),
    "follow.stop_ask": _("Do you want no more letters about this measure?"),
    "follow.stopped": _("You get no more letters about this measure."),
    "follow.spent": _("This link has done its work: no letters come from where it was."),
}
"""Every key with its English text."""
