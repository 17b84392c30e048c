"""The words of a plan: how long to count, on how many streets, as a sentence, a chart and a table."""

from __future__ import annotations

from collections.abc import Sequence

from telstraat_analytics.planning import Plan
from telstraat_analytics.report.charts import power_chart
from telstraat_analytics.report.content import Content, Picture, ReportTable, Section
from telstraat_analytics.report.numbers import digits_for, whole
from telstraat_analytics.report.sentence import percent
from telstraat_analytics.words import streets_counted, word


def plan_content(plans: Sequence[Plan], language: str = "en", title: str = "") -> Content:
    """Put plans into words.

    Parameters
    ----------
    plans
        One per kind of traffic.
    language
        Its code, as in `telstraat_contract.languages.LANGUAGES`.
    title
        Of the report.

    Returns
    -------
    Content
        With power and smallest detectable change for every combination.
    """
    facts = tuple(
        (
            word(plan.what, language),
            word(
                "fact.plan",
                language,
                per_day=whole(plan.per_day, language),
                wanted=_target(plan, language),
                controls=plan.controls,
            ),
        )
        for plan in plans
    )
    return Content(
        language,
        title or word("title.planning", language),
        facts,
        tuple(_section(plan, language) for plan in plans),
        (),
        (),
        (word("foot.plan", language),),
        word("title.report", language),
        word("title.wanted", language),
        word("title.method", language),
        (word("plan.reading", language), word("plan.method", language)),
    )


def _target(plan: Plan, language: str) -> str:
    return percent(plan.target, language, signed=True, digits=digits_for((100 * plan.target,), 0))


def _section(plan: Plan, language: str) -> Section:
    cells = {
        (int(row["weeks"]), int(row["sensors"])): word(
            "plan.cell",
            language,
            power=percent(row["power"], language),
            detectable=percent(row["detectable"], language, signed=True),
        )
        for row in plan.table.to_dict("records")
    }
    weeks, sensors = (sorted({key[place] for key in cells}) for place in (0, 1))
    head = [streets_counted(n, language) for n in sensors]
    rows = tuple((str(length), *(cells[length, n] for n in sensors)) for length in weeks)
    table = ReportTable(
        word("title.plan", language),
        (word("head.weeks", language), *head),
        rows,
        tuple(range(1, len(sensors) + 1)),
        note=word("plan.note", language, wanted=_target(plan, language)),
    )
    picture = Picture(word("title.power", language), power_chart(plan.table, language))
    return Section(word(plan.what, language), plan.sentence(language), (table,), (picture,), "")
