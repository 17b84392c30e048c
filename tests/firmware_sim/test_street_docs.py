from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from telstraat_firmware_sim.street.bodies import BODIES
from telstraat_firmware_sim.street.scenes import SCENES
from telstraat_firmware_sim.street.settings import Lens, Light, Road, StreetSettings, Traffic, View
from telstraat_firmware_sim.street.truth import TrueCrossing

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", [StreetSettings, View, Road, Traffic, Light, Lens])
def test_every_setting_of_the_street_is_documented(kind: type[msgspec.Struct]) -> None:
    assert [name for name in kind.__struct_fields__ if f"| `{name}` | `" not in PAGE] == []


def test_every_scene_kind_and_field_of_the_truth_is_documented() -> None:
    names = [*SCENES, *(body.kind for body in BODIES), *TrueCrossing.__struct_fields__]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
