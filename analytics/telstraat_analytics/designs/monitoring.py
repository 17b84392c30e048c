"""An evaluation that lives on: looked at every week, with intervals that allow for looking, and a word on what it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from telstraat_analytics.designs.one_street import StreetAnswer, answer_for
from telstraat_analytics.designs.series import Prepared, prepare
from telstraat_analytics.effect import LEAST, direction_of
from telstraat_analytics.errors import QuestionError
from telstraat_analytics.frames import CountsAre, as_counts
from telstraat_analytics.measure import Measure
from telstraat_analytics.model.step import fit_steps
from telstraat_analytics.quality.inspect import NotComparable
from telstraat_analytics.question import Question

Course = Literal["too early", "steady", "fades", "grows"]
Held = tuple[float, float, float]
"""Estimate, low and high, holding at every look."""
FIRST_LOOK_WEEKS = 4
HALF_WEEKS_MIN = 4
ALPHA = 0.05
MIXING_SD = 0.3
"""Scale of the effects that looks are tuned to (published schemes: about -0.33)."""


@dataclass(frozen=True)
class Monitoring:
    """How an effect goes on.

    Attributes
    ----------
    segment
        Which street.
    looks
        Columns weeks (after the date), estimate, low, high: intervals hold for all looks together.
    course
        ``fades``, ``grows`` or ``steady``: the second half of the time after against the first.
    boundary
        Per boundary street, its estimate with the interval for all looks together.
    refused
        Reasons, when there is no answer.
    hours
        Local start hours that were compared on the street.
    """

    segment: str
    looks: pd.DataFrame
    course: Course
    boundary: dict[str, Held]
    refused: tuple[NotComparable, ...] = ()
    hours: tuple[int, ...] = ()

    @property
    def last(self) -> Held | None:
        """Return estimate, low and high of the last look."""
        if len(self.looks) == 0:
            return None
        row = self.looks.iloc[-1]
        return float(row["estimate"]), float(row["low"]), float(row["high"])

    @property
    def state(self) -> dict[str, str]:
        """Return what is claimed now: ``claim``, ``course``, and ``boundary SEGMENT`` of every boundary street.

        Claims are ``fell``, ``rose``, ``unclear`` or ``no_answer``.
        """
        edge = {f"boundary {name}": claim_of(held) for name, held in self.boundary.items()}
        return {"claim": claim_of(self.last), "course": self.course, **edge}

    def news_since(self, before: Mapping[str, str]) -> tuple[str, ...]:
        """Return which parts of the state are news to somebody who knows the state of an earlier look.

        Parameters
        ----------
        before
            An earlier `state`; empty before the first.

        Returns
        -------
        tuple of str
            Its keys: claims that are made or given up, an effect that begins to fade or to grow.
        """
        out = []
        for name, now in self.state.items():
            if name == "course":
                fresh = now in {"fades", "grows"} and now != before.get(name)
            else:
                known = before.get(name, "unclear")
                fresh = now != known and bool({now, known} & {"fell", "rose"})
            if fresh:
                out.append(name)
        return tuple(out)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return {
            "segment": self.segment,
            "looks": self.looks.to_dict("records"),
            "course": self.course,
            "boundary": self.boundary,
            "state": self.state,
            "refused": [str(reason) for reason in self.refused],
        }


def claim_of(held: Held | None) -> str:
    """Return what an interval claims: ``fell``, ``rose``, ``unclear``; ``no_answer`` where there is none."""
    if held is None:
        return "no_answer"
    return {1: "rose", -1: "fell", 0: "unclear"}[direction_of(*held, LEAST["relative"])]


def sequential_factor(sd: float) -> float:
    """Return how many standard deviations an interval needs that holds at every look.

    Parameters
    ----------
    sd
        Of the estimate, on the log scale.

    Returns
    -------
    float
        Normal-mixture boundary at 5 %, mixed over effects of about 0.3; for 0.1 it is 3.0 instead of 1.96.
    """
    share = (sd**2 + MIXING_SD**2) / MIXING_SD**2
    inside = 2 * np.log(1 / ALPHA) + np.log((sd**2 + MIXING_SD**2) / sd**2)
    return float(np.sqrt(share * inside))


def monitor(
    frame: pd.DataFrame,
    measure: Measure,
    question: Question | None = None,
    *,
    counts: CountsAre = "corrected",
    weeks: Sequence[int] | None = None,
) -> list[Monitoring]:
    """Follow the effect of a measure over its weeks.

    Parameters
    ----------
    frame, measure, question, counts
        As for `telstraat_analytics.evaluate`; `after_days` is how far to look. What is asked must be a count.
    weeks
        After how many weeks to look; by default after each from the fourth on.

    Returns
    -------
    list of Monitoring
        One per treated street.
    """
    followed = question or Question()
    if not followed.is_count:
        raise QuestionError(f"{followed.what!r} cannot be followed; follow a count such as car")
    if followed.against != "before":
        raise QuestionError("what is followed is followed against the time before; ask evaluate about last year")
    checked = as_counts(frame, counts, timezone=measure.timezone)
    chosen = range(FIRST_LOOK_WEEKS, measure.after_days // 7 + 1) if weeks is None else weeks
    whole = prepare(checked, measure)
    out = []
    for segment in measure.treated:
        last = answer_for(whole, segment, measure, followed)
        if last.effect is None:
            none = pd.DataFrame(columns=["weeks", "estimate", "low", "high"])
            out.append(Monitoring(segment, none, "too early", {}, last.refused))
            continue
        looks = [_look(checked, segment, measure, followed, week) for week in chosen]
        table = pd.DataFrame([look for look in looks if look], columns=["weeks", "estimate", "low", "high"])
        edge = {
            name: held_at_every_look(answer)
            for name in measure.boundary
            if (answer := answer_for(whole, name, measure, followed)).effect
        }
        out.append(Monitoring(segment, table, _course(last, whole, measure, followed), edge, hours=last.hours))
    return out


def _look(
    frame: pd.DataFrame, segment: str, measure: Measure, question: Question, weeks: int
) -> dict[str, float] | None:
    so_far = dataclasses.replace(measure, after_days=7 * weeks)
    answer = answer_for(prepare(frame, so_far), segment, so_far, question)
    if answer.effect is None:
        return None
    estimate, low, high = held_at_every_look(answer)
    return {"weeks": weeks, "estimate": estimate, "low": low, "high": high}


def held_at_every_look(answer: StreetAnswer) -> Held:
    """Return an answer's estimate with the interval that holds at every look; the answer has an effect."""
    assert answer.fit is not None, "an answer with an effect has its fit"
    steps = answer.fit.steps
    sd = steps.sd() * answer.stretch
    half = sequential_factor(sd) * sd
    return tuple(float(np.expm1(steps.mean() + side * half)) for side in (0, -1, 1))  # type: ignore[return-value]


def _course(answer: StreetAnswer, prepared: Prepared, measure: Measure, question: Question) -> Course:
    """Compare the second half of the time after with the first, as if the middle were a date."""
    assert answer.street is not None, "an answer with an effect has its street"
    after = answer.street.weeks.between(0, 10_000)
    if len(after.number) < 2 * HALF_WEEKS_MIN:
        return "too early"
    middle = int(after.number[len(after.number) // 2])
    others = [control.weeks.between(0, 10_000).shifted(middle) for control in answer.donors]
    others = [control for control in others if (control.number < 0).any() and (control.number >= 0).any()]
    date = prepared.span.date + pd.Timedelta(weeks=middle)
    steps = fit_steps(
        [after.shifted(middle)], others, question.variance_prior, date, southern=measure.days.southern
    ).steps
    if steps.quantile(0.025) <= 0 <= steps.quantile(0.975):
        return "steady"
    first = answer.effect.estimate if answer.effect else 0.0
    return "grows" if np.sign(steps.mean()) == np.sign(first) else "fades"
