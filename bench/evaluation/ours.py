"""Our estimator as others call it: counts of a street and of candidate controls in; effect, low and high out, or the reason.

    python -m bench.evaluation.ours --counts counts.csv --treated A --controls B,C --class car --date 2025-09-22 \\
        --zone Europe/Brussels --hours 9-14 --before 56 --after 28

From Python: `effect_of(frame, treated=…, date=…)`. Nothing is set by hand; docs/evaluation.md says what goes in.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from bench.evaluation.data import Case, Panel
from bench.evaluation.peers import Estimate

from telstraat_analytics.designs.one_street import answer_for
from telstraat_analytics.designs.series import prepare
from telstraat_analytics.errors import AnalysisError, FrameError, MeasureError
from telstraat_analytics.frames import CountsAre, as_counts
from telstraat_analytics.measure import Measure
from telstraat_analytics.question import Question
from telstraat_analytics.tables import counts_in
from telstraat_store import CountsFileError, read_counts


@dataclass(frozen=True)
class Answer:
    """A relative change (-0.1 is ten percent less) with its 95 % interval, or why there is none."""

    effect: float | None
    low: float | None
    high: float | None
    refused: tuple[str, ...] = ()


def effect_of(
    frame: pd.DataFrame,
    treated: str,
    date: dt.date,
    *,
    controls: Sequence[str] = (),
    class_name: str = "car",
    timezone: str = "UTC",
    hours: Sequence[int] = (),
    before_days: int = 56,
    after_days: int = 28,
    counts: CountsAre = "corrected",
) -> Answer:
    """Return the change of one street at a date.

    Parameters
    ----------
    frame
        One row per street and hour (or quarter), in any order: ``segment``, ``start`` (UTC, or with a zone), counts per
        class and, where known, ``uptime``; a count that is missing is a gap. All the history there is: days before
        `before_days` say how the street moves. Streets that are neither treated nor controls are ignored. Daily totals
        do, too: one row a day at local midnight, ``hours=(0,)``.
    treated
        The street.
    date
        First day of the time after, local.
    controls
        Streets on which nothing was done; none, one or many.
    class_name
        ``pedestrian``, ``bike``, ``car``, ``heavy``, ``motor`` (car and heavy), ``active`` or ``all``.
    timezone
        IANA zone of the street.
    hours
        Local start hours to compare; without it, all that were seen on both sides of the date.
    before_days, after_days
        Days that are compared.
    counts
        ``corrected`` (divided by uptime, as published) or ``raw``.

    Returns
    -------
    Answer
        With `refused` filled, and nothing else, where the data do not allow an answer.
    """
    company = tuple(dict.fromkeys(str(control) for control in controls if str(control) != str(treated)))
    try:
        counted = counts_in(frame, timezone)
        known = set(counted["segment"])
        if str(treated) not in known:
            raise FrameError(f"the counts have no street {str(treated)!r}; they have {', '.join(sorted(known)[:12])}")
        near = as_counts(counted[counted["segment"].isin([str(treated), *company])], counts)
        measure = Measure(
            "before and after",
            _day(date),
            (str(treated),),
            company,
            timezone=timezone,
            before_days=before_days,
            after_days=after_days,
        )
        question = Question(class_name, hours=tuple(hours))
        answer = answer_for(prepare(near, measure), str(treated), measure, question)
    except AnalysisError as error:
        return Answer(None, None, None, (str(error),))
    if answer.effect is None:
        return Answer(None, None, None, tuple(map(str, answer.refused)))
    return Answer(answer.effect.estimate, answer.effect.low, answer.effect.high)


def _day(value: object) -> dt.date:
    try:
        day = pd.Timestamp(str(value))
    except ValueError as error:
        raise MeasureError(f"date is {value!r}; write a day, e.g. 2025-09-22") from error
    return day.date()


def estimate(frame: pd.DataFrame, panel: Panel, case: Case) -> Estimate | None:
    """Return our effect and interval for a case of the benchmark, or None where the data are refused."""
    answer = effect_of(
        frame,
        case.sensor,
        case.date.date(),
        controls=case.controls,
        class_name=case.class_name,
        timezone=panel.timezone,
        hours=panel.hours,
        before_days=case.pre_days,
        after_days=case.post_days,
        counts="raw",
    )
    if answer.effect is None or answer.low is None or answer.high is None:
        return None
    return Estimate(answer.effect, answer.low, answer.high)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the answer as one line of JSON; 1 when it is refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--counts", action="append", type=Path, required=True, help="CSV or JSON; may be repeated")
    parser.add_argument("--treated", required=True)
    parser.add_argument("--controls", default="", help="with commas")
    parser.add_argument("--class", dest="class_name", default="car")
    parser.add_argument("--date", type=dt.date.fromisoformat, required=True)
    parser.add_argument("--zone", default="UTC")
    parser.add_argument("--hours", help="FIRST-LAST, local start hours")
    parser.add_argument("--before", type=int, default=56)
    parser.add_argument("--after", type=int, default=28)
    parser.add_argument("--times", choices=("local", "utc"), help="what times without an offset are")
    parser.add_argument("--raw", action="store_true", help="counts are as observed, not divided by uptime")
    args = parser.parse_args(argv)
    first, _, last = (args.hours or "").partition("-")
    try:
        frame = read_counts(args.counts, args.zone, times=args.times, counts="raw" if args.raw else "corrected")
    except CountsFileError as error:
        raise SystemExit(str(error)) from error
    answer = effect_of(
        frame,
        args.treated,
        args.date,
        controls=[name for name in args.controls.split(",") if name],
        class_name=args.class_name,
        timezone=args.zone,
        hours=range(int(first), int(last or first) + 1) if first else (),
        before_days=args.before,
        after_days=args.after,
        counts="raw" if args.raw else "corrected",
    )
    print(json.dumps(asdict(answer), ensure_ascii=False))
    return 0 if answer.effect is not None else 1


if __name__ == "__main__":
    raise SystemExit(main())
