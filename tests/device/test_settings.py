"""Settings: read once, typed, and a mistake is told where it stands and what it would do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from telstraat_contract.errors import SettingsError
from telstraat_contract.secret_files import read_secret
from telstraat_device.settings import (
    READER,
    BrokerSettings,
    Settings,
    port_of,
    read_settings,
    settings_of,
    uses_tls,
)

ROOT = Path(__file__).resolve().parents[2]
LEAST = {"sensor": {"name": "elm-1"}}


def written(folder: Path, text: str) -> Path:
    file = folder / "device.toml"
    file.write_text(text)
    return file


def test_a_name_is_all_that_must_be_said() -> None:
    settings = settings_of(LEAST)
    assert settings.sensor.name == "elm-1"
    assert (settings.broker.host, settings.storage.days, settings.send.spread_s) == ("localhost", 30.0, 60.0)


def test_a_file_is_read_and_the_command_line_wins(tmp_path: Path) -> None:
    file = written(tmp_path, '[sensor]\nname = "elm-1"\n[camera]\nline = [1, 2, 30.5, 4]\nsource = "0"\n')
    settings = read_settings(file, {"camera": {"source": "street.mp4"}})
    assert settings.camera.line == (1.0, 2.0, 30.5, 4.0)
    assert settings.camera.source == "street.mp4"


def test_settings_are_frozen() -> None:
    settings = settings_of(LEAST)
    with pytest.raises(AttributeError):
        settings.broker.port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ('[sensor]\nname = "elm-1"\n[broker]\nhots = "x"\n', ["device.toml:4", "'hots'", "did you mean 'host'"]),
        ('[sensor]\nname = "elm-1"\n[brokers]\nhost = "x"\n', ["device.toml:3", "[brokers]", "did you mean [broker]"]),
        ('[sensor]\nname = "elm-1"\npassword = 1\n', ["device.toml:3", "did you mean 'password_file'"]),
        ('[sensor]\nname = "elm-1"\nport = 1\n', ["device.toml:3", "belongs into [broker]"]),
        ('[sensor]\nname = "elm-1"\nxyz = 1\n', ["device.toml:3", "it has name, password_file"]),
        (
            '[sensor]\nname = "elm-1"\n\n[broker]\nport = "1883"\n',
            ["device.toml:5", "port = '1883'", "`int", "Port of the broker"],
        ),
        ('[sensor]\nname = "elm-1"\n[storage]\ndays = 0\n', ["device.toml:4", "days = 0", ">= 1", "given up"]),
        ('[sensor]\nname = "Elm Street"\n', ["device.toml", "[sensor] name", "'Elm Street'", "a-z"]),
        ('[camera]\nsource = "0"\n', ["device.toml", "sensor", "[sensor] name ="]),
        ('[sensor]\nname = "elm-1"\n[broker]\nport = 99999\n', ["port = 99999", "65535"]),
        ('[sensor]\nname = "elm-1"\n[send]\nresend_max_s = 1\n', ["resend_max_s = 1", "faster and faster"]),
        ('[sensor\nname = "elm-1"\n', ["device.toml", "TOML", "line 1"]),
        ('sensor = "elm-1"\n', ["device.toml", "sensor"]),
        ('[sensor]\nname = "elm-1"\n[storage]\non_stop = "sleep"\n', ["device.toml:4", "'sleep'", "on_stop"]),
    ],
)
def test_a_mistake_is_told_with_file_line_key_value_and_consequence(
    tmp_path: Path, text: str, phrases: list[str]
) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings(written(tmp_path, text))
    assert [part for part in phrases if part not in str(caught.value)] == [], str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path / "none.toml")


@pytest.mark.parametrize("host", ["broker.example", "192.168.1.4", "2001:db8::1"])
def test_plain_text_to_another_machine_is_refused(host: str) -> None:
    with pytest.raises(SettingsError, match="another machine"):
        settings_of({**LEAST, "broker": {"host": host, "tls": False}})
    assert uses_tls(BrokerSettings(host=host))
    assert port_of(BrokerSettings(host=host)) == 8883


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.0.1", "::1"])
def test_on_this_machine_plain_text_is_the_default_and_tls_possible(host: str) -> None:
    assert not uses_tls(BrokerSettings(host=host))
    assert uses_tls(BrokerSettings(host=host, tls=True))
    assert port_of(BrokerSettings(host=host)) == 1883


def test_every_setting_has_one_sentence_that_the_documentation_repeats() -> None:
    page = (ROOT / "docs" / "device.md").read_text(encoding="utf-8")
    for (section, key), setting in READER.settings.items():
        sentence = setting.description
        assert sentence.endswith("."), f"[{section}] {key}"
        assert f"| `{key}` |" in page, f"[{section}] {key} is not in docs/device.md"
        assert sentence in page, f"[{section}] {key}: the documentation says something else"


def test_the_printed_settings_are_a_settings_file_once_they_are_uncommented(tmp_path: Path) -> None:
    import tomllib

    lines = [
        line.removeprefix("# ") if " = " in line and line.startswith("# ") and not line.endswith(".") else line
        for line in READER.as_toml().splitlines()
    ]
    values: dict[str, Any] = tomllib.loads("\n".join(lines))
    values.setdefault("sensor", {})["name"] = "elm-1"
    assert settings_of(values) == settings_of(LEAST)


def test_a_secret_is_read_from_a_file_that_is_the_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("canary\n")
    file.chmod(0o600)
    assert read_secret(file) == "canary"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_secret_that_others_could_read_is_refused_with_what_to_do(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "password"
    file.write_text("canary\n")
    file.chmod(mode)
    with pytest.raises(SettingsError) as caught:
        read_secret(file)
    assert f"chmod 600 {file}" in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\n", b"x" * 2000, b"\xff\xfe"])
def test_a_secret_file_without_a_password_is_told(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "password"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="password"):
        read_secret(file)
    with pytest.raises(SettingsError, match="cannot be read"):
        read_secret(tmp_path / "none")


def test_no_setting_could_hold_a_secret() -> None:
    assert {key for _, key in READER.settings if "password" in key} == {"password_file"}
    assert "canary" not in repr(settings_of(LEAST))
    assert msgspec.json.encode(settings_of(LEAST))
    assert isinstance(settings_of(LEAST), Settings)
