"""What is known of each setting, and how a value is read that a file, a variable or the command line gives."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from telstraat_contract.errors import SettingsError

PREFIX = "TELSTRAAT_"
SHARED = ("dsn", "dsn_file")
"""Settings that every service calls by the same variable: there is one database."""

VALUE_LENGTH_MAX = 120  # of a wrong value, in its error message

Key = tuple[str, str]  # table, key; the table is empty for a setting at the top of the file


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: where it stands in a file, its variable in the environment, and what is known of its values."""

    table: str
    key: str
    variable: str
    type: Any
    description: str
    default: Any
    """NODEFAULT when it must be given."""

    @property
    def label(self) -> str:
        """What messages call it."""
        return f"[{self.table}] {self.key}" if self.table else f"setting {self.key}"

    def quote(self, value: Any) -> str:
        """Return a value for an error message: of bearable length, and never the address of the database."""
        text = "…" if self.key in SHARED else repr(value)
        return f"{self.label} = {text if len(text) <= VALUE_LENGTH_MAX else text[:VALUE_LENGTH_MAX] + '…'}"

    @property
    def takes_list(self) -> bool:
        """Whether its value is a list."""
        return any(get_origin(part) in (tuple, list) for part in alternatives(self.type))


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and where it was given: a line of a file, a variable or the command line."""

    value: Any
    origin: str


def settings_of(struct: type[Struct], prefix: str, table: str = "") -> Iterator[Setting]:
    """Yield the settings that a Struct declares; `prefix` begins the names of their variables."""
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            yield from settings_of(field.type, f"{prefix}{field.name.upper()}_", field.name)
            continue
        metas = [part for part in getattr(field.type, "__metadata__", ()) if isinstance(part, Meta)]
        description = next((meta.description for meta in metas if meta.description), "")
        variable = (PREFIX if field.name in SHARED else prefix) + field.name.upper()
        yield Setting(table, field.name, variable, field.type, description, field.default)


def alternatives(kind: Any) -> Iterable[Any]:
    """Return the types that an annotation allows, without what is annotated."""
    parts = get_args(kind)
    if hasattr(kind, "__metadata__"):
        return alternatives(parts[0])
    if get_origin(kind) in (tuple, list) or not parts:
        return [kind]
    return [inner for part in parts for inner in alternatives(part)]


def parse(setting: Setting, text: str, variable: str) -> dict[Key, Given]:
    """Return the value that a variable sets, as the file would say it; nothing for an empty one that cannot be empty."""
    key = (setting.table, setting.key)
    if not text and type(None) in alternatives(setting.type):
        return {key: Given(None, variable)}
    try:
        plain: Any = msgspec.json.decode(f"[{text.strip().strip('[]')}]") if setting.takes_list else text
        return {key: Given(msgspec.convert(plain, setting.type, strict=False, dec_hook=decode_path), variable)}
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        if not text:
            return {}
        what = str(error).split(" - at ", maxsplit=1)[0]
        raise SettingsError(f"{variable}: {setting.quote(text)}: {what}. {setting.description}") from error


def decode_path(kind: type, value: Any) -> Any:
    """Read what msgspec does not know by itself: the name of a file."""
    if kind is Path and isinstance(value, str | Path) and str(value):
        return Path(value)
    raise ValueError("Expected the name of a file")


def flaw_of(value: Any) -> str:
    """Return what is wrong with a value whatever its setting; empty when nothing is."""
    if isinstance(value, list | tuple):
        return next(filter(None, map(flaw_of, value)), "")
    if isinstance(value, float) and not math.isfinite(value):
        return "is no number"
    if isinstance(value, str) and not value.isascii() and value.encode(errors="ignore").decode() != value:
        return "is not UTF-8"
    return ""
