"""The alert rules in deploy/ name metrics that exist and runbooks that are there, and leave out no alarm of the docs."""

from __future__ import annotations

import re
from pathlib import Path

from telstraat_api.jobs.metrics import JobMetrics
from telstraat_ingest.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
RULES = (ROOT / "deploy/prometheus/alerts.yml").read_text()
ALERTS = RULES.split("- alert: ")[1:]
METRIC = re.compile(r"\btelstraat_[a-z0-9_]+")


def names_served() -> set[str]:
    """Every name that a scrape of ingest or of a worker can bring; `histogram_bucket` and the like included."""
    results = set()
    for family in (*Metrics().registry.collect(), *JobMetrics().registry.collect()):
        endings = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
        results |= {family.name + ending for ending in endings}
    return results


def test_every_metric_of_a_rule_is_served_by_ingest_or_a_worker() -> None:
    expressions = re.findall(r"^ {8}expr: (?:>-\n)?((?:.|\n {10})+)", RULES, re.MULTILINE)
    assert len(expressions) == len(ALERTS) > 9
    for expression in expressions:
        named = set(METRIC.findall(expression))
        assert named, expression
        assert named <= names_served(), expression


def test_every_rule_has_a_runbook_that_is_there() -> None:
    for alert in ALERTS:
        match = re.search(r"runbook: (\S+)", alert)
        assert match, alert
        assert (ROOT / match[1]).is_file(), match[1]


def test_every_alarm_of_the_docs_has_a_rule() -> None:
    table = (ROOT / "docs/operations.md").read_text().partition("## Alarms")[2]
    alarms = set(METRIC.findall(table))
    assert len(alarms) >= 10
    assert alarms <= set(METRIC.findall(RULES))


def test_the_disk_is_told_about_before_it_is_full() -> None:
    limits = [float(text) for text in re.findall(r"disk_used_ratio > ([0-9.]+)", RULES)]
    assert limits
    assert max(limits) < 0.9
    assert "predict_linear(telstraat_ingest_disk_used_ratio" in RULES
