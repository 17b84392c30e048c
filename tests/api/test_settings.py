"""Settings: read once, typed, unknown ones refused with a suggestion."""

from __future__ import annotations

import pytest

from telstraat_api.settings import read_settings
from telstraat_contract.errors import SettingsError


def test_the_command_line_wins_over_the_environment() -> None:
    settings = read_settings(
        None, {"port": 9001, "host": None}, {"TELSTRAAT_API_PORT": "9000", "TELSTRAAT_API_HOST": "::1"}
    )
    assert (settings.port, settings.host) == (9001, "::1")


def test_the_common_address_of_the_database_counts_when_the_own_is_missing() -> None:
    common = {"TELSTRAAT_DSN": "postgresql:///common"}
    assert read_settings(environment=common).dsn == "postgresql:///common"
    assert read_settings(environment=common | {"TELSTRAAT_API_DSN": "postgresql:///own"}).dsn == "postgresql:///own"
    assert read_settings(None, {"dsn": "postgresql:///given"}, common).dsn == "postgresql:///given"


def test_an_unknown_setting_is_refused_with_a_suggestion() -> None:
    with pytest.raises(SettingsError, match="did you mean TELSTRAAT_API_SITE_NAME"):
        read_settings(environment={"TELSTRAAT_API_SITENAME": "Here"})


def test_a_bad_value_is_told_with_its_name() -> None:
    with pytest.raises(SettingsError, match="setting port = 'many'"):
        read_settings(environment={"TELSTRAAT_API_PORT": "many"})


def test_tiles_come_from_this_host_only() -> None:
    with pytest.raises(SettingsError, match="tiles"):
        read_settings(environment={"TELSTRAAT_API_TILES": "https://tiles.example/{z}/{x}/{y}.png"})
    with pytest.raises(SettingsError, match="tiles"):
        read_settings(environment={"TELSTRAAT_API_TILES": "//tiles.example/{z}/{x}/{y}.png"})
