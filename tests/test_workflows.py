"""The workflow for those who host the project elsewhere runs what `.ci/run` runs, and repeats none of it."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / ".github" / "workflows").glob("*.yml")}
CHECKS = WORKFLOWS["checks.yml"]


def test_every_step_is_a_target_of_the_makefile_or_a_script_of_the_project() -> None:
    steps = [step for text in WORKFLOWS.values() for step in re.findall(r"run: (.+)", text)]
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert steps
    for step in steps:
        words = step.split()
        assert (words[0] == "make" and words[1] in targets) or os.access(ROOT / words[0], os.X_OK), step


def test_every_python_that_the_project_asks_for_is_tried_and_64_bit_arm() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    least = int(project["requires-python"].removeprefix(">=3."))
    matrix = re.search(r"python: \[(.+)\]", CHECKS)
    assert matrix
    minors = [int(minor) for minor in re.findall(r'"3\.(\d+)"', matrix[1])]
    assert minors == list(range(least, 15))
    assert "ubuntu-24.04-arm" in CHECKS
