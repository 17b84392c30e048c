"""Compiles the counting core ahead, for this machine or for all: `python -m telstraat_device.native.precompile [--all]`.

Numba's own module of every entry is taken as LLVM's text; all are joined into one, aimed at the machine, and written as
an object file, which a linker makes a library. That needs neither numba nor a compiler where it runs, nor any version
of Python.

    @entry -> numba: LLVM's text ┐
    @entry -> numba: LLVM's text ┼─> one module -> object for x86_64  -> compiled/core-x86_64-….so
    @entry -> numba: LLVM's text ┘              └> object for aarch64 -> compiled/core-aarch64-….so
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from telstraat_device.errors import KernelError
from telstraat_device.native.precompiled import FOLDER, PACKAGE, SETTING, library_path, sources


class Target(NamedTuple):
    """A machine: LLVM's triple, the least processor, and what of it is not used because younger ones lack it."""

    triple: str
    processor: str
    without: str


TARGETS = {
    "x86_64": Target("x86_64-unknown-linux-gnu", "x86-64-v3", ""),
    "aarch64": Target("aarch64-unknown-linux-gnu", "cortex-a53", "-aes,-sha2,-crc"),  # a Pi 4 has no cryptography
}


# What a library has for an entry: the array as numba takes it apart, and an end to a process whose kernel raises, which
# none does.
DOOR = """
declare i32 @"{inner}"(ptr, ptr, ptr, ptr, i64, i64, ptr, i64, i64, i64, i64, double, double)
declare void @llvm.trap()
define i64 @telstraat_{name}(ptr %at, i64 %size, i64 %picture, i64 %whole, double %first, double %second) {{
    %found = alloca i64
    %raised = alloca ptr
    %status = call i32 @"{inner}"(ptr %found, ptr %raised, ptr null, ptr null, i64 %size, i64 8, ptr %at, i64 %size,
        i64 8, i64 %picture, i64 %whole, double %first, double %second)
    %failed = icmp ne i32 %status, 0
    br i1 %failed, label %stop, label %go
stop:
    call void @llvm.trap()
    unreachable
go:
    %answer = load i64, ptr %found
    ret i64 %answer
}}
"""


# What numba's code asks of numba when it copies a row: memory, from C.
MEMORY = """
declare ptr @malloc(i64)
declare void @free(ptr)
define ptr @NRT_Allocate(i64 %size) {
    %made = call ptr @malloc(i64 %size)
    ret ptr %made
}
define void @NRT_Free(ptr %made) {
    call void @free(ptr %made)
    ret void
}
"""
C_LIBRARY = {"malloc", "free", "memcpy", "memset", "memmove", "exp", "exp2", "log", "log2", "pow", "sqrt", "hypot"}


def joined() -> str:
    """Return all entries, and whatever they call, as one module in LLVM's text."""
    import llvmlite.binding as llvm
    import numba

    for path in sources():
        importlib.import_module(".".join(("telstraat_device", *path.relative_to(PACKAGE).with_suffix("").parts)))
    from telstraat_device.native.kernel import ENTRIES

    whole: Any = llvm.parse_assembly(MEMORY)
    for name, source in ENTRIES.items():
        compiled: Any = numba.njit(error_model="numpy", nogil=True)(source)
        compiled.compile("int64(int64[::1], int64, int64, float64, float64)")
        (made,) = compiled.overloads.values()
        door = DOOR.format(name=name, inner=made.fndesc.llvm_func_name)
        for text in (made.library.get_llvm_str(), door):
            whole.link_in(llvm.parse_assembly(text))
    return str(whole)


def write_object(text: str, machine: str, path: Path) -> None:
    """Optimise a module for a machine and write it as an object file that shows its entries only."""
    import llvmlite.binding as llvm

    target = TARGETS[machine]
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    aim: Any = llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.processor, features=target.without, opt=3, reloc="pic", codemodel="small"
    )
    module: Any = llvm.parse_assembly(re.sub(r'target (triple|datalayout) = ".*"\n', "", text))
    module.triple, module.data_layout = target.triple, str(aim.target_data)
    for thing in (*module.functions, *module.global_variables):
        if not thing.is_declaration and not thing.name.startswith("telstraat_"):
            thing.linkage = "internal"
    options: Any = llvm.create_pipeline_tuning_options(speed_level=3)
    builder: Any = llvm.create_pass_builder(aim, options)
    builder.getModulePassManager().run(module, builder)
    asked = {thing.name for thing in module.functions if thing.is_declaration and not thing.name.startswith("llvm.")}
    if foreign := {name for name in asked if "llvm.x86" in name} | (asked - C_LIBRARY):
        raise KernelError(
            f"the kernels call {', '.join(sorted(foreign))}, which no device has; which change brought it?"
        )
    path.write_bytes(aim.emit_object(module))


def linker(machine: str) -> list[str]:
    """Return the words that start a linker for a machine: this system's, one for that machine, or the package ziglang."""
    if machine not in TARGETS:
        raise KernelError(f"nothing is compiled ahead for {machine}; there is {', '.join(TARGETS)}")
    own = ["ld"] if machine == platform.machine() else []
    for program in (*own, "ld.lld", f"{machine}-linux-gnu-ld"):
        if shutil.which(program):
            return [program]
    if importlib.util.find_spec("ziglang"):
        return [sys.executable, "-m", "ziglang", "ld.lld"]
    raise KernelError(
        f"no linker for {machine} is here; install one: apt install binutils-{machine.replace('_', '-')}-linux-gnu, "
        f"or pip install ziglang"
    )


def compile_for(machines: list[str]) -> None:
    """Make the libraries of some machines, and take those of older sources away."""
    links = {library_path(machine): (machine, linker(machine)) for machine in machines}  # named before anything is read
    text = joined()
    FOLDER.mkdir(exist_ok=True)
    for path, (machine, link) in links.items():
        with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
            core, made = Path(temporary) / "core.o", Path(temporary) / "core.so"
            write_object(text, machine, core)
            subprocess.run([*link, "-shared", "--strip-all", "-z", "noexecstack", "-o", made, core], check=True)
            made.replace(path)
        for old in set(FOLDER.glob(f"core-{machine}-*.so")) - {path}:
            old.unlink()


def main() -> int:
    """Compile for the machines that lack the library of these sources."""
    parser = argparse.ArgumentParser(prog="python -m telstraat_device.native.precompile", description=__doc__)
    parser.add_argument("--all", action="store_true", help=f"for {', '.join(TARGETS)}, not for this machine only")
    machines = list(TARGETS) if parser.parse_args().all else [platform.machine()]
    missing = [machine for machine in machines if not library_path(machine).exists()]
    try:
        if missing:
            print(f"Compiling the counting core for {', '.join(missing)}: half a minute ...", flush=True)
            compile_for(missing)
    except KernelError as error:
        print(f"precompile: {error}", file=sys.stderr)
        return 1
    for machine in machines:
        print(f"{library_path(machine)}: {library_path(machine).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    os.environ[SETTING] = "jit"
    # Vectors are made for the machine that is aimed at, not for the one that compiles.
    os.environ |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_LOOP_VECTORIZE": "0"}
    sys.exit(main())
