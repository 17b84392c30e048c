"""What people of the town have been up to, done through the API as they would have done it; what is there already stays.

Everything is known again by its name, so a set-up that was interrupted goes on, and a visitor's own work is left alone.
"""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from telstraat_demo.errors import StackError
from telstraat_demo.town.cast import Cast
from telstraat_demo.town.people import CITIZEN, FACILITATOR, NEIGHBOUR, OFFICER, OPERATOR, Person
from telstraat_demo.town.plan import DAY, TownPlan
from telstraat_demo.town.workshop import workshop_day

API = "/api/v1"
ANSWER_S = 60.0
LISTED_MAX = 500
EVALUATION_S, LOOK_AGAIN_S = 920.0, 1.0
UNDER_WAY = {"waiting", "running"}
BEFORE_DAYS, AFTER_DAYS, TRANSITION_DAYS = 91, 84, 14
QUESTIONS = ({"what": "car"}, {"what": "bike"}, {"what": "heavy"})
PLAN_NAME = "Circulation plan for the centre"
SCHOOL_NAME = "School street in {street}"
WORKS_TITLE = "New water main in {street}"
FAIR_TITLE = "Neighbourhood fair"
WORKSHOP_TITLE = "What do we want with {street}?"


class Story:
    """Tells the story to one API."""

    def __init__(
        self, address: str, keys: Mapping[str, str], plan: TownPlan, cast: Cast, segments: Mapping[str, int], zone: str
    ) -> None:
        self.plan, self.cast, self.segments, self.zone = plan, cast, segments, ZoneInfo(zone)
        self.http = httpx.Client(base_url=address, timeout=ANSWER_S)
        self.keys = keys

    def close(self) -> None:
        """Close the connection."""
        self.http.close()

    def tell(self, sensors: Mapping[str, str]) -> int:
        """Do all that takes no computing, and return the number of the workshop; `sensors` are the citizen's own, by street."""
        self._claim(CITIZEN, sensors)
        self._works()
        measure_id = self._circulation_plan()
        if measure_id is not None:
            self._follow(measure_id, (CITIZEN, NEIGHBOUR, OFFICER))
        school_id = self._school_street()
        self._follow(school_id, (CITIZEN, FACILITATOR))
        return self._workshop(school_id)

    def evaluate(self) -> None:
        """Have the circulation plan evaluated as the product does it, and published: some seconds to minutes."""
        measure_id = self._circulation_plan()
        if measure_id is None:
            return
        if not self._listed(OFFICER, "evaluations", measure=measure_id):
            body = {"measure_id": measure_id, "questions": QUESTIONS, "by": ["hour", "direction"], "published": True}
            job = self._post(OFFICER, "/evaluations", body)
            until = clock.monotonic() + EVALUATION_S
            while job["state"] in UNDER_WAY and clock.monotonic() < until:
                clock.sleep(LOOK_AGAIN_S)
                job = self._get(OFFICER, f"/jobs/{job['job_id']}")
            if job["state"] != "done":
                raise StackError(f"the town's evaluation is {job['state']}: {job['error'] or job['doing']}")

    def _claim(self, person: Person, sensors: Mapping[str, str]) -> None:
        """Claim sensors with codes that the operator has made, as the notes say that come with them."""
        own = {claim["sensor"] for claim in self._get(person, "/claims")["claims"]}
        known = {each["name"]: each["sensor_id"] for each in self._listed(OPERATOR, "sensors")}
        for sensor in sensors.values():
            if sensor not in own:
                code = self._post(OPERATOR, f"/sensors/{known[sensor]}/claim-code", None)["code"]
                self._post(person, "/claims", {"sensor": sensor, "code": code})

    def _works(self) -> None:
        """Mark the roadworks, whose days are left out of comparisons, and a fair."""
        first, end = self.plan.roadworks
        works = WORKS_TITLE.format(street=self.cast.works)
        fair = self.plan.plan_day - 40 * DAY
        fair += (5 - fair.weekday()) * DAY
        events = (
            (OFFICER, self.cast.works, "road_works", works, self._at(first, 7), self._at(end, 0), True),
            (NEIGHBOUR, self.cast.live, "festivity", FAIR_TITLE, self._at(fair, 10), self._at(fair, 20), False),
        )
        for person, street, kind, title, from_at, until_at, excludes in events:
            segment = self.segments[street]
            if any(each["title"] == title for each in self._listed(OPERATOR, "events", segment=segment)):
                continue
            body = {
                "segment_id": segment,
                "kind": kind,
                "title": title,
                "from_at": from_at.isoformat(),
                "until_at": until_at.isoformat(),
                "excludes": excludes,
                "published": True,
            }
            self._post(person, "/events", body)

    def _circulation_plan(self) -> int | None:
        """Note down the plan of five months ago and return its number; None in a town that is too young for it."""
        if not self.plan.knows_before:
            return None
        body = {
            "name": PLAN_NAME,
            "kind": "circulation_plan",
            "description": "Through traffic is led around the centre: filters of planters in three streets, and a new one-way system. "
            "Bicycles, buses and emergency services pass.",
            "first_day": self.plan.plan_day.isoformat(),
            **self._roles(self.cast.treated, self.cast.boundary, self.cast.controls),
            "before_days": BEFORE_DAYS,
            "after_days": AFTER_DAYS,
            "transition_days": TRANSITION_DAYS,
            "chosen_for": "plan",
            "speed_limit_kmh": 30,
            "published": True,
        }
        return self._measure(OFFICER, body)

    def _school_street(self) -> int:
        """Note down the school street that is being planned and return its number."""
        school = self.cast.school
        body = {
            "name": SCHOOL_NAME.format(street=school),
            "kind": "school_street",
            "description": "Closed to motor traffic for half an hour when school begins and when it ends. A trial of one year.",
            "first_day": self.plan.school_street_day.isoformat(),
            **self._roles((school,), self.cast.school_edge, self.cast.school_controls),
            "chosen_for": "complaints",
            "speed_limit_kmh": 30,
            "published": True,
        }
        return self._measure(OFFICER, body)

    def _roles(self, treated: Sequence[str], boundary: Sequence[str], controls: Sequence[str]) -> dict[str, list[int]]:
        named = {"treated": treated, "boundary": boundary, "controls": controls}
        return {role: [self.segments[street] for street in streets] for role, streets in named.items()}

    def _measure(self, person: Person, body: dict[str, Any]) -> int:
        for each in self._listed(person, "measures"):
            if each["name"] == body["name"]:
                return int(each["measure_id"])
        return int(self._post(person, "/measures", body)["measure_id"])

    def _follow(self, measure_id: int, people: Sequence[Person]) -> None:
        for person in people:
            self._send(person, "PUT", f"/measures/{measure_id}/following", {"what": "car", "language": "nl"})

    def _workshop(self, measure_id: int) -> int:
        """Prepare the workshop about the school street and return its number."""
        title = WORKSHOP_TITLE.format(street=self.cast.school)
        for each in self._listed(FACILITATOR, "workshops"):
            if each["title"] == title:
                return int(each["workshop_id"])
        held = workshop_day(self.plan)
        streets = (self.cast.school, *self.cast.school_edge, "Vaartkaai")
        body = {
            "title": title,
            "place": "Refectory of the school",
            "held_at": self._at(held, 19).isoformat(),
            "segments": [self.segments[street] for street in streets],
            "first_day": (held - 28 * DAY).isoformat(),
            "last_day": (held - DAY).isoformat(),
            "measure_id": measure_id,
            "published": True,
        }
        return int(self._post(FACILITATOR, "/workshops", body)["workshop_id"])

    def _at(self, day: date, hour: int) -> datetime:
        return datetime.combine(day, time(hour), self.zone)

    def _listed(self, person: Person, what: str, **query: Any) -> list[dict[str, Any]]:
        """Return as many as the API lists at once."""
        listed: list[dict[str, Any]] = self._send(person, "GET", f"/{what}", None, {"limit": LISTED_MAX, **query})[what]
        return listed

    def _get(self, person: Person, path: str) -> dict[str, Any]:
        return self._send(person, "GET", path, None)

    def _post(self, person: Person, path: str, body: object) -> dict[str, Any]:
        return self._send(person, "POST", path, body)

    def _send(
        self, person: Person, method: str, path: str, body: object, query: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        answer = self.http.request(
            method,
            API + path,
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self.keys[person.email]}"},
        )
        if answer.is_error:
            raise StackError(
                f"the town's story: {method} {path} of {person.name}: {answer.status_code} {answer.text[:300]}"
            )
        content: dict[str, Any] = answer.json()
        return content
