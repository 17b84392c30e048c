"""The words of a room: its phases, kinds of notes, and what scripts say on phones and on the wall."""

from __future__ import annotations

from telstraat_api.web.workshops.room_shapes import BODY_MAX, KINDS
from telstraat_contract.languages import gettext_noop
from telstraat_store.errors import BadValueError, ClosedRoomError, TooOftenError

PHASE_NAMES = {
    "look": gettext_noop("Look"),
    "collect": gettext_noop("Collect"),
    "group": gettext_noop("Group"),
    "vote": gettext_noop("Vote"),
    "agree": gettext_noop("Agree"),
}
PHASE_HINTS = {
    "look": gettext_noop("Look at the counts together: what do you see?"),
    "collect": gettext_noop("Add what you see, why it may be so, and what could be done."),
    "group": gettext_noop("Notes that belong together are put together."),
    "vote": gettext_noop("Choose what matters most to you."),
    "agree": gettext_noop("What is agreed is written down."),
}
NOTE_KINDS = {
    "observation": gettext_noop("Observation"),
    "cause": gettext_noop("Cause"),
    "proposal": gettext_noop("Proposal"),
    "note": gettext_noop("Note"),
    "question": gettext_noop("Question"),
    "answer": gettext_noop("Answer"),
    "agreement": gettext_noop("Agreed"),
}
NOT_TAKEN = {
    ClosedRoomError: gettext_noop("Nothing is taken now: your text is still here, try again when the room goes on."),
    TooOftenError: gettext_noop("That was much at once: wait a moment, then send it again."),
    BadValueError: gettext_noop("This room has as much as it holds."),
}
ROOM_KINDS = {kind: NOTE_KINDS[kind] for kind in KINDS}
SUBJECTS = {
    "pedestrian": gettext_noop("pedestrians"),
    "bike": gettext_noop("bicycles"),
    "car": gettext_noop("cars"),
    "heavy": gettext_noop("heavy vehicles"),
}
MORE = gettext_noop("expects {percent} % more {what}")
LESS = gettext_noop("expects {percent} % fewer {what}")
SAME = gettext_noop("expects as many {what} as before")

WORDS = {
    **{f"phase_{name}": text for name, text in PHASE_NAMES.items()},
    **{f"hint_{name}": text for name, text in PHASE_HINTS.items()},
    **{f"kind_{name}": text for name, text in NOTE_KINDS.items()},
    **{f"what_{name}": text for name, text in SUBJECTS.items()},
    "more": MORE,
    "less": LESS,
    "same": SAME,
    "alone": gettext_noop("Not in a group"),
    "closed": gettext_noop("This room is closed. What was said stands in the minutes."),
    "not_taking": gettext_noop("No notes are taken now."),
    "away": gettext_noop("No connection. What you write is kept on this phone and sent later."),
    "back": gettext_noop("Connected."),
    "waiting": gettext_noop("not sent yet"),
    "sent": gettext_noop("Your note is there."),
    "refused": gettext_noop("not taken"),
    "try_again": gettext_noop("Send again"),
    "throw_away": gettext_noop("Throw away"),
    "take_back": gettext_noop("Take back"),
    "yours": gettext_noop("yours"),
    "votes": gettext_noop("votes: {n}"),
    "votes_left": gettext_noop("Votes left: {n} of {all}"),
    "no_votes_left": gettext_noop("All your votes are given: take one back to give it elsewhere."),
    "people": gettext_noop("Here: {n}"),
    "voters": gettext_noop("Have voted: {n}"),
    "nothing": gettext_noop("Nobody has written anything yet."),
    "older": gettext_noop("Show older notes"),
    "picked": gettext_noop("On the chart: {at}"),
    "picked_place": gettext_noop("On the map"),
    "unpin": gettext_noop("Take the pin away"),
    "hide": gettext_noop("Hide"),
    "unhide": gettext_noop("Show again"),
    "delete": gettext_noop("Delete"),
    "hidden": gettext_noop("hidden"),
    "time_up": gettext_noop("Time is up"),
    "move_to": gettext_noop("Move to"),
    "move": gettext_noop("Move"),
    "change_group": gettext_noop("Change the group"),
    "group_name": gettext_noop("Name"),
    "rename": gettext_noop("Rename"),
    "take_apart": gettext_noop("Take apart"),
    "saved": gettext_noop("Done."),
    "failed": gettext_noop("This did not work. Try again."),
    "map": gettext_noop("The map"),
}

__all__ = ["BODY_MAX", "NOTE_KINDS", "NOT_TAKEN", "PHASE_HINTS", "PHASE_NAMES", "ROOM_KINDS", "SUBJECTS", "WORDS"]
