"""An evaluation: a measure and a question in, one object out that gives the table, the sentence and the doubts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import pandas as pd

from telstraat_analytics.designs.answering import Answered, answers_to
from telstraat_analytics.designs.division import Hear
from telstraat_analytics.designs.one_street import StreetAnswer
from telstraat_analytics.designs.parts import known_parts
from telstraat_analytics.designs.series import Prepared, needed, prepare
from telstraat_analytics.effect import Effect
from telstraat_analytics.errors import NoCountsError
from telstraat_analytics.frames import CountsAre, as_counts, frame_hash
from telstraat_analytics.measure import Measure
from telstraat_analytics.quality.findings import timeline
from telstraat_analytics.question import SPEEDS, Question
from telstraat_analytics.report.sentence import sentence
from telstraat_analytics.result import EvaluationResult
from telstraat_analytics.weather import read_weather
from telstraat_contract.languages import LANGUAGES

STREETS_TOLD = 20


class Evaluation(EvaluationResult):
    """What was found, and how far to trust it: an `Outcome` that can be read, as sentence, table and plain values."""

    def sentence(self, language: str = "en") -> str:
        """Return the answer as one sentence that a council can quote, in a language of ``LANGUAGES``."""
        return sentence(self, language)

    def table(self) -> pd.DataFrame:
        """Return one row per street, and one for the area.

        Returns
        -------
        pandas.DataFrame
            Columns street, role, observed, expected, change, low, high, chance, detectable, days_before, days_after,
            controls, refused. The numbers are those of the sentence.
        """
        rows = [_row(self.measure, answer, role) for role, group in self._groups() for answer in group]
        if self.network is not None and sum(answer.effect is not None for answer in self.streets) > 1:
            rows.append({"street": "area", "role": "area", **_numbers(self.network.area), "refused": ""})
        return pd.DataFrame(rows)

    def timeline(self) -> pd.DataFrame:
        """Return what is wrong with the sensors, by street and time."""
        return timeline(self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values, for JSON."""
        measure = asdict(self.measure)
        return {
            "measure": json.loads(json.dumps(measure, default=str)),
            "question": asdict(self.question),
            "sentence": {language: self.sentence(language) for language in LANGUAGES},
            "effect": self.effect.to_dict() if self.effect else None,
            "streets": [_plain(answer) for answer in self.streets],
            "boundary": [_plain(answer) for answer in self.boundary],
            "network": self.network.to_dict() if self.network else None,
            "checks": {segment: [result.to_dict() for result in results] for segment, results in self.checks.items()},
            "findings": [finding.row() for finding in self.findings],
            "parts": [part.to_dict() for part in self.parts],
            "not_counted": list(self.not_counted),
            "refused": list(self.refused),
            "reliable": self.reliable,
            "inputs_sha256": self.inputs_hash,
            "version": self.version,
        }

    def _groups(self) -> tuple[tuple[str, tuple[StreetAnswer, ...]], ...]:
        return (("treated", self.streets), ("boundary", self.boundary))


def evaluate(
    frame: pd.DataFrame,
    measure: Measure,
    question: Question | None = None,
    *,
    counts: CountsAre = "corrected",
    weather: pd.DataFrame | None = None,
    by: Sequence[str] = (),
) -> Evaluation:
    """Evaluate a measure.

    Parameters
    ----------
    frame
        Counts per segment and hour or quarter (see `telstraat_analytics.frames.as_counts` and docs/analysis.md).
    measure
        What was done, where and when.
    question
        What one wants to know; cars, both directions, all comparable hours by default.
    counts
        ``corrected`` (divided by uptime, as published) or ``raw``.
    weather
        Daily weather: columns ``day``, ``temperature_c``, ``rain_mm``.
    by
        Parts that are answered, too: ``hour``, ``direction``, ``speed``; an hour or a direction takes about a third as long as the whole.

    Returns
    -------
    Evaluation
        Also when nothing can be said: then `effect` is None and `refused` says why.

    Raises
    ------
    FrameError
        The frame is not a frame of counts, or holds none of the treated streets.
    """
    return evaluate_all(frame, measure, [question or Question()], counts=counts, weather=weather, by=by)[0]


