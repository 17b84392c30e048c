"""Decides whether the counting core comes from a library that was compiled ahead, or is compiled here by numba.

The library's name holds the machine and a hash of its sources, so that a changed kernel never meets old machine code.
Whatever is wrong with it is logged in one line, and numba compiles instead.
"""

from __future__ import annotations

import ctypes
import importlib
import importlib.util
import logging
import platform
import re
import sys
import zlib
from pathlib import Path

from telstraat_device.errors import KernelError

log = logging.getLogger(__name__)

SETTING = "TELSTRAAT_KERNELS"  # in the environment
CHOICES = ("auto", "ahead", "jit")
PACKAGE = Path(__file__).parents[1]
FOLDER = PACKAGE / "native" / "compiled"
IMPORTED = re.compile(r"^ *from telstraat_device\.?([\w.]*) import \(?(\w*)", re.MULTILINE)
NEEDED = {  # by machine: what the processor must have, in numpy's words
    "x86_64": {"AVX2", "FMA3", "F16C"},  # Intel of 2013, AMD of 2015, or younger
    "aarch64": {"ASIMD"},  # any
}


def sources() -> list[Path]:
    """Return the modules that make the machine code: those with entries, and what they import, in turn."""
    todo = {path for path in PACKAGE.rglob("*.py") if "\n@entry\n" in path.read_text(encoding="utf-8")}
    todo.add(PACKAGE / "native" / "precompile.py")
    sources: set[Path] = set()
    while todo:
        path = todo.pop()
        sources.add(path)
        for package, name in IMPORTED.findall(path.read_text(encoding="utf-8")):
            module = PACKAGE.joinpath(*package.split("."))
            todo |= {module / f"{name}.py" if module.is_dir() else module.with_suffix(".py")} - sources
    return sorted(sources)


def fingerprint() -> str:
    """Return a short name for the sources of the machine code.

    Two checksums, not a cryptographic one: it distinguishes versions, and OpenSSL would be 4 MB of a Pi's memory.
    """
    text = b"\0".join(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes() for path in sources())
    return f"{zlib.crc32(text):08x}{zlib.adler32(text):08x}"


def library_path(machine: str) -> Path:
    """Return where the library for a machine and these very sources lies, if there is one."""
    return FOLDER / f"core-{machine}-{fingerprint()}.so"


def listed_by_numpy() -> dict[str, bool] | None:
    """Return numpy's list of what this processor has: /proc/cpuinfo may be hidden from a service; none where there is no list."""
    for folder in ("_core", "core"):  # numpy 2, and numpy 1, which Raspberry Pi OS 12 has
        try:
            features: dict[str, bool] = importlib.import_module(f"numpy.{folder}._multiarray_umath").__cpu_features__
        except (ImportError, AttributeError):
            continue
        return features
    return None


def lacking(machine: str) -> set[str]:
    """Return what the library for a machine needs of the processor and this one lacks."""
    features = listed_by_numpy()
    if features is None:
        return {"a numpy that lists its features"}
    return {name for name in NEEDED[machine] if not features.get(name)}


def load(choice: str) -> ctypes.CDLL | None:
    """Return the library, or None when numba is to compile: because it was chosen, or because the library is no use."""
    if choice not in CHOICES:
        raise KernelError(f"{SETTING} is {choice!r}; it can be {', '.join(CHOICES)}")
    if choice == "jit":
        require_numba(f"{SETTING} is 'jit'")
        return None
    machine = platform.machine()
    reason = ""
    if sys.platform != "linux" or machine not in NEEDED:
        reason = f"nothing is compiled ahead for {sys.platform} on {machine}"
    elif not library_path(machine).exists():
        stale = any(FOLDER.glob(f"core-{machine}-*.so"))
        reason = f"{FOLDER} holds no library " + ("for these sources, but for others" if stale else f"for {machine}")
    elif lacks := lacking(machine):
        reason = f"this processor lacks {', '.join(sorted(lacks))}"
    else:
        try:
            return ctypes.CDLL(str(library_path(machine)))
        except OSError as error:
            reason = str(error)
    if choice == "ahead":
        raise KernelError(f"{SETTING} is 'ahead', but {reason}; run: python -m telstraat_device.native.precompile")
    require_numba(reason)
    log.warning("the counting core is compiled by numba, which takes minutes on a Raspberry Pi: %s", reason)
    return None


def require_numba(reason: str) -> None:
    """Raise `KernelError` where numba is to compile and is not installed: a Pi whose library fits does without it."""
    if importlib.util.find_spec("numba") is None:
        raise KernelError(
            f"no machine code to count with: {reason}, and numba is not installed; pip install 'telstraat[jit]'"
        )
