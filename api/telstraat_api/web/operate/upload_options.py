"""How an uploaded file is to be read: from the fields of a form, and back into them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from telstraat_api.web.forms import NO_NUMBER, PageForm
from telstraat_contract.languages import gettext_noop
from telstraat_store.counts.windows import is_zone
from telstraat_store.imports.numbers import whole_number

NO_ZONE = gettext_noop("There is no such time zone. Write it like Europe/Brussels.")
SAID = {
    "times": ("local", "utc"),
    "dates": ("dmy", "mdy", "ymd"),
    "decimal": ("point", "comma"),
    "counts": ("corrected", "raw"),
}
"""What a file of counts may leave open, and the answers to it; empty: the file says it itself."""

STREET = "street/"
"""A field of this name and the name of a street in the file holds the segment it belongs to."""


def options_of(kind: str, form: PageForm) -> dict[str, Any]:
    """Return how a file is to be read; what cannot be used is an error beside its field."""
    return options_of_counts(form) if kind == "counts" else options_of_streets(form)


def options_of_streets(form: PageForm) -> dict[str, Any]:
    """Return how a file of streets is to be read."""
    zone = form.text("timezone", longest=60)
    if zone and not is_zone(zone):
        form.errors["timezone"] = NO_ZONE
    names = form.text("names", longest=20_000, needed=False)
    return {
        "timezone": zone,
        "anywhere": form.value("anywhere") == "yes",
        "at_junctions": form.value("at_junctions") == "yes",
        "ground": form.value("ground") == "yes",
        "names": [name.strip() for name in names.replace("\n", ",").split(",") if name.strip()],
        "credit": form.text("credit", longest=200, needed=False),
    }


def options_of_counts(form: PageForm) -> dict[str, Any]:
    """Return how a file of counts is to be read."""
    options: dict[str, Any] = {
        "source": form.text("source", longest=100),
        "licence": form.text("licence", longest=200, needed=False),
        "credit": form.text("credit", longest=300, needed=False),
    }
    options |= {name: form.value(name) for name, answers in SAID.items() if form.value(name) in answers}
    streets: dict[str, int] = {}
    for field in form.fields:
        if field.startswith(STREET) and form.value(field).strip():
            number = whole_number(form.value(field).strip())
            if number is None:
                form.errors[field] = NO_NUMBER
            else:
                streets[field.removeprefix(STREET)] = number
    return {**options, "streets": streets}


def page_form_of(kind: str, options: Mapping[str, Any]) -> PageForm:
    """Return the form that asks for these options."""
    fields = {"kind": [kind]}
    for name, value in options.items():
        if name == "streets":
            fields |= {STREET + street: [str(number)] for street, number in value.items()}
        elif name == "names":
            fields[name] = [", ".join(value)]
        elif isinstance(value, bool):
            fields[name] = ["yes"] if value else []
        else:
            fields[name] = [str(value)]
    return PageForm(fields)
