"""Settings: read once, typed, unknown ones refused with a suggestion."""

from __future__ import annotations

from pathlib import Path

import pytest

from telstraat_api.errors import SettingsError
from telstraat_api.settings import PREFIX, ApiSettings, read_settings

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_line_wins_over_the_environment() -> None:
    settings = read_settings({"TELSTRAAT_API_PORT": "9000", "TELSTRAAT_API_HOST": "::1"}, port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "::1")


def test_the_common_address_of_the_database_counts_when_the_own_is_missing() -> None:
    common = {"TELSTRAAT_DSN": "postgresql:///common"}
    assert read_settings(common).dsn == "postgresql:///common"
    assert read_settings(common | {"TELSTRAAT_API_DSN": "postgresql:///own"}).dsn == "postgresql:///own"
    assert read_settings(common, dsn="postgresql:///given").dsn == "postgresql:///given"


def test_an_unknown_setting_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="did you mean TELSTRAAT_API_SITE_NAME"):
        read_settings({"TELSTRAAT_API_SITENAME": "Here"})


def test_a_bad_value_is_told_with_its_name() -> None:
    with pytest.raises(SettingsError, match="setting port = 'many'"):
        read_settings({"TELSTRAAT_API_PORT": "many"})


def test_tiles_come_from_this_host_only() -> None:
    with pytest.raises(SettingsError, match="tiles"):
        read_settings({"TELSTRAAT_API_TILES": "https://tiles.example/{z}/{x}/{y}.png"})
    with pytest.raises(SettingsError, match="tiles"):
        read_settings({"TELSTRAAT_API_TILES": "//tiles.example/{z}/{x}/{y}.png"})


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in ApiSettings.model_fields if f"`{PREFIX}{name.upper()}`" not in text] == []
