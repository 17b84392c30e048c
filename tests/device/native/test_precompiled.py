"""The precompiled counting core counts as numba's does, in a third of the memory, and is never a stale one."""

from __future__ import annotations

import importlib.util
import logging
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.device.native.films import Film, count_film, film_of

from telstraat_device.errors import KernelError
from telstraat_device.native import precompiled

MEMORY_KB = 45 * 1024  # issue 4
SCENES = ("dense", "night", "rain", "shake")


@pytest.fixture(scope="module")
def library() -> Path:
    """The library of these sources for this machine, made if need be."""
    words = [sys.executable, "-m", "telstraat_device.native.precompile"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if "no linker" in done.stderr:
        pytest.skip("NO LINKER HERE: nothing is compiled ahead (apt install binutils)")
    assert done.returncode == 0, done.stderr
    return precompiled.library_path(platform.machine())


@pytest.fixture(scope="module", params=SCENES)
def film(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Some seconds of a simulated scene; one comes at twice the working size, one at no multiple of it."""
    width, height = {"night": (640, 480), "rain": (500, 375)}.get(request.param, (320, 240))
    return film_of(request.param, tmp_path_factory.mktemp("film"), width, height, 20.0)


def test_both_ways_give_the_same_crossings_byte_for_byte(library: Path, film: Film) -> None:
    reference, from_library = count_film(film, "jit"), count_film(film, "ahead")
    assert from_library["frames"] == reference["frames"] == 200
    assert from_library["crossings"] == reference["crossings"]
    assert reference["crossings"], "a film without a crossing proves nothing"
    assert reference["compilers"] == ["numba", "llvmlite"]
    assert from_library["compilers"] == []
    assert from_library["peak_kb"] <= MEMORY_KB


def test_without_a_word_about_it_the_library_is_used(library: Path) -> None:
    code = "import sys, telstraat_device.counting.counter as _; sys.exit('numba' in sys.modules)"
    environment = {key: value for key, value in os.environ.items() if key != precompiled.SETTING}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0


def test_a_kernel_of_the_library_is_not_run_as_python(library: Path) -> None:
    code = "from telstraat_device.counting.foreground.bitmask import majority; majority(None, None)"
    environment = os.environ | {precompiled.SETTING: "ahead"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "TypeError: majority is inside the precompiled library" in done.stderr


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder where the library should be."""
    monkeypatch.setattr(precompiled, "FOLDER", tmp_path)
    return tmp_path


def warning_of(choice: str, caplog: pytest.LogCaptureFixture) -> str:
    """Return what is logged when no library can be used."""
    with caplog.at_level(logging.WARNING, logger=precompiled.__name__):
        assert precompiled.load(choice) is None
    (record,) = caplog.records
    return record.getMessage()


def test_without_a_library_numba_compiles_and_one_line_says_so(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert f"{folder} holds no library for {platform.machine()}" in warning_of("auto", caplog)


def test_the_library_of_other_sources_is_refused(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / f"core-{platform.machine()}-0123456789abcdef.so").touch()
    assert "no library for these sources, but for others" in warning_of("auto", caplog)


def test_a_library_that_cannot_be_loaded_is_not_the_end(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    precompiled.library_path(platform.machine()).write_text("rubbish")
    assert f"core-{platform.machine()}" in warning_of("auto", caplog)


def test_a_processor_that_is_too_old_is_told_what_it_lacks(
    library: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(precompiled.NEEDED, platform.machine(), {"avx9"})
    assert "this processor lacks avx9" in warning_of("auto", caplog)


def test_when_the_library_is_asked_for_nothing_else_will_do(folder: Path) -> None:
    with pytest.raises(KernelError, match=r"'ahead', but .* run: python -m telstraat_device.native.precompile"):
        precompiled.load("ahead")


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(KernelError, match=r"'fast'; it can be auto, ahead, jit"):
        precompiled.load("fast")


@pytest.mark.parametrize("choice", ["auto", "jit"])
def test_with_neither_library_nor_numba_the_error_says_what_brings_it(
    folder: Path, choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    find_spec = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "numba" else find_spec(name))
    with pytest.raises(KernelError, match=r"pip install 'telstraat\[jit\]'"):
        precompiled.load(choice)


def test_numba_is_used_when_it_is_asked_for_though_there_is_a_library(library: Path) -> None:
    assert precompiled.load("jit") is None
    assert precompiled.load("auto") is not None


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, whose sources can be changed."""
    package = shutil.copytree(
        precompiled.PACKAGE, tmp_path / "package", ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    monkeypatch.setattr(precompiled, "PACKAGE", package)
    return package


@pytest.mark.parametrize(
    "module",
    [
        "counting/foreground/pixels",
        "counting/foreground/segmenter",
        "native/vectors",
        "counting/tracking/track",
        "native/precompile",
    ],
)
def test_another_kernel_is_another_library(copy: Path, module: str) -> None:
    before = precompiled.fingerprint()
    with (copy / f"{module}.py").open("a") as source:
        source.write("# changed\n")
    assert precompiled.fingerprint() != before


def test_what_is_no_part_of_the_machine_code_changes_nothing(copy: Path) -> None:
    before = precompiled.fingerprint()
    for module in ("delivery/outbox", "service", "delivery/publisher"):
        with (copy / f"{module}.py").open("a") as source:
            source.write("# changed\n")
    assert precompiled.fingerprint() == before


def test_whatever_has_kernels_is_a_source_of_the_library() -> None:
    marks: tuple[Any, ...] = ("\n@kernel\n", "\n@entry\n", "\n@simd\n")
    texts = {path: path.read_text(encoding="utf-8") for path in precompiled.PACKAGE.rglob("*.py")}
    assert {path for path, text in texts.items() if any(mark in text for mark in marks)} <= set(precompiled.sources())
