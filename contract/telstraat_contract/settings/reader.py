"""The order of a service's settings: a file, over it the environment, over both the command line; then all of them are checked."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import NODEFAULT, Meta, Struct

from telstraat_contract.errors import SettingsError
from telstraat_contract.secret_files import read_secret
from telstraat_contract.settings.fields import PREFIX, Given, Key, decode_path, flaw_of, parse, settings_of
from telstraat_contract.settings.mistakes import (
    place,
    tables_of,
    unknown_key,
    unknown_table,
    unknown_variable,
    wrong_value,
)

log = logging.getLogger(__name__)

COMMAND_LINE = "command line"
SettingsT = TypeVar("SettingsT", bound=Struct)


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
        self.settings = {(setting.table, setting.key): setting for setting in settings_of(struct, self.prefix)}
        self._tables = tables_of(self.settings)
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
                raise SettingsError(f"{origin(name, None)}: {unknown_table(self.settings, name)}")
            if not is_table and name in self._tables:
                raise SettingsError(f"{origin('', name)}: [{name}] is a table of settings, and not a value")
            for key, item in value.items() if is_table else [(name, value)]:
                table = name if is_table else ""
                if not table and key in self._others and (table, key) not in self.settings:
                    continue
                if (table, key) not in self.settings:
                    raise SettingsError(f"{origin(table, key)}: {unknown_key(self.settings, table, key, self._others)}")
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
                former |= parse(setting, text, name)
            elif variable in self._variables:
                layer |= parse(self.settings[self._variables[variable]], text, name)
            elif variable.startswith(self.prefix):
                raise SettingsError(
                    f"there is no setting {name}; {unknown_variable(self.settings, self.prefix, variable)}"
                )
        for key in former:  # the service's own name has always won over the common one
            _forget(layer, key)
        return layer | former

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
            if flaw := flaw_of(item.value):
                raise SettingsError(f"{item.origin}: {self.settings[table, key].quote(item.value)}: {flaw}")
            (content.setdefault(table, {}) if table else content)[key] = item.value
        for setting in self.settings.values():
            if setting.default is NODEFAULT and (setting.table, setting.key) not in given:
                raise SettingsError(
                    f"{where}: {setting.label} is not set. {setting.description} Set {setting.label.removeprefix('setting ')}"
                    f" = … in the settings file, {setting.variable} in the environment, or the option on the command line"
                )
        try:
            settings = msgspec.convert(content, self.struct, dec_hook=decode_path)
        except msgspec.ValidationError as error:
            raise SettingsError(wrong_value(self.settings, given, str(error), where)) from error
        if self._check is not None:
            try:
                self._check(settings)
            except SettingsError as error:
                raise SettingsError(f"{where}: {error}") from error
        return settings


def _forget(given: dict[Key, Given], key: Key) -> None:
    """Forget a value that a later layer gives in the other way: `dsn` for `dsn_file`, and back."""
    table, name = key
    given.pop((table, name.removesuffix("_file") if name.endswith("_file") else f"{name}_file"), None)
