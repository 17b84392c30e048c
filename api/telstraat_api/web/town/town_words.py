"""The first sentences of the town's page: how many streets count, who passed yesterday, where it is busy and where most drive too fast."""

from __future__ import annotations

from datetime import datetime, timedelta

from telstraat_api.web.languages import PageLanguage
from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_users import CLASSES
from telstraat_store.counts.windows import zone
from telstraat_store.summaries.summary_table import StreetState
from telstraat_store.summaries.town_totals import TownTotals

NOT_ALL = gettext_noop("{n} of {all} streets count now.")
NONE_COUNTS = gettext_noop("No street counts now.")
YESTERDAY = gettext_noop("Yesterday they saw {n} pass: {first}, {second}.")
ON_A_DAY = gettext_noop("On {day} they saw {n} pass: {first}, {second}.")
YESTERDAY_DARK = gettext_noop("Yesterday they saw {n} pass.")
ON_A_DAY_DARK = gettext_noop("On {day} they saw {n} pass.")
NO_DAY = gettext_noop("No day is watched well enough yet to say how many pass.")
BUSIEST = gettext_noop("{street} is busiest.")
TOO_FAST = gettext_noop("In {street} most drive too fast: {share} of the cars go above {limit} km/h.")
FASTEST = gettext_noop(
    "Nowhere do most drive too fast; most often in {street}: {share} of the cars go above {limit} km/h."
)
BY = {
    "pedestrian": gettext_noop("{share} on foot"),
    "bike": gettext_noop("{share} by bicycle"),
    "car": gettext_noop("{share} by car"),
    "heavy": gettext_noop("{share} in heavy vehicles"),
}


def town_sentences(totals: TownTotals, now: datetime, language: PageLanguage) -> list[str]:
    """Return what is known, sentence by sentence; what is not known is said or left out."""
    sentences = [counting(totals, language)] if totals.streets else []
    if totals.day is None:
        return [*sentences, language(NO_DAY)] if totals.streets else []
    sentences.append(passing(totals, now, language))
    if totals.watched < totals.streets:
        sentences.append(
            language.ngettext(
                "That is from {n} street that was watched well enough that day.",
                "That is from {n} streets that were watched well enough that day.",
                totals.watched,
            )
        )
    if totals.busiest:
        sentences.append(language(BUSIEST, street=totals.busiest["name"]))
    fastest = totals.fastest
    if fastest and fastest["limit_kmh"] is not None:
        text = TOO_FAST if fastest["value"] > 0.5 else FASTEST
        share = language.percent(fastest["value"])
        sentences.append(language(text, street=fastest["name"], share=share, limit=fastest["limit_kmh"]))
    return sentences


def counting(totals: TownTotals, language: PageLanguage) -> str:
    """Say how many streets count now; those that are blind at this hour do not, and are said."""
    count = totals.states.get(StreetState.COUNTING, 0) - totals.dark
    if count == totals.streets:
        return language.ngettext("{n} street counts.", "{n} streets count.", count)
    text = (
        language(NOT_ALL, n=language.number(count), all=language.number(totals.streets))
        if count
        else language(NONE_COUNTS)
    )
    if not totals.dark:
        return text
    blind = language.ngettext(
        "{n} is blind in the dark and counts again by day.",
        "{n} are blind in the dark and count again by day.",
        totals.dark,
    )
    return f"{text} {blind}"


def passing(totals: TownTotals, now: datetime, language: PageLanguage) -> str:
    """Say how many passed on the last day, and the two classes most of them belong to."""
    assert totals.day is not None
    is_yesterday = totals.day == now.astimezone(zone(totals.timezone)).date() - timedelta(days=1)
    number = language.number(sum(totals.passed.values()))
    named = {kind: totals.passed[kind] for kind in CLASSES if totals.passed.get(kind)}
    values = {"n": number, **({} if is_yesterday else {"day": language.day(totals.day)})}
    if len(named) < 2:
        return language(YESTERDAY_DARK if is_yesterday else ON_A_DAY_DARK, **values)
    first, second = sorted(named, key=lambda kind: -named[kind])[:2]
    everybody = sum(named.values())
    shares = [language(BY[kind], share=language.percent(named[kind] / everybody)) for kind in (first, second)]
    return language(YESTERDAY if is_yesterday else ON_A_DAY, first=shares[0], second=shares[1], **values)
