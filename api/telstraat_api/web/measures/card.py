"""The card to share: what was found, as a picture and as a text that cannot be misread, the number never without its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap

from fastapi import Request
from markupsafe import escape

from telstraat_api.settings import ApiSettings
from telstraat_api.web.languages import PageLanguage
from telstraat_api.web.measures.answers import AnswerView, EvaluationView
from telstraat_contract.languages import gettext_noop
from telstraat_store.connection import Row

WIDE, HIGH = 1200, 630
LEFT = 72
COLOURS = {"fell": "#0072b2", "rose": "#d55e00", "unclear": "#55606c", "no_answer": "#55606c"}
FONT = "Inter, 'Source Sans 3', 'Noto Sans', 'DejaVu Sans', 'Liberation Sans', sans-serif"
LETTER = 0.54
"""Width of a letter in parts of its height, a wide one."""

INTERVAL = gettext_noop("95 % interval: {interval}")
NOT_TOLD = gettext_noop("No change can be told")
NO_ANSWER = gettext_noop("No answer")
SEEN = gettext_noop("{change}; 95 % interval: {interval}. A fall of {size} would have been seen.")
PERIOD = gettext_noop("{streets}: {before} days before {day} against {after} days after")
NOT_SAID = {
    "sure": gettext_noop("It does not say why, nor what happens in streets that nobody counts."),
    "doubt": gettext_noop("Some checks leave a doubt: read them before you quote the number."),
    "failed": gettext_noop(
        "A check failed: this may not be the measure's doing. Do not quote the number without saying so."
    ),
    "unclear": gettext_noop("That is no proof that nothing changed: smaller changes could not have been seen."),
    "no_answer": gettext_noop("These counts do not allow an answer."),
}
TOLD = gettext_noop("{title}: {name}. {number} ({interval}). {period}. {not_said} {address}")
STREETS_MAX = 3


@dataclass(frozen=True)
class ShareCard:
    """What stands on the card, in one language."""

    name: str
    title: str
    number: str
    interval: str
    sentence: str
    period: str
    not_said: str
    address: str
    site: str
    result: str
    doubtful: bool
    text: str

    def svg(self) -> str:
        """Return the picture, 1200 by 630; it needs nothing from the net."""
        parts = [
            f'<rect width="{WIDE}" height="{HIGH}" fill="#f5f4ef"/>',
            f'<rect width="18" height="{HIGH}" fill="{COLOURS[self.result]}"/>',
        ]
        y = 78.0
        for size, weight, colour, text, lines in (
            (30, 700, "#1c242d", self.name, 2),
            (25, 400, "#55606c", self.title, 1),
        ):
            y = self._lines(parts, y, size, text, lines, weight, colour)
        number_size = 118 if len(self.number) < 9 else 66
        y += number_size * 0.9
        parts.append(text_at(LEFT, y, number_size, self.number, 700, COLOURS[self.result]))
        y += 52
        y = self._lines(parts, y, 32, self.interval, 2, 700, "#1c242d")
        y = self._lines(parts, y + 10, 25, self.period, 2, 400, "#1c242d")
        self._lines(
            parts, y + 4, 23, self.not_said, 3, 700 if self.doubtful else 400, "#a8420b" if self.doubtful else "#55606c"
        )
        parts.append(f'<line x1="{LEFT}" x2="{WIDE - LEFT}" y1="566" y2="566" stroke="#dedbd1" stroke-width="2"/>')
        parts.append(text_at(LEFT, 602, 22, f"{self.site} · {self.address}", 400, "#55606c"))
        drawn = "".join(parts)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDE}" height="{HIGH}" viewBox="0 0 {WIDE} {HIGH}" '
            f'font-family="{escape(FONT)}">{drawn}</svg>'
        )

    @staticmethod
    def _lines(parts: list[str], y: float, size: int, text: str, most: int, weight: int, colour: str) -> float:
        """Add a text in lines as wide as the card, and return where the next one begins."""
        lines = wrap(text, int((WIDE - 2 * LEFT) / (LETTER * size)), break_long_words=True) or [""]
        if len(lines) > most:
            lines = [*lines[: most - 1], f"{lines[most - 1][:-1]}…"]
        for line in lines:
            parts.append(text_at(LEFT, y, size, line, weight, colour))
            y += size * 1.32
        return y


def text_at(x: float, y: float, size: float, text: str, weight: int, colour: str) -> str:
    """Return a text of the card."""
    return (
        f'<text x="{x:g}" y="{y:.0f}" font-size="{size:g}" font-weight="{weight}" fill="{colour}">{escape(text)}</text>'
    )


def card_of(
    measure: Row, view: EvaluationView, called: Mapping[int, str], address: str, site: str, _: PageLanguage
) -> ShareCard:
    """Return the card of an evaluation's first answer."""
    answer = view.first
    number, interval = number_of(answer, _)
    result = view.evaluation["result"]["evaluations"][0]["measure"]
    period = _(
        PERIOD,
        streets=streets_text([called.get(int(number), str(number)) for number in result["treated"]]),
        before=result["before_days"],
        day=_.day(measure["first_day"]),
        after=result["after_days"],
    )
    not_said = _(NOT_SAID[answer.sureness])
    text = _(
        TOLD, title=answer.title, name=measure["name"], number=number, interval=interval, period=period, not_said=not_said, address=address
    )  # fmt: skip
    return ShareCard(
        measure["name"], answer.title, number, interval, answer.sentence, period, not_said, address, site,
        answer.headline.result, answer.sureness in {"doubt", "failed"}, text,
    )  # fmt: skip


def base_of(request: Request) -> str:
    """Return the address of this site as readers type it."""
    settings: ApiSettings = request.app.state.settings
    return settings.public_url or str(request.base_url).rstrip("/")


def number_of(answer: AnswerView, _: PageLanguage) -> tuple[str, str]:
    """Return what stands in the largest type, and the interval that never leaves it."""
    headline = answer.headline
    if headline.effect is None:
        return _(NO_ANSWER), answer.sentence
    if headline.result == "unclear":
        return _(NOT_TOLD), _(SEEN, change=headline.change, interval=headline.interval, size=answer.detectable)
    return headline.change, _(INTERVAL, interval=headline.interval)


def streets_text(streets: Sequence[str]) -> str:
    """Return some streets in a row, the rest as a number."""
    more = len(streets) - STREETS_MAX
    return ", ".join(streets[:STREETS_MAX]) + (f" + {more}" if more > 0 else "")
