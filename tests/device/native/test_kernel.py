"""Machine code is kept where it can be written, under a name that changes with the sources."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from telstraat_device.native.kernel import cache_folder
from telstraat_device.native.precompiled import fingerprint


def test_the_fingerprint_is_short_and_steady() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", fingerprint())
    assert fingerprint() == fingerprint()


def test_the_code_is_kept_in_the_user_s_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == str(tmp_path / "telstraat" / "kernels" / fingerprint())


def test_without_a_cache_that_can_be_made_a_temporary_one_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert Path(cache_folder()).is_dir()
