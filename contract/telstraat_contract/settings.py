"""How every service reads its settings: a TOML file, then the environment, then the command line, the later over the earlier.

The settings of a service are a frozen `msgspec.Struct`, flat or with one level of tables. Each field carries its limits and
one sentence, `Annotated[int, Meta(ge=1, description="…")]`: that sentence is its documentation, its help and the end of its
error message. A mistake is reported with where it stands (file and line, variable, command line), the value, and what was
probably meant.
"""

from __future__ import annotations

import difflib
import ipaddress
import logging
import math
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar, get_args, get_origin

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from telstraat_contract.errors import SettingsError
from telstraat_contract.secret_files import read_secret

log = logging.getLogger(__name__)

PREFIX = "TELSTRAAT_"
SHARED = ("dsn", "dsn_file")
"""Settings that every service calls by the same variable: there is one database."""

COMMAND_LINE = "command line"
VALUE_LENGTH_MAX = 120  # of a wrong value, in its error message
ERROR_PATH = re.compile(r" - at `\$\.(\w+)(?:\.(\w+))?")

Key = tuple[str, str]  # table, key; the table is empty for a setting at the top of the file
SettingsT = TypeVar("SettingsT", bound=Struct)


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

    @property
    def takes_list(self) -> bool:
        """Whether its value is a list."""
        return any(get_origin(part) in (tuple, list) for part in _alternatives(self.type))


@dataclass(frozen=True, slots=True)
class Given:
    """A value, and where it was given: a line of a file, a variable or the command line."""

    value: Any
    origin: str


class DatabaseSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which database is worked on."""

    dsn: Annotated[str, Meta(min_length=1, description="Address of the database: a libpq connection string or URL.")]
    dsn_file: Annotated[
        Path | None, Meta(description="File that holds `dsn`, where its password must not stand in the environment.")
    ] = None


class SettingsReader(Generic[SettingsT]):
    """Reads the settings of one service.

    Parameters
    ----------
    struct : type of Struct
        The settings: fields with values, or fields that are Structs themselves (the tables of the file).
    service : str
        The word in the names of its variables: `TELSTRAAT_INGEST_BATCH_SIZE` for `batch_size` of "ingest".
    check : callable
        Refuses, with a `SettingsError`, what is possible to write but wrong to run.
    former : mapping
        Variables of earlier versions and the settings that they are now. They still count, with a warning.
    others : collection of str
        Keys of other services, which may stand in the same file and are passed over.
    """

    def __init__(
        self,
        struct: type[SettingsT],
        service: str,
        check: Callable[[SettingsT], None] | None = None,
        *,
        former: Mapping[str, str] | None = None,
        others: Collection[str] = (),
    ) -> None:
        self.struct = struct
        self.prefix = f"{PREFIX}{service.upper()}_"
        self._check = check
        self._others = others
        self.settings = {(setting.table, setting.key): setting for setting in _settings_of(struct, self.prefix)}
        self._tables = {table for table, _ in self.settings if table}
        self._variables = {setting.variable: key for key, setting in self.settings.items()}
        self._former = {variable: ("", key) for variable, key in (former or {}).items()}

    def read(
        self,
        file: Path | None = None,
        environment: Mapping[str, str] | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> SettingsT:
        """Return the settings, or raise `SettingsError`.

        Parameters
        ----------
        file : Path or None
            A TOML file.
        environment : mapping of str to str or None
            The variables; None reads those of the process.
        arguments : mapping or None
            What the command line sets, in tables as in the file; a value of None was not given.
        """
        given: dict[Key, Given] = {}
        for layer in (
            self._from_file(file) if file else {},
            self._from_environment(os.environ if environment is None else environment),
            self._from_arguments(arguments or {}),
        ):
            self._lay_over(given, layer)
        where = str(file) if file else "settings"
        return self._converted(self._with_secrets(given), where)

    def as_toml(self) -> str:
        """Return every setting with its sentence and default, as a settings file that could be filled in."""
        lines: list[str] = []
        table = ""
        for setting in self.settings.values():
            if setting.table != table:
                lines += ["", f"[{setting.table}]"] if lines else [f"[{setting.table}]"]
                table = setting.table
            unset = setting.default is None or setting.default is NODEFAULT
            value = "" if unset else msgspec.json.encode(setting.default, enc_hook=str).decode()
            lines += [f"# {setting.description}", f"# {setting.key} =" if unset else f"# {setting.key} = {value}"]
        return "\n".join(lines)

    def _from_file(self, file: Path) -> dict[Key, Given]:
        try:
            text = file.read_text(encoding="utf-8-sig")  # editors on Windows begin with a mark
            content = tomllib.loads(text)
        except OSError as error:
            raise SettingsError(
                f"{file}: cannot be read: {error.strerror}; give a settings file with --settings"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SettingsError(f"{file}: is not TOML: {error}") from error
        return self._known(content, lambda table, key: place(file, text, table, key))

    def _from_arguments(self, arguments: Mapping[str, Any]) -> dict[Key, Given]:
        layer = self._known(arguments, lambda *_: COMMAND_LINE)
        return {key: item for key, item in layer.items() if item.value is not None}

    def _known(self, content: Mapping[str, Any], origin: Callable[[str, str | None], str]) -> dict[Key, Given]:
        """Return the values of a file or a command line by their keys; unknown ones are refused."""
        layer: dict[Key, Given] = {}
        for name, value in content.items():
            is_table = isinstance(value, Mapping)
            if is_table and name not in self._tables:
                raise SettingsError(f"{origin(name, None)}: {self._unknown_table(name)}")
            if not is_table and name in self._tables:
                raise SettingsError(f"{origin('', name)}: [{name}] is a table of settings, and not {_abridged(value)}")
            for key, item in value.items() if is_table else [(name, value)]:
                table = name if is_table else ""
                if not table and key in self._others and (table, key) not in self.settings:
                    continue
                if (table, key) not in self.settings:
                    raise SettingsError(f"{origin(table, key)}: {self._unknown_key(table, key)}")
                layer[table, key] = Given(item, origin(table, key))
        return layer

    def _from_environment(self, environment: Mapping[str, str]) -> dict[Key, Given]:
        """Return what the variables set; an empty one sets an empty text where that is possible, else nothing."""
        layer: dict[Key, Given] = {}
        former: dict[Key, Given] = {}
        for name, text in environment.items():
            variable = name.upper()
            if variable in self._former:
                setting = self.settings[self._former[variable]]
                log.warning("%s is called %s now, for every service; please rename it", name, setting.variable)
                former |= _parsed(setting, text, name)
            elif variable in self._variables:
                layer |= _parsed(self.settings[self._variables[variable]], text, name)
            elif variable.startswith(self.prefix):
                raise SettingsError(f"there is no setting {name}; {self._likely(variable)}")
        for key in former:  # the service's own name has always won over the common one
            _forget(layer, key)
        return layer | former

    def _likely(self, variable: str) -> str:
        """Return which variable was probably meant."""
        names = {known.removeprefix(self.prefix): known for known in self._variables}
        near = difflib.get_close_matches(variable.removeprefix(self.prefix), names, 1)
        return f"did you mean {names[near[0]]}?" if near else f"there are {', '.join(names.values())}"

    def _lay_over(self, given: dict[Key, Given], layer: dict[Key, Given]) -> None:
        """Put a layer over the earlier ones; a value and the file that holds it are one setting."""
        for (table, name), item in layer.items():
            holder = layer.get((table, f"{name}_file"))
            if holder is not None and holder.value:
                raise SettingsError(
                    f"{item.origin}: {name} is given, and {name}_file too ({holder.origin}); leave one of the two out"
                )
            _forget(given, (table, name))
        given |= layer

    def _with_secrets(self, given: dict[Key, Given]) -> dict[Key, Given]:
        """Return the values with those that a file holds: `dsn` from `dsn_file`."""
        values = dict(given)
        for (table, key), item in given.items():
            holder = (table, key.removesuffix("_file"))
            if key.endswith("_file") and holder in self.settings and item.value:
                values[holder] = Given(
                    read_secret(Path(item.value), what=holder[1], must_be_private=False), str(item.value)
                )
        return values

    def _converted(self, given: Mapping[Key, Given], where: str) -> SettingsT:
        content: dict[str, Any] = {}
        for (table, key), item in given.items():
            if flaw := _flaw_of(item.value):
                label = self.settings[table, key].label
                raise SettingsError(f"{item.origin}: {label} = {_abridged(item.value)}: {flaw}")
            (content.setdefault(table, {}) if table else content)[key] = item.value
        for setting in self.settings.values():
            if setting.default is NODEFAULT and (setting.table, setting.key) not in given:
                raise SettingsError(
                    f"{where}: {setting.label} is not set. {setting.description} Set {setting.label.removeprefix('setting ')}"
                    f" = … in the settings file, or {setting.variable} in the environment"
                )
        try:
            settings = msgspec.convert(content, self.struct, dec_hook=_decoded)
        except msgspec.ValidationError as error:
            raise SettingsError(self._invalid(given, str(error), where)) from error
        if self._check is not None:
            try:
                self._check(settings)
            except SettingsError as error:
                raise SettingsError(f"{where}: {error}") from error
        return settings

    def _invalid(self, given: Mapping[Key, Given], reason: str, where: str) -> str:
        """Return which setting has which wrong value, and what the setting is for."""
        path = ERROR_PATH.search(reason)
        what = reason.split(" - at ", maxsplit=1)[0]
        if path is None:
            return f"{where}: {what}"
        key = (path[1], path[2]) if path[1] in self._tables else ("", path[1])
        if key not in given:
            return f"{where}: {what}"
        setting, item = self.settings[key], given[key]
        return f"{item.origin}: {setting.label} = {_abridged(item.value)}: {what}. {setting.description}"

    def _unknown_table(self, table: str) -> str:
        near = difflib.get_close_matches(table, self._tables, 1)
        others = f"there are [{'], ['.join(sorted(self._tables))}]" if self._tables else "this file has no tables"
        return f"there is no section [{table}]; {f'did you mean [{near[0]}]?' if near else others}"

    def _unknown_key(self, table: str, key: str) -> str:
        """Return which key was probably meant."""
        names = [name for home, name in self.settings if home == table]
        what = f"[{table}] has no setting {key!r}" if table else f"there is no setting {key!r}"
        near = difflib.get_close_matches(key, names, 1)
        elsewhere = [home for home, name in self.settings if name == key and home != table]
        if near:
            return f"{what}; did you mean {near[0]!r}?"
        if elsewhere:
            return f"{what}; it belongs into [{elsewhere[0]}]"
        return f"{what}; {'it has' if table else 'there are'} {', '.join(names)}"


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine: what is said to it passes no network."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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


def _settings_of(struct: type[Struct], prefix: str, table: str = "") -> Iterator[Setting]:
    for field in msgspec.structs.fields(struct):
        if isinstance(field.type, type) and issubclass(field.type, Struct):
            yield from _settings_of(field.type, f"{prefix}{field.name.upper()}_", field.name)
            continue
        metas = [part for part in getattr(field.type, "__metadata__", ()) if isinstance(part, Meta)]
        description = next((meta.description for meta in metas if meta.description), "")
        variable = (PREFIX if field.name in SHARED else prefix) + field.name.upper()
        yield Setting(table, field.name, variable, field.type, description, field.default)


def _alternatives(kind: Any) -> Iterable[Any]:
    """Return the types that an annotation allows, without what is annotated."""
    parts = get_args(kind)
    if hasattr(kind, "__metadata__"):
        return _alternatives(parts[0])
    if get_origin(kind) in (tuple, list) or not parts:
        return [kind]
    return [inner for part in parts for inner in _alternatives(part)]


def _parsed(setting: Setting, text: str, variable: str) -> dict[Key, Given]:
    """Return the value that a variable sets, as the file would say it; nothing for an empty one that cannot be empty."""
    key = (setting.table, setting.key)
    if not text and type(None) in _alternatives(setting.type):
        return {key: Given(None, variable)}
    try:
        plain: Any = msgspec.json.decode(f"[{text.strip().strip('[]')}]") if setting.takes_list else text
        return {key: Given(msgspec.convert(plain, setting.type, strict=False, dec_hook=_decoded), variable)}
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        if not text:
            return {}
        what = str(error).split(" - at ", maxsplit=1)[0]
        raise SettingsError(
            f"{variable}: {setting.label} = {_abridged(text)}: {what}. {setting.description}"
        ) from error


def _decoded(kind: type, value: Any) -> Any:
    """Read what msgspec does not know by itself: the name of a file."""
    if kind is Path and isinstance(value, str | Path) and str(value):
        return Path(value)
    raise ValueError("Expected the name of a file")


def _flaw_of(value: Any) -> str:
    """Return what is wrong with a value whatever its setting; empty when nothing is."""
    if isinstance(value, list | tuple):
        return next(filter(None, map(_flaw_of, value)), "")
    if isinstance(value, float) and not math.isfinite(value):
        return "is no number"
    if isinstance(value, str) and not value.isascii() and value.encode(errors="ignore").decode() != value:
        return "is not UTF-8"
    return ""


def _abridged(value: Any) -> str:
    """Return a value for an error message."""
    text = repr(value)
    return text if len(text) <= VALUE_LENGTH_MAX else f"{text[:VALUE_LENGTH_MAX]}…"


def _forget(given: dict[Key, Given], key: Key) -> None:
    """Forget a value that a later layer gives in the other way: `dsn` for `dsn_file`, and back."""
    table, name = key
    given.pop((table, name.removesuffix("_file") if name.endswith("_file") else f"{name}_file"), None)
