"""One dialect of settings for every service: file, environment, command line; a mistake is told where it stands."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct
from settings_tables import PAGES, rows

from telstraat_contract.errors import SettingsError
from telstraat_contract.secret_files import read_secret
from telstraat_contract.settings import DatabaseSettings, SettingsReader

ROOT = Path(__file__).resolve().parents[2]


class LampSettings(DatabaseSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service that needs one setting of each kind."""

    colour: Annotated[Literal["red", "green"], Meta(description="Colour of the lamp.")] = "red"
    watts: Annotated[float, Meta(gt=0, le=100, description="Power of the lamp.")] = 5.0
    count: Annotated[int, Meta(ge=0, description="How many lamps.")] = 1
    is_on: Annotated[bool, Meta(description="Whether it is on.")] = False
    owner: Annotated[str, Meta(max_length=20, description="Who owns it; empty for nobody.")] = "town"
    folder: Annotated[Path | None, Meta(description="Where its files are.")] = None


class Pole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    height_m: Annotated[float, Meta(gt=0, description="Height of the pole.")] = 4.0
    corners: Annotated[tuple[float, float] | None, Meta(description="Where it stands.")] = None


class StreetLightSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A service whose settings stand in tables."""

    pole: Pole = Pole()


FLAT = SettingsReader(LampSettings, "lamp", former={"TELSTRAAT_LAMP_DSN": "dsn"})
TABLES = SettingsReader(StreetLightSettings, "street_light")
LEAST = {"TELSTRAAT_DSN": "postgresql:///town"}


def written(folder: Path, text: str) -> Path:
    file = folder / "lamp.toml"
    file.write_text(text)
    return file


def test_the_command_line_goes_over_the_environment_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'dsn = "file"\ncount = 2\nowner = "file"\ncolour = "green"\n')
    settings = FLAT.read(file, {"TELSTRAAT_LAMP_COUNT": "3", "TELSTRAAT_LAMP_OWNER": "variable"}, {"owner": "option"})
    assert (settings.dsn, settings.colour, settings.count, settings.owner) == ("file", "green", 3, "option")
    assert FLAT.read(file, {}).count == 2


def test_tables_have_variables_of_their_own(tmp_path: Path) -> None:
    file = written(tmp_path, "[pole]\nheight_m = 6\ncorners = [1.0, 2]\n")
    assert TABLES.read(file, {}).pole == Pole(height_m=6.0, corners=(1.0, 2.0))
    environment = {"TELSTRAAT_STREET_LIGHT_POLE_HEIGHT_M": "7.5", "TELSTRAAT_STREET_LIGHT_POLE_CORNERS": "3, 4"}
    assert TABLES.read(file, environment).pole == Pole(height_m=7.5, corners=(3.0, 4.0))
    assert TABLES.read(file, environment, {"pole": {"height_m": 8.0}}).pole.height_m == 8.0


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("count = 1\ncuont = 2\n", ["lamp.toml:2", "'cuont'", "did you mean 'count'"]),
        ("xyzzy = 2\n", ["lamp.toml:1", "'xyzzy'", "there are dsn, dsn_file, colour"]),
        ('dsn = "x"\n\ncount = "2"\n', ["lamp.toml:3", "count = '2'", "`int`", "How many lamps."]),
        ('dsn = "x"\nwatts = nan\n', ["lamp.toml:2", "watts = nan", "no number"]),
        ('dsn = "x"\nowner = "' + "x" * 5000 + '"\n', ["lamp.toml:2", "owner = 'xxx", "…: ", "<= 20"]),
        ("dsn = " + "[" * 3000 + "]" * 3000, ["lamp.toml", "is not TOML"]),
        ('dsn = "x"\nwatts = 101\n', ["lamp.toml:2", "watts = 101", "<= 100", "Power of the lamp."]),
        ('dsn = "x"\ncolour = "blue"\n', ["lamp.toml:2", "colour = 'blue'"]),
        ('dsn = "x"\ndsn_file = "y"\n', ["lamp.toml:1", "lamp.toml:2", "leave one of the two out"]),
        ('dsn = ""\n', ["lamp.toml:1", "dsn = …", "length >= 1"]),
        ("[pole]\nheight_m = 1\n", ["lamp.toml:1", "there is no section [pole]"]),
        ("dsn = [1\n", ["lamp.toml", "is not TOML"]),
        ("", ["lamp.toml", "dsn is not set", "TELSTRAAT_DSN", "libpq"]),
        ('dsn = "x"\ndsn_file = ""\n', ["lamp.toml:2", "dsn_file = …", "name of a file"]),
    ],
)
def test_a_mistake_in_the_file_is_told_with_its_line(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        FLAT.read(written(tmp_path, text), {})
    assert [part for part in parts if part not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize(
    ("environment", "parts"),
    [
        ({"TELSTRAAT_LAMP_CUONT": "2"}, ["TELSTRAAT_LAMP_CUONT", "did you mean TELSTRAAT_LAMP_COUNT"]),
        ({"telstraat_lamp_xyzzy": "2"}, ["telstraat_lamp_xyzzy", "there are TELSTRAAT_DSN"]),
        ({"TELSTRAAT_LAMP_COUNT": "many"}, ["TELSTRAAT_LAMP_COUNT: setting count = 'many'", "How many lamps."]),
        ({"TELSTRAAT_LAMP_COUNT": "-1"}, ["TELSTRAAT_LAMP_COUNT", ">= 0"]),
        ({"TELSTRAAT_LAMP_WATTS": "nan"}, ["TELSTRAAT_LAMP_WATTS", "watts = 'nan'"]),
        ({"TELSTRAAT_LAMP_OWNER": "\udcff"}, ["TELSTRAAT_LAMP_OWNER", "not UTF-8"]),
        ({"TELSTRAAT_LAMP_IS_ON": "perhaps"}, ["TELSTRAAT_LAMP_IS_ON", "`bool`"]),
        ({"TELSTRAAT_DSN_FILE": "f", "TELSTRAAT_DSN": "d"}, ["TELSTRAAT_DSN", "TELSTRAAT_DSN_FILE", "leave one"]),
    ],
)
def test_a_mistake_in_the_environment_is_told_with_its_variable(environment: dict[str, str], parts: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        FLAT.read(environment=LEAST | environment)
    assert [part for part in parts if part not in str(caught.value)] == [], str(caught.value)


@pytest.mark.parametrize("arguments", [{"cuont": 2}, {"count": -1}, {"pole": {"height_m": 1}}])
def test_a_mistake_on_the_command_line_is_told_as_one(arguments: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"^command line: "):
        FLAT.read(environment=LEAST, arguments=arguments)


def test_a_list_with_something_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"lamp.toml:2: \[pole\] corners = \[1, nan\]: is no number"):
        TABLES.read(written(tmp_path, "[pole]\ncorners = [1, nan]\n"), {})


def test_a_file_from_an_editor_of_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "lamp.toml"
    file.write_bytes(b'\xef\xbb\xbfdsn = "x"\r\ncount = 4\r\n')
    assert FLAT.read(file, {}).count == 4


@pytest.mark.parametrize("table", ["pole", "poel"])
def test_a_table_is_no_value_and_its_name_may_be_mistyped(tmp_path: Path, table: str) -> None:
    with pytest.raises(SettingsError, match=r"\[pole\]"):
        TABLES.read(written(tmp_path, f"{table} = 5\n" if table == "pole" else f"[{table}]\nheight_m = 1\n"), {})


def test_an_empty_variable_empties_a_text_and_otherwise_counts_as_not_given(tmp_path: Path) -> None:
    file = written(tmp_path, 'count = 7\nowner = "Ann"\nfolder = "lamps"\n')
    empty = dict.fromkeys(("TELSTRAAT_LAMP_COUNT", "TELSTRAAT_LAMP_OWNER", "TELSTRAAT_LAMP_FOLDER"), "")
    settings = FLAT.read(file, LEAST | empty)
    assert (settings.count, settings.owner, settings.folder) == (7, "", None)
    with pytest.raises(SettingsError, match="dsn is not set"):
        FLAT.read(environment={"TELSTRAAT_DSN": "", "TELSTRAAT_DSN_FILE": ""})


def test_a_variable_of_an_earlier_version_still_counts_and_says_what_it_is_called_now(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING):
        assert FLAT.read(environment=LEAST | {"TELSTRAAT_LAMP_DSN": "own"}).dsn == "own"
    assert "TELSTRAAT_LAMP_DSN is called TELSTRAAT_DSN now" in caplog.text
    assert "own" not in caplog.text.split("now", 1)[1]


def test_the_database_may_be_told_in_a_file_that_holds_its_password(tmp_path: Path) -> None:
    secret = tmp_path / "dsn"
    secret.write_text("postgresql://lamp:canary@host/town\n")
    for settings in (
        FLAT.read(written(tmp_path, f'dsn_file = "{secret}"\n'), {}),
        FLAT.read(written(tmp_path, 'dsn = "earlier"\n'), {"TELSTRAAT_DSN_FILE": str(secret)}),
        FLAT.read(environment=LEAST, arguments={"dsn_file": str(secret)}),
    ):
        assert settings.dsn == "postgresql://lamp:canary@host/town"
    assert FLAT.read(environment={"TELSTRAAT_DSN_FILE": str(secret)}, arguments={"dsn": "later"}).dsn == "later"
    with pytest.raises(SettingsError, match="the dsn cannot be read"):
        FLAT.read(environment={"TELSTRAAT_DSN_FILE": str(tmp_path / "none")})


@given(
    count=st.integers(0, 2**53),
    watts=st.floats(0.001, 100),
    owner=st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=20),
    is_on=st.booleans(),
)
def test_a_value_is_the_same_wherever_it_is_given(count: int, watts: float, owner: str, is_on: bool) -> None:
    values = {"count": count, "watts": watts, "owner": owner, "is_on": is_on}
    environment = {f"TELSTRAAT_LAMP_{key.upper()}": str(value) for key, value in values.items()}
    assert FLAT.read(environment=LEAST | environment) == FLAT.read(environment=LEAST, arguments=values)


@pytest.mark.parametrize("value", ["postgresql://lamp:canary@host/\udcff", ["canary"], "\0canary\udcff"])
def test_no_address_of_a_database_is_ever_in_an_error(value: object) -> None:
    with pytest.raises(SettingsError) as caught:
        FLAT.read(environment={}, arguments={"dsn": value})
    assert "dsn = …" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_a_file_of_several_services_is_read_by_each_that_is_told_of_the_others(tmp_path: Path) -> None:
    file = written(tmp_path, 'dsn = "x"\ncount = 3\n')
    reader = SettingsReader(DatabaseSettings, "database", others={key for _, key in FLAT.settings})
    assert reader.read(file, {}).dsn == "x"
    with pytest.raises(SettingsError, match="'cuont'; did you mean 'count'"):
        reader.read(written(tmp_path, 'dsn = "x"\ncuont = 3\n'), {})


def test_a_credential_of_systemd_may_carry_the_mask_of_its_access_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "password"
    secret.write_text("canary\n")
    secret.chmod(0o440)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_secret(secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret(secret) == "canary"
    secret.chmod(0o444)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_secret(secret)


@pytest.mark.parametrize("service", sorted(PAGES))
def test_the_documentation_has_every_setting_with_its_default_and_sentence(service: str) -> None:
    page = (ROOT / PAGES[service]).read_text(encoding="utf-8")
    missing = [row for _, row in rows(service) if row not in page]
    assert not missing, f"print the table with: python scripts/settings_tables.py {service}"


@pytest.mark.parametrize("service", sorted(PAGES))
def test_every_default_may_be_written_into_the_file(service: str, tmp_path: Path) -> None:
    reader: SettingsReader[Any] = importlib.import_module(f"telstraat_{service}.settings").READER
    lines = [
        line.removeprefix("# ") if " = " in line and not line.endswith(".") else line
        for line in reader.as_toml().splitlines()
    ]
    least: Mapping[str, Any] = {"device": {"sensor": {"name": "elm-1"}}, "device.setup": {}}.get(service, {"dsn": "x"})
    file = written(tmp_path, "\n".join(lines))
    assert reader.read(file, {}, least) == reader.read(environment={}, arguments=least)
    assert all(setting.description.endswith(".") for setting in reader.settings.values())
    assert msgspec.json.encode(reader.read(environment={}, arguments=least), enc_hook=str)
