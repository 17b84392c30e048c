"""The form of a measure: from what was typed to what the API takes, and from a measure back to the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from secrets import token_urlsafe
from typing import Any

from pydantic import ValidationError

from telstraat_api.v1.evaluations import Asked
from telstraat_api.v1.measures import MeasureChange, NewMeasure
from telstraat_api.web.forms import PageForm, digits_in
from telstraat_api.web.measures import names
from telstraat_contract.road_users import CLASSES
from telstraat_store.connection import Row
from telstraat_store.work.measures import ROLES

STREET = "street-"
STREETS_MAX = 50
QUESTIONS_MAX = 6
SHARES = ("v85", "above_limit", "bike_share")


@dataclass(frozen=True)
class MeasureDraft:
    """A form that was read: `values` are what `NewMeasure` takes, `ask` what shall be asked of it; of use without errors only."""

    values: dict[str, Any]
    ask: dict[str, Any]

    @property
    def streets(self) -> dict[str, list[int]]:
        """Return the streets by the name of their list."""
        return {name: self.values[name] for name in ROLES}

    def questions(self) -> list[dict[str, Any]]:
        """Return the questions as evaluations take them."""
        return questions_of(self.ask)


def questions_of(ask: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the questions of a measure as evaluations take them."""
    shared = {name: ask[name] for name in ("direction", "hours", "days", "against")}
    return [Asked.model_validate({"what": what, **shared}).model_dump() for what in ask["what"]]


def ask_of(measure: Row) -> dict[str, Any]:
    """Return what shall be asked of a measure; cars, when nobody has said."""
    usual = {"what": ["car"], "direction": "", "hours": [], "days": "all", "against": "before", "by": []}
    before_asked = measure["details"].get("asked")
    return usual | before_asked if isinstance(before_asked, dict) else usual


def roles_of(form: PageForm) -> dict[int, str]:
    """Return the role of every street that the form names, also of those that have none."""
    roles = {}
    for name in form.fields:
        number = digits_in(name.removeprefix(STREET))
        if name.startswith(STREET) and number:
            role = form.value(name)
            roles[number] = role if role in ROLES else ""
    return roles


def draft_of(form: PageForm) -> MeasureDraft:
    """Read a form; what cannot be used is in `form.errors`."""
    chosen = roles_of(form)
    streets = {name: [number for number, role in chosen.items() if role == name] for name in ROLES}
    if not streets["treated"]:
        form.errors["streets"] = names.EMPTY
    if any(len(numbers) > STREETS_MAX for numbers in streets.values()):
        form.errors["streets"] = names.TOO_MANY
    first_day = form.day("first_day")
    values = {
        "name": form.text("name", longest=200),
        "kind": picked(form, "kind", names.KINDS),
        "description": form.text("description", longest=4000, needed=False).replace("\r\n", "\n"),
        "first_day": first_day.isoformat() if first_day else "",
        **streets,
        **{
            field: form.whole(field, low, high)
            for field, low, high in (
                ("before_days", 7, 730),
                ("after_days", 7, 730),
                ("transition_days", 0, 365),
                ("speed_limit_kmh", 5, 150),
            )
        },
        "chosen_for": picked(form, "chosen_for", names.REASONS),
        "closed_to": [kind for kind in form.values("closed_to") if kind in CLASSES],
    }
    draft = MeasureDraft(values, asked_in(form))
    if not form.errors:
        check(form, values)
    return draft


def asked_in(form: PageForm) -> dict[str, Any]:
    """Read what shall be asked."""
    what = [name for name in dict.fromkeys(form.values("what")) if name in names.QUESTIONS]
    if not 1 <= len(what) <= QUESTIONS_MAX:
        form.errors["what"] = names.NOTHING_ASKED
    against = picked(form, "against", names.AGAINST)
    if against == "last year" and set(what) & set(SHARES):
        form.errors["against"] = names.NOT_LAST_YEAR
    first = form.whole("hour_from", 0, 23, needed=False)
    last = form.whole("hour_until", 1, 24, needed=False)
    if first is not None and last is not None and last <= first:
        form.errors["hour_until"] = names.HOURS_WRONG
    hours = [] if first is None and last is None else list(range(first or 0, last if last is not None else 24))
    return {
        "what": what,
        "direction": picked(form, "direction", names.DIRECTIONS),
        "hours": hours,
        "days": picked(form, "days", names.DAYS),
        "against": against,
        "by": [part for part in form.values("by") if part in names.PARTS],
    }


def picked(form: PageForm, name: str, options: Mapping[str, str]) -> str:
    """Read a choice; what is not offered is an error."""
    value = form.value(name)
    if value not in options:
        form.errors[name] = names.NOT_SO
    return value


def check(form: PageForm, values: Mapping[str, Any]) -> None:
    """Let the API's own shape judge what was typed, and mark the fields that it refuses."""
    try:
        NewMeasure.model_validate(values)
    except ValidationError as error:
        for problem in error.errors():
            field = str(problem["loc"][0]) if problem["loc"] else "streets"
            form.errors["streets" if field in ROLES else field] = names.NOT_SO


def change_in(draft: MeasureDraft) -> MeasureChange:
    """Return what the form changes of a measure."""
    return MeasureChange.model_validate(draft.values)


def empty_form(today: date, query: Mapping[str, str]) -> PageForm:
    """Return the form of a new measure: today in two weeks, cars; an address may name streets with the measure."""
    fields = {
        "form": [token_urlsafe(16)],
        "name": [query.get("name", "")[:200]],
        "kind": ["circulation_plan" if query.get("kind") not in names.KINDS else query["kind"]],
        "first_day": [(today + timedelta(days=14)).isoformat()],
        "before_days": ["56"],
        "after_days": ["56"],
        "transition_days": ["7"],
        "speed_limit_kmh": ["30"],
        "chosen_for": ["unknown"],
        "what": ["car", "bike"],
        "days": ["all"],
        "against": ["before"],
        "direction": [""],
    }
    for number in map(digits_in, query.get("treated", "").split(",")[:STREETS_MAX]):
        if number is not None:
            fields[f"{STREET}{number}"] = ["treated"]
    return PageForm(fields)


def form_of(measure: Row) -> PageForm:
    """Return the form that shows a measure as it is."""
    details, ask = measure["details"], ask_of(measure)
    hours = ask["hours"]
    usual = NewMeasure.model_fields
    fields = {
        "revision": [str(measure["revision"])],
        **{name: [str(measure[name])] for name in ("name", "kind", "description")},
        "first_day": [measure["first_day"].isoformat()],
        **{
            name: [str(details.get(name, usual[name].get_default()))]
            for name in ("before_days", "after_days", "transition_days", "speed_limit_kmh", "chosen_for")
        },
        "closed_to": list(details.get("closed_to", [])),
        "what": ask["what"],
        "by": ask["by"],
        **{name: [ask[name]] for name in ("direction", "days", "against")},
        "hour_from": [str(hours[0])] if hours else [],
        "hour_until": [str(hours[-1] + 1)] if hours else [],
        **{f"{STREET}{number}": [name] for name in ROLES for number in measure[name]},
    }
    return PageForm(fields)
