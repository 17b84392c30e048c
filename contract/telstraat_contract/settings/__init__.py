"""How every service reads its settings: a TOML file, then the environment, then the command line, the later over the earlier.

The settings of a service are a frozen `msgspec.Struct`, flat or with one level of tables. Each field carries its limits and
one sentence, `Annotated[int, Meta(ge=1, description="…")]`: that sentence is its documentation, its help and the end of its
error message. A mistake is reported with where it stands (file and line, variable, command line), the value, and what was
probably meant.
"""

from __future__ import annotations

from telstraat_contract.settings.loopback import is_loopback
from telstraat_contract.settings.reader import DatabaseSettings, SettingsReader

__all__ = ["DatabaseSettings", "SettingsReader", "is_loopback"]
