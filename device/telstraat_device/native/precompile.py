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


# The exported symbol of an entry. Numba's function takes a place for the result and one for an exception, and returns a
# status; no kernel raises, so a status is the end of the process.
EXPORT = """
declare i32 @"{inner}"(ptr, ptr{types})
declare void @llvm.trap()
define i64 @telstraat_{name}({parameters}) {{
    %result = alloca i64
    %exception = alloca ptr
{casts}    %status = call i32 @"{inner}"(ptr %result, ptr %exception{arguments})
    %failed = icmp ne i32 %status, 0
    br i1 %failed, label %stop, label %go
stop:
    call void @llvm.trap()
    unreachable
go:
    %value = load i64, ptr %result
    ret i64 %value
}}
"""


class Passed(NamedTuple):
    """How a parameter is passed: its type in C, as numba's function takes it, and in numba's signature."""

    c: str
    inner: str
    numba: str


PASSED = {
    "Address": Passed("i64", "i64", "int64"),
    "int": Passed("i64", "i64", "int64"),
    "bool": Passed("i64", "i8", "boolean"),
    "float": Passed("double", "double", "float64"),
}


# What numba's code expects of numba's runtime when it copies an array: memory, from C.
MEMORY = """
declare ptr @malloc(i64)
declare void @free(ptr)
define ptr @NRT_Allocate(i64 %size) {
    %block = call ptr @malloc(i64 %size)
    ret ptr %block
}
define void @NRT_Free(ptr %block) {
    call void @free(ptr %block)
    ret void
}
"""
C_LIBRARY = {"malloc", "free", "memcpy", "memset", "memmove", "exp", "exp2", "log", "log2", "pow", "sqrt", "hypot"}


def export(name: str, inner: str, kinds: list[str]) -> str:
    """Return LLVM's text of an exported symbol that calls numba's function `inner`."""
    passed = [PASSED[kind] for kind in kinds]
    casts, arguments = "", ""
    for number, kind in enumerate(passed):
        value = f"%p{number}"
        if kind.inner != kind.c:
            casts += f"    %c{number} = trunc {kind.c} {value} to {kind.inner}\n"
            value = f"%c{number}"
        arguments += f", {kind.inner} {value}"
    return EXPORT.format(
        name=name,
        inner=inner,
        types="".join(f", {kind.inner}" for kind in passed),
        parameters=", ".join(f"{kind.c} %p{number}" for number, kind in enumerate(passed)),
        casts=casts,
        arguments=arguments,
    )


def linked() -> str:
    """Return all entries, and whatever they call, as one module in LLVM's text."""
    import llvmlite.binding as llvm
    import numba

    for path in sources():
        importlib.import_module(".".join(("telstraat_device", *path.relative_to(PACKAGE).with_suffix("").parts)))
    from telstraat_device.native.kernel import ENTRIES, parameter_kinds

    module: Any = llvm.parse_assembly(MEMORY)
    for name, function in ENTRIES.items():
        kinds = parameter_kinds(function)
        compiled: Any = numba.njit(error_model="numpy", nogil=True)(function)
        compiled.compile(f"int64({', '.join(PASSED[kind].numba for kind in kinds)})")
        (overload,) = compiled.overloads.values()
        symbol = export(name, overload.fndesc.llvm_func_name, kinds)
        for text in (overload.library.get_llvm_str(), symbol):
            module.link_in(llvm.parse_assembly(text))
    return str(module)


def write_object(text: str, machine: str, path: Path) -> None:
    """Optimise a module for a machine and write it as an object file that shows its entries only."""
    import llvmlite.binding as llvm

    target = TARGETS[machine]
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine_code: Any = llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.processor, features=target.without, opt=3, reloc="pic", codemodel="small"
    )
    module: Any = llvm.parse_assembly(re.sub(r'target (triple|datalayout) = ".*"\n', "", text))
    module.triple, module.data_layout = target.triple, str(machine_code.target_data)
    for symbol in (*module.functions, *module.global_variables):
        if not symbol.is_declaration and not symbol.name.startswith("telstraat_"):
            symbol.linkage = "internal"
    options: Any = llvm.create_pipeline_tuning_options(speed_level=3)
    builder: Any = llvm.create_pass_builder(machine_code, options)
    builder.getModulePassManager().run(module, builder)
    called = {symbol.name for symbol in module.functions if symbol.is_declaration}
    called = {name for name in called if name.startswith("llvm.x86") or not name.startswith("llvm.")}
    if foreign := called - C_LIBRARY:
        raise KernelError(
            f"the kernels call {', '.join(sorted(foreign))}, which no device has; which change brought it?"
        )
    path.write_bytes(machine_code.emit_object(module))


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
    text = linked()
    FOLDER.mkdir(exist_ok=True)
    for path, (machine, link) in links.items():
        with tempfile.TemporaryDirectory(dir=FOLDER) as temporary:
            object_file, library = Path(temporary) / "core.o", Path(temporary) / "core.so"
            write_object(text, machine, object_file)
            options = ["-shared", "--strip-all", "-z", "noexecstack"]
            subprocess.run([*link, *options, "-o", library, object_file], check=True)
            library.replace(path)
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
    # Code is generated for the target machine, not for the one that compiles.
    os.environ |= {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_LOOP_VECTORIZE": "0"}
    sys.exit(main())