def evaluate_all(
    frame: pd.DataFrame,
    measure: Measure,
    questions: Sequence[Question],
    *,
    counts: CountsAre = "corrected",
    weather: pd.DataFrame | None = None,
    by: Sequence[str] = (),
    processes: int = 1,
    hear: Hear | None = None,
) -> list[Evaluation]:
    """Evaluate a measure for several questions; sensors are inspected once.

    Parameters
    ----------
    frame, measure, counts, weather, by
        As for `evaluate`.
    questions
        What one wants to know.
    processes
        How many compute at once; the answer does not depend on it.
    hear
        Told how far it is, and the first answers: plain values, a street and a question each, the treated streets first.

    Returns
    -------
    list of Evaluation
        In the order of the questions.
    """
    kinds = known_parts(tuple(by))
    checked = as_counts(frame, counts, timezone=measure.timezone)
    known = sorted(map(str, checked["segment"].unique()))
    if not set(known) & set(measure.treated):
        streets = f"{', '.join(known[:STREETS_TOLD])}{', …' if len(known) > STREETS_TOLD else ''}"
        raise NoCountsError(
            f"none of the treated streets ({', '.join(measure.treated)}) is in the counts; they hold {streets or 'nothing'}"
        )
    checked = needed(checked, measure)
    daily_weather = None if weather is None else read_weather(weather)
    prepared = prepare(checked, measure, daily_weather)
    answered = answers_to(prepared, measure, questions, kinds, processes, hear)
    return [
        _evaluated(checked, prepared, measure, question, each)
        for question, each in zip(questions, answered, strict=True)
    ]


def inputs_hashes(
    frame: pd.DataFrame, measure: Measure, questions: Sequence[Question], *, counts: CountsAre = "corrected"
) -> list[str]:
    """Return `inputs_sha256` of each question's answer, before anything is computed: of the counts, the measure and the question.

    Parameters
    ----------
    frame, measure, questions, counts
        As for `evaluate_all`.

    Returns
    -------
    list of str
        In the order of the questions.
    """
    checked = needed(as_counts(frame, counts, timezone=measure.timezone), measure)
    return [_hash(checked, None, measure, question) for question in questions]


def _evaluated(
    checked: pd.DataFrame, prepared: Prepared, measure: Measure, question: Question, answered: Answered
) -> Evaluation:
    streets, boundary = answered.of(measure.treated), answered.of(measure.boundary)
    return Evaluation(
        measure,
        question,
        streets,
        boundary,
        answered.network,
        prepared.findings,
        {answer.segment: answered.checks[answer.segment] for answer in streets if answer.effect is not None},
        _hash(checked, prepared.weather, measure, question),
        version("telstraat"),
        answered.all_parts(streets),
        tuple(segment for segment in measure.segments if segment not in prepared.tables),
    )


def _hash(frame: pd.DataFrame, weather: pd.DataFrame | None, measure: Measure, question: Question) -> str:
    extra = (*question.columns, *(("car_speed",) if question.what in SPEEDS else ()))
    digest = hashlib.sha256(frame_hash(frame, extra).encode())
    if weather is not None:
        digest.update(weather.round(6).to_csv().encode())
    digest.update(json.dumps([asdict(measure), asdict(question)], default=str, sort_keys=True).encode())
    return digest.hexdigest()


def _numbers(effect: Effect) -> dict[str, float]:
    return {
        "observed": effect.observed,
        "expected": effect.expected,
        "change": effect.estimate,
        "low": effect.low,
        "high": effect.high,
        "chance": effect.chance,
        "detectable": effect.detectable,
    }


def _row(measure: Measure, answer: StreetAnswer, role: str) -> dict[str, object]:
    numbers: dict[str, object] = dict(_numbers(answer.effect)) if answer.effect else {}
    return {
        "street": measure.called(answer.segment),
        "role": role,
        **numbers,
        "days_before": answer.days_before,
        "days_after": answer.days_after,
        "controls": len(answer.controls),
        "refused": "; ".join(map(str, answer.refused)),
    }


def _plain(answer: StreetAnswer) -> dict[str, Any]:
    weeks = (
        answer.weeks.assign(week=answer.weeks["week"].dt.strftime("%Y-%m-%d")) if len(answer.weeks) else answer.weeks
    )
    return {
        "segment": answer.segment,
        "effect": answer.effect.to_dict() if answer.effect else None,
        "refused": [str(reason) for reason in answer.refused],
        "days_before": answer.days_before,
        "days_after": answer.days_after,
        "hours": list(answer.hours),
        "controls": list(answer.controls),
        "stretch": answer.stretch,
        "weeks": weeks.to_dict("records"),
        "placebos": [
            {"segment": p.segment, "date": f"{p.date:%Y-%m-%d}", "effect": p.effect, "sd": p.sd, "claimed": p.claimed}
            for p in answer.placebos
        ],
    }
