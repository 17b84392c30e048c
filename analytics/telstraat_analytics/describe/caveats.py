"""What is not comparable about two things that stand beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from telstraat_analytics.report.sentence import percent
from telstraat_analytics.words import word


@dataclass(frozen=True)
class Caveat:
    """A reason not to read too much into a difference; `text` says it in a language."""

    key: str
    figures: Mapping[str, str | int | float] = field(default_factory=dict)

    def text(self, language: str = "en") -> str:
        """Return the sentence; floats are shares."""
        texts = {
            name: percent(value, language) if isinstance(value, float) else value
            for name, value in self.figures.items()
        }
        if "kind" in texts:
            texts["kind"] = word(f"kind.{texts['kind']}", language)
        return word(f"caveat.{self.key}", language, **texts)

    def __str__(self) -> str:
        return self.text()
