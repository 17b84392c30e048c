"""What an error message says: where a mistake stands, what is wrong with the value, and what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from telstraat_contract.settings.fields import Given, Key, Setting

ERROR_PATH = re.compile(r" - at `\$\.(\w+)(?:\.(\w+))?")

Settings = Mapping[Key, Setting]


def tables_of(settings: Settings) -> set[str]:
    """Return the names of the tables that hold settings."""
    return {table for table, _ in settings if table}


def place(file: Path, text: str, table: str, key: str | None) -> str:
    """Return file and line of a key, or of a table's header, as far as a search finds it."""
    inside = not table
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[\s*([\w.-]+)\s*\]", line)
        if header:
            inside = header[1] == table
            if inside and key is None:
                return f"{file}:{number}"
        elif key is not None and inside and re.match(rf"\s*\"?{re.escape(key)}\"?\s*=", line):
            return f"{file}:{number}"
    return str(file)


def wrong_value(settings: Settings, given: Mapping[Key, Given], reason: str, where: str) -> str:
    """Return which setting has which wrong value, and what the setting is for."""
    path = ERROR_PATH.search(reason)
    what = reason.split(" - at ", maxsplit=1)[0]
    if path is None:
        return f"{where}: {what}"
    key = (path[1], path[2]) if path[1] in tables_of(settings) else ("", path[1])
    if key not in given:
        return f"{where}: {what}"
    setting, item = settings[key], given[key]
    return f"{item.origin}: {setting.quote(item.value)}: {what}. {setting.description}"


def unknown_table(settings: Settings, table: str) -> str:
    """Return which table was probably meant."""
    tables = tables_of(settings)
    near = difflib.get_close_matches(table, tables, 1)
    others = f"there are [{'], ['.join(sorted(tables))}]" if tables else "this file has no tables"
    return f"there is no section [{table}]; {f'did you mean [{near[0]}]?' if near else others}"


def unknown_key(settings: Settings, table: str, key: str, others: Iterable[str] = ()) -> str:
    """Return which key was probably meant; `others` may stand in the same file, beside the tables."""
    names = [name for home, name in settings if home == table]
    what = f"[{table}] has no setting {key!r}" if table else f"there is no setting {key!r}"
    near = difflib.get_close_matches(key, [*names, *([] if table else others)], 1)
    elsewhere = [home for home, name in settings if name == key and home != table]
    if near:
        return f"{what}; did you mean {near[0]!r}?"
    if elsewhere:
        return f"{what}; it belongs into [{elsewhere[0]}]"
    return f"{what}; {'it has' if table else 'there are'} {', '.join(names)}"


def unknown_variable(settings: Settings, prefix: str, variable: str) -> str:
    """Return which variable was probably meant."""
    names = {known.removeprefix(prefix): known for known in (setting.variable for setting in settings.values())}
    near = difflib.get_close_matches(variable.removeprefix(prefix), names, 1)
    return f"did you mean {names[near[0]]}?" if near else f"there are {', '.join(names.values())}"
