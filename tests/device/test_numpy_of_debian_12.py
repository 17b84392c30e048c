"""Raspberry Pi OS 12 has numpy 1.24, which its picamera2 was compiled with: the counting core is used with it, too."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from telstraat_device.native.precompiled import NEEDED, lacking


def test_what_a_processor_has_is_read_where_numpy_1_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numpy._core._multiarray_umath", None)
    every = {name: True for names in NEEDED.values() for name in names}
    monkeypatch.setitem(sys.modules, "numpy.core._multiarray_umath", SimpleNamespace(__cpu_features__=every))
    for machine in NEEDED:
        assert lacking(machine) == set()


def test_a_numpy_without_a_list_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("_core", "core"):
        monkeypatch.setitem(sys.modules, f"numpy.{folder}._multiarray_umath", None)
    for machine in NEEDED:
        assert lacking(machine) == {"a numpy that lists its features"}
