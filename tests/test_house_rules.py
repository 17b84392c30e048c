"""The conventions that linters cannot express: CONTRIBUTING.md says them, this file keeps them."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import house_rules
import pytest

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("contract", "device", "store", "ingest", "analytics", "api", "cli", "firmware-sim", "demo")
SOURCES = sorted(path for part in PARTS for path in (ROOT / part).rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))
OWNER_OF_TIME = ROOT / "tests" / "harness" / "moments.py"
MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "common", "misc"}
CLOCKS = {"now", "today", "utcnow", "time", "time_ns"}
LOOPS_THAT_MAY_CATCH_ALL = {"service.py", "app.py", "live.py", "street.py", "processes.py", "watched.py"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture(scope="module", autouse=True)
def _no_tree_is_kept() -> Iterator[None]:
    """Every file is parsed once for all rules; the trees are hundreds of megabytes that no other test needs."""
    yield
    house_rules.tree_of.cache_clear()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(house_rules.tree_of(path))
    return (node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def is_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(re.search(r"\b(njit|kernel|cfunc)\b", ast.unparse(decorator)) for decorator in function.decorator_list)


def tracked() -> list[Path]:
    done = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def test_a_module_is_one_room_with_a_sign_on_its_door() -> None:
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) <= MODULE_LINES_MAX, f"{name(path)}: two rooms would be clearer"
        assert ast.get_docstring(house_rules.tree_of(path)), f"{name(path)}: a module begins with what it decides"
        assert path.stem not in VAGUE_NAMES, f"{name(path)}: a module is named for the step that a datum takes"
        assert "from __future__ import annotations" in text, name(path)


def test_a_function_outside_the_kernels_fits_on_a_page() -> None:
    long = [
        f"{name(path)}: {function.name}: {(function.end_lineno or 0) - function.lineno + 1}"
        for path in SOURCES
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno + 1 > FUNCTION_LINES_MAX and not is_kernel(function)
    ]
    assert not long


def test_every_migration_has_a_number_of_its_own() -> None:
    names = sorted(path.name for path in (ROOT / "store" / "telstraat_store" / "schema" / "migrations").glob("*.sql"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1)), "the next number is taken once"


def run_on_import(node: ast.AST) -> Iterator[ast.AST]:
    """Give the nodes below a module or class that run when it is imported: function bodies do not."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        yield child
        yield from run_on_import(child)


def called(node: ast.Call) -> str:
    """Return the last name of what is called: `now` of `datetime.now()`."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_no_module_of_tests_reads_the_clock_when_it_is_imported() -> None:
    early = [
        f"{name(path)}: {ast.unparse(node)}"
        for path in sorted({*(ROOT / "tests").rglob("*.py")} - {OWNER_OF_TIME})
        for node in run_on_import(house_rules.tree_of(path))
        if isinstance(node, ast.Call) and called(node) in CLOCKS
    ]
    assert not early, "take the moment from tests/harness/moments.py, or in the test"


def test_only_the_outermost_loop_of_a_service_catches_everything() -> None:
    caught = [
        f"{name(path)}:{node.lineno}"
        for path in SOURCES
        if path.name not in LOOPS_THAT_MAY_CATCH_ALL
        for node in ast.walk(house_rules.tree_of(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}))
        and not any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert not caught


@pytest.mark.parametrize("rule", house_rules.RULES)
def test_nothing_is_there_that_a_house_rule_refuses(rule: str) -> None:
    assert house_rules.RULES[rule]() == {}, "python scripts/house_rules.py prints where"


def test_the_name_of_a_test_is_a_sentence() -> None:
    short = [
        f"{name(path)}: {function.name}"
        for path in TESTS
        for function in functions(path)
        if function.name.startswith("test_") and function.name.count("_") < 3
    ]
    assert not short


@pytest.mark.parametrize("part", PARTS)
def test_every_part_draws_its_error_tree(part: str) -> None:
    errors = ROOT / part / f"telstraat_{part.replace('-', '_')}" / "errors.py"
    if not errors.exists():
        pytest.skip(f"{part} raises no errors of its own yet")
    module = house_rules.tree_of(errors)
    drawn = ast.get_docstring(module) or ""
    classes = [node.name for node in module.body if isinstance(node, ast.ClassDef)]
    assert all(re.search(rf"\b{cls}\b", drawn) for cls in classes), f"draw {classes} at the top of {name(errors)}"


def test_nothing_is_left_for_later_in_the_code() -> None:
    # Written in two pieces, so that this file does not find itself.
    marks = re.compile("TO" + "DO|FIX" + "ME|XX" + "X\\b|raise NotImplemented" + "Error")
    violations = [name(path) for path in [*SOURCES, *TESTS] if marks.search(path.read_text(encoding="utf-8"))]
    assert not violations


def test_no_default_password_stands_anywhere() -> None:
    pattern = re.compile(r"""(?i)\b(password|passwd|secret|token)\b["']?\s*[:=]\s*["'][^"'{}<>\s$]{4,}["']""")
    allowed = re.compile(r"(?i)canary|wrong|example|not[-_ ]|\.\.\.")
    violations = [
        f"{name(path)}: {match.group(0)}"
        for path in tracked()
        if path.suffix in {".py", ".toml", ".conf", ".yml", ".yaml", ".sql", ".html", ".js", ".sh", ".md"}
        and "tests" not in path.parts
        for match in pattern.finditer(path.read_text(encoding="utf-8", errors="replace"))
        if not allowed.search(match.group(0))
    ]
    assert not violations


def test_no_path_of_a_machine_and_no_registry_host_is_tracked() -> None:
    pattern = re.compile(
        "/("
        "work|farm"
        ")/[a-z.]|/ro"
        "ot/|(pypi|pythonhosted|npmjs|debian)"
        r"\.(org|com)/(simple|packages|debian|dists)"
    )
    violations = [
        name(path)
        for path in tracked()
        if path.suffix != ".lock" and pattern.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert not violations


def test_no_video_picture_or_count_of_a_real_street_is_tracked() -> None:
    suffixes = {".mp4", ".avi", ".mkv", ".npy", ".npz", ".parquet", ".gz", ".jpg", ".jpeg"}
    violations = [name(path) for path in tracked() if path.suffix in suffixes and path.stat().st_size > 200_000]
    assert not violations
