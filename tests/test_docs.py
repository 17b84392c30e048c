"""The documentation cannot lie: what it must mention is read from the code, and its links must lead somewhere."""

from __future__ import annotations

import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def docs() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in PAGES)


def test_the_inventory_names_every_module_and_what_it_decides() -> None:
    from inventory import PARTS, inventory

    table = inventory()
    modules = [path for part in PARTS for path in (ROOT / part).rglob("telstraat_*/**/*.py")]
    assert modules
    assert all(f"| `{path.name}`" in table or f"/{path.name}`" in table for path in modules)
    assert not re.search(r"\|\s*\|$", table, re.MULTILINE), "a module says nothing about itself"


def test_the_readme_opens_with_the_two_commands() -> None:
    top = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40])
    assert "make demo" in top
    assert "make test" in top


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_inside_the_project_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    broken = [t for t in targets if "://" not in t and not t.startswith("mailto:") and not (page.parent / t).exists()]
    assert not broken


def test_every_command_is_documented() -> None:
    from telstraat_cli.main import COMMANDS

    text = docs()
    assert [name for name in COMMANDS if f"telstraat {name}" not in text] == []


def test_every_topic_and_message_field_is_documented() -> None:
    from telstraat_contract.messages import MESSAGES, Confidence, Counts, Flag

    text = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    kinds: tuple[type[msgspec.Struct], ...] = (*MESSAGES, Counts, Confidence)
    names = {field.encode_name for kind in kinds for field in msgspec.structs.fields(kind)}
    names |= {str(kind.channel) for kind in MESSAGES} | {flag.name.lower() for flag in Flag if flag.name}
    assert sorted(name for name in names if f"`{name}`" not in text and f"/{name}`" not in text) == []


def test_decisions_are_numbered_without_gaps_and_stand_in_the_index() -> None:
    import decisions_index

    names = [path.name for path in decisions_index.FOLDER.glob("*.md") if path != decisions_index.INDEX]
    assert all(re.fullmatch(r"\d{3}-[a-z0-9-]+\.md", name) for name in names), names
    assert sorted(int(name[:3]) for name in names) == list(range(1, len(names) + 1))
    written = decisions_index.INDEX.read_text(encoding="utf-8")
    assert written == decisions_index.index(), "python scripts/decisions_index.py writes the index"


@pytest.mark.parametrize(
    "page", sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")), ids=lambda path: path.name[:3]
)
def test_a_decision_is_titled_by_its_number_and_fits_on_a_page(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith(f"# {page.name[:3]} ")
    assert len(lines) <= 100


def test_the_changelog_names_the_version_of_the_project_file() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert version
    assert f"[{version[1]}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_every_test_of_a_promise_is_on_the_page_of_promises() -> None:
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    tests = [path.name for path in (ROOT / "tests" / "promises").glob("test_*.py")]
    assert [name for name in tests if name not in page] == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        if page.is_dir():
            ahead += page.glob("*.md")
        elif page.suffix == ".md":
            ahead += [
                (page.parent / target).resolve()
                for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
                if "://" not in target
            ]
    assert [str(page.relative_to(ROOT)) for page in PAGES if page not in reached | set(ROOT.glob("*.md"))] == []


def numbers(text: str) -> list[str]:
    return [number.replace(",", "") for number in re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)?", text)]


def test_every_figure_of_the_readme_stands_on_the_page_that_it_names() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \| \[.+?\]\((docs/bench/.+?\.md)", readme, re.MULTILINE)
    assert len(rows) > 5
    for what, measured, page in rows:
        there = [float(number) for number in numbers((ROOT / page).read_text(encoding="utf-8"))]
        for number in numbers(f"{what} {measured}"):
            decimals = len(number.partition(".")[2])
            assert any(round(value, decimals) == float(number) for value in there), f"{number} is not on {page}"


def test_every_module_and_command_that_a_page_names_is_there() -> None:
    files = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if ".venv" not in path.parts]
    missing = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        names = re.findall(r"`([\w/-]+\.py)`", text)
        names += [
            f"{module.replace('.', '/')}.py"
            for module in re.findall(r"python -m ((?:bench|tests|telstraat_\w+)[\w.]*)", text)
        ]
        for name in names:
            either = (name, name.replace(".py", "/__main__.py"))
            if "NAME" not in name and not any(f"/{file}".endswith(f"/{end}") for file in files for end in either):
                missing.append(f"{page.relative_to(ROOT)}: {name}")
    assert missing == []


def anchors(page: Path) -> set[str]:
    """Return what a link may point to inside a page: GitHub's names of its headings."""
    without_code = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = [
        re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", line) for line in re.findall(r"^#+ (.+)$", without_code, re.MULTILINE)
    ]
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_heading_finds_it(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    lost = [
        f"{target}#{name}" for target, name in links if name not in anchors((page.parent / target) if target else page)
    ]
    assert lost == []


def tracked(*endings: str) -> dict[str, str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in listed.splitlines() if name.endswith(endings)}


def test_every_decision_that_a_file_names_by_its_number_is_there() -> None:
    numbered = {page.name[:3] for page in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    named = {
        (name, number)
        for name, text in tracked(".py", ".md", ".toml", ".service").items()
        for several in re.findall(r"[Dd]ecisions?[ /](\d{3}(?:(?:, | and )\d{3})*)", text)
        for number in re.findall(r"\d{3}", several)
    }
    assert len(named) > 30
    assert sorted(name for name, number in named if number not in numbered) == []


def is_there(target: str) -> bool:
    """Tell whether a dotted name leads to something: a module, what stands in it, or a field of a class in it."""
    try:
        pkgutil.resolve_name(target)
    except (ImportError, AttributeError):
        parent, _, field = target.rpartition(".")
        return (
            "." in parent and is_there(parent) and field in getattr(pkgutil.resolve_name(parent), "__annotations__", {})
        )
    return True


def test_every_name_of_ours_that_is_pointed_to_is_there() -> None:
    pointed = {
        (target, name)
        for name, text in tracked(".py", ".md").items()
        for target in re.findall(r"`(telstraat_\w+(?:\.\w+)+)`", text)
    }
    assert len(pointed) > 10
    assert [f"{name}: {target}" for target, name in sorted(pointed) if not is_there(target)] == []


def test_a_measurement_without_its_machine_says_what_makes_one() -> None:
    words = [sys.executable, "-m", "bench.core.pi"]
    environment = {key: value for key, value in os.environ.items() if key != "TELSTRAAT_AARCH64"}
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("scripts/aarch64 FOLDER makes one\n")
