"""JSON that leaves the analysis is JSON: what is infinite or no number is null, in files, on the screen and in the database."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest

from telstraat_analytics.designs.monitoring import Monitoring
from telstraat_analytics.report.write import as_json, finite


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_no_infinite_or_missing_number_is_written_as_one(value: float) -> None:
    content = {"effect": value, "nested": [{"weeks": (1.5, value)}, "text"], "count": 3}
    plain = json.loads(as_json(content), parse_constant=refuse)
    assert plain == {"effect": None, "nested": [{"weeks": [1.5, None]}, "text"], "count": 3}


def test_a_look_that_has_no_number_can_be_kept_in_a_database() -> None:
    looks = pd.DataFrame([(6, math.nan, -math.inf, math.inf)], columns=["weeks", "estimate", "low", "high"])
    look = finite(Monitoring("a", looks, "steady", {"b": (math.nan, math.nan, math.nan)}).to_dict())
    assert json.loads(json.dumps(look, allow_nan=False))["looks"][0]["high"] is None
