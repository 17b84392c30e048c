"""Every metric has its line in the documentation, every alarm its runbook, and every reason its meaning."""

from __future__ import annotations

import re
from pathlib import Path

from telstraat_ingest.metrics import Metrics
from telstraat_ingest.writing.quarantine import Reason

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_every_metric_is_explained() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    names = [family.name for family in Metrics().registry.collect()]
    assert len(names) > 25
    assert [name for name in names if f"`{name}" not in text] == []


def test_every_alarm_has_a_runbook() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    alarms = re.findall(r"runbooks/([a-z0-9-]+)\.md", text)
    assert len(set(alarms)) >= 6
    pages = {path.stem for path in (DOCS / "runbooks").glob("*.md")}
    assert set(alarms) == pages
    for page in pages:
        words = (DOCS / "runbooks" / f"{page}.md").read_text(encoding="utf-8")
        assert all(f"## {part}" in words for part in ("What it means", "What to look at", "What to do")), page


def test_every_reason_of_quarantine_is_explained() -> None:
    text = (DOCS / "ingest.md").read_text(encoding="utf-8")
    assert [reason for reason in Reason if f"`{reason}`" not in text] == []
