"""The languages that people read Telstraat in: English, in which the texts stand in the code, and one catalogue for each other.

A language is there because its catalogue lies in this folder, named by its ISO 639 code; nothing else lists them.
"""

from __future__ import annotations

from importlib.resources import files

SOURCE = "en"
"""The texts in the code are English."""

SUFFIX = ".po"
FOLDER = files(__name__)
CONTEXT = "\x04"
"""Between context and text, as in compiled catalogues."""


def catalogues() -> tuple[str, ...]:
    """Return the codes of the catalogues that lie in the folder."""
    names = sorted(entry.name for entry in FOLDER.iterdir() if entry.name.endswith(SUFFIX))
    return tuple(name.removesuffix(SUFFIX) for name in names)


LANGUAGES = (SOURCE, *catalogues())
"""The code of every language, English first."""


def gettext_noop(text: str) -> str:
    """Mark a text for the catalogues that is translated later."""
    return text


def pgettext_noop(context: str, text: str) -> str:
    """Mark a text that other languages write in more than one way; the context says which is meant."""
    return f"{context}{CONTEXT}{text}"


__all__ = ["CONTEXT", "FOLDER", "LANGUAGES", "SOURCE", "SUFFIX", "catalogues", "gettext_noop", "pgettext_noop"]
