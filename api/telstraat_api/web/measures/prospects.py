"""What is said of a measure before it is evaluated: streets that would serve as controls, and how long one must count."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import orjson
from fastapi import Request

from telstraat_api.errors import BusyError, EvaluationError
from telstraat_api.evaluations.evaluator import Evaluator
from telstraat_api.settings import ApiSettings
from telstraat_api.v1.measure_file import analysed
from telstraat_api.v1.resources import audience_of
from telstraat_api.web.pages import visitor_of
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Database
from telstraat_store.places.picking import list_nearest_counted
from telstraat_store.work.measures import ROLES, streets_treated

CANDIDATES_MAX = 24
AROUND_DAYS = 182
"""Another measure in a street, so long before or after this one, makes it a bad control."""

CONTROLS_SUGGESTED = BOUNDARY_SUGGESTED = 6
KEPT_MAX, KEPT_S = 64, 300.0
BUSY: str = gettext_noop("Others are computing just now. Try it again in a minute.")
FAILED: str = gettext_noop("This could not be computed from the counts that are there.")


@dataclass(frozen=True)
class Prospects:
    """What came of looking at the streets before the measure.

    Attributes
    ----------
    candidates
        `telstraat_analytics.designs.candidates.Candidate.to_dict`, the best first, and their `name`.
    treated
        The same of the streets with the measure.
    outlooks
        `telstraat_analytics.designs.outlook.Outlook.to_dict`.
    first, last
        The days that were looked at.
    problem
        Why there is nothing, as a text that the template translates; empty when there is.
    """

    candidates: list[dict[str, Any]] = field(default_factory=list)
    treated: list[dict[str, Any]] = field(default_factory=list)
    outlooks: list[dict[str, Any]] = field(default_factory=list)
    first: date = date.min
    last: date = date.min
    problem: str = ""

    @property
    def controls(self) -> list[dict[str, Any]]:
        """Return the streets that can be recommended, the best first."""
        return [candidate for candidate in self.candidates if candidate["is_good"]]

    @property
    def boundary(self) -> list[dict[str, Any]]:
        """Return the streets to which traffic may move, the nearest first."""
        near = [candidate for candidate in self.candidates if candidate["obstacle"] == "near"]
        return sorted(near, key=lambda candidate: candidate["distance_m"])

    @property
    def others(self) -> list[dict[str, Any]]:
        """Return the streets that cannot be recommended as either."""
        return [
            candidate for candidate in self.candidates if not candidate["is_good"] and candidate["obstacle"] != "near"
        ]

    def suggested(self, roles: Mapping[int, str]) -> dict[int, str]:
        """Return roles with the suggested ones for a list that is empty; what somebody has chosen stays."""
        out = dict(roles)
        for role, streets, most in (
            ("controls", self.controls, CONTROLS_SUGGESTED),
            ("boundary", self.boundary, BOUNDARY_SUGGESTED),
        ):
            if role not in roles.values():
                for street in [each for each in streets if not out.get(int(each["segment"]))][:most]:
                    out[int(street["segment"])] = role
        return out


KNOWN: OrderedDict[str, bytes] = OrderedDict()
"""What was computed lately, by all that it was computed from and the day: the same is not computed again for each reader."""

COMPUTING: dict[str, asyncio.Task[bytes]] = {}
"""What is being computed just now: whoever asks for the very same waits for it, and it goes on when the asker goes away."""


async def prospects_of(
    request: Request, measure: Mapping[str, Any], what: str, today: date, *, suggest: bool = False
) -> Prospects:
    """Look at the streets of a measure, and at others, before it.

    Parameters
    ----------
    request
        For the application's parts.
    measure
        As `telstraat_api.v1.measures.measure_shape` gives it; number 0 for one that is not saved.
    what
        Which traffic the streets must have in common.
    today
        Nothing later is looked at.
    suggest
        Whether the good candidates stand for controls that nobody has chosen yet.
    """
    database: Database = request.app.state.database
    settings: ApiSettings = request.app.state.settings
    first_day = date.fromisoformat(measure["first_day"])
    around = timedelta(days=AROUND_DAYS)
    async with database.connection() as connection:
        plain = await analysed(connection, measure)
        nearest = await list_nearest_counted(connection, measure["treated"], CANDIDATES_MAX)
        elsewhere = await streets_treated(
            connection, audience_of(visitor_of(request)), first_day - around, first_day + around, measure["measure_id"]
        )
    names = {str(row["segment_id"]): row["name"] for row in nearest} | plain["names"]
    chosen = [str(number) for role in ROLES for number in measure[role] if role != "treated"]
    task = {
        "dsn": database.dsn,
        "measure": plain,
        "candidates": list(dict.fromkeys([*chosen, *(str(row["segment_id"]) for row in nearest)])),
        "elsewhere": [str(number) for number in sorted(elsewhere)],
        "today": today.isoformat(),
        "what": what,
        "whole": settings.quarter_min > 0,
        "suggest": suggest,
    }
    try:
        answer = orjson.loads(await computed(request.app.state.evaluator, task))
    except BusyError:
        return Prospects(problem=BUSY)
    except EvaluationError:
        return Prospects(problem=FAILED)
    for candidate in (*answer["candidates"], *answer["treated"]):
        candidate["name"] = names.get(candidate["segment"], candidate["segment"])
    return Prospects(
        answer["candidates"],
        answer["treated"],
        answer["outlooks"],
        date.fromisoformat(answer["first"]),
        date.fromisoformat(answer["last"]),
    )


async def computed(evaluator: Evaluator, task: Mapping[str, Any]) -> bytes:
    """Return what a process answers, or has answered to the very same before."""
    lately = int(time.monotonic() // KEPT_S)  # counts that come in are looked at soon
    key = hashlib.sha256(orjson.dumps([lately, task], option=orjson.OPT_SORT_KEYS)).hexdigest()
    if key in KNOWN:
        KNOWN.move_to_end(key)
        return KNOWN[key]
    running = COMPUTING.get(key)
    if running is None:
        running = COMPUTING[key] = asyncio.create_task(evaluator.run("prospects", task))

        def ended(task: asyncio.Task[bytes]) -> None:
            del COMPUTING[key]
            if not task.cancelled() and task.exception() is None:
                KNOWN[key] = task.result()
                while len(KNOWN) > KEPT_MAX:
                    KNOWN.popitem(last=False)

        running.add_done_callback(ended)
    return await asyncio.shield(running)
