"""The package pycausalimpact as a peer: it needs an older pandas, so the python of another environment runs it.

    python -m venv causalimpact
    causalimpact/bin/pip install "pandas<2.1" "numpy<2" "scipy<1.11" "statsmodels<0.14" pycausalimpact
    python -m bench.evaluation --data FOLDER --only pycausalimpact --causalimpact causalimpact/bin/python --first 90 --effects 0

This file is run there, too: it reads one case per line of JSON and writes one answer per line. Defaults and a season of
seven days, as its manual shows; days that are missing are filled in by straight lines, since it takes no gaps.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.evaluation.peers import Days, Estimate

PACKAGE = "pycausalimpact"


class CausalImpact:
    """The package as an estimator; its process is started by the first case and ends with this one."""

    def __init__(self, python: str) -> None:
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def __call__(self, days: Days) -> Estimate | None:
        """Return the package's answer; None without a control, which it needs."""
        from bench.evaluation.peers import Estimate

        if days.controls.shape[1] == 0:
            return None
        table = days.controls.add_prefix("x ")
        table.insert(0, "y", days.treated)
        table = table.asfreq("D").interpolate(limit_direction="both").dropna(axis="columns")
        content = {
            "days": [f"{day:%Y-%m-%d}" for day in table.index],
            "columns": {str(name): table[name].tolist() for name in table},
            "date": f"{days.treated.index[days.post.astype(bool)][0]:%Y-%m-%d}",
        }
        answer = json.loads(self._answer(json.dumps(content)))
        return Estimate(answer["effect"], answer["low"], answer["high"])

    def _answer(self, line: str) -> str:
        if self._process is None:
            command = [self._python, "-W", "ignore", __file__]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(
                f"{self._python} ended: does it have pycausalimpact? The first lines of {__file__} say how"
            )
        return answer


def serve() -> None:
    """Answer every line of the standard input; runs in the other environment."""
    import pandas as pd
    from causalimpact import CausalImpact as Package

    for line in sys.stdin:
        case = json.loads(line)
        table = pd.DataFrame(case["columns"], index=pd.DatetimeIndex(case["days"], freq="D"))
        date = pd.Timestamp(case["date"])
        before = [table.index[0], date - pd.Timedelta(days=1)]
        averages = Package(table, before, [date, table.index[-1]], nseasons=[{"period": 7}]).summary_data["average"]
        names = {"effect": "rel_effect", "low": "rel_effect_lower", "high": "rel_effect_upper"}
        sys.stdout.write(json.dumps({key: float(averages[name]) for key, name in names.items()}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
