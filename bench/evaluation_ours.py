"""Our estimator in the placebo benchmark: the public call on the same hourly counts, nothing set by hand."""

from __future__ import annotations

import pandas as pd
from bench.evaluation_data import Case, Panel
from bench.evaluation_peers import Estimate

from telstraat_analytics.designs.one_street import answer_for
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.frames import as_counts
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question


def estimate(frame: pd.DataFrame, panel: Panel, case: Case) -> Estimate | None:
    """Return our effect and interval, or None where the data are refused."""
    measure = Measure(
        name=f"placebo {case.number}",
        date=case.date.date(),
        treated=(case.sensor,),
        controls=case.controls,
        timezone=panel.timezone,
        before_days=case.pre_days,
        after_days=case.post_days,
    )
    near = frame[frame["segment"].isin([case.sensor, *case.controls])]
    question = Question(case.class_name, hours=panel.hours)
    answer = answer_for(prepare(as_counts(near, "raw", 3600), measure), case.sensor, measure, question)
    if answer.effect is None:
        return None
    return Estimate(answer.effect.estimate, answer.effect.low, answer.effect.high)
