"""Keeps what sensors have really closed, and compares it with what stands in the table."""

from __future__ import annotations

import time
from collections import defaultdict

from telstraat_contract.messages import Report
from telstraat_demo.run.reconciliation import Difference, differences, stored_reports


class TruthKeeper:
    """Told of every report that a sensor has closed; nothing else may be in the table."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._closed: dict[str, list[Report]] = defaultdict(list)

    def closed(self, *reports: Report) -> None:
        """Take note of reports as their sensor closed them."""
        for report in reports:
            self._closed[report.sensor].append(report)

    def differences(self) -> list[Difference]:
        """Return what is missing, different, doubled or invented, over all sensors."""
        return [
            difference
            for sensor, reports in self._closed.items()
            for difference in differences(reports, stored_reports(self.dsn, sensor))
        ]

    def wait_until_equal(self, wait_s: float = 60.0) -> None:
        """Return once the table equals the truth; fail with the differences when it does not in time."""
        end = time.monotonic() + wait_s
        while result := self.differences():
            if time.monotonic() > end:
                raise AssertionError(f"{len(result)} differences after {wait_s:g} s, first: {result[0]}")
            time.sleep(0.05)
