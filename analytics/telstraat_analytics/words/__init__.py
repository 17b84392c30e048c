"""The words of the answers in English, Dutch and French; a test sees that none is missing."""

from __future__ import annotations

from telstraat_analytics.errors import ReportError
from telstraat_analytics.words.answers import ANSWER_WORDS
from telstraat_analytics.words.checks import CHECK_WORDS
from telstraat_analytics.words.descriptions import DESCRIPTION_WORDS
from telstraat_analytics.words.following import FOLLOWING_WORDS
from telstraat_analytics.words.reports import REPORT_WORDS

LANGUAGES = ("en", "nl", "fr")
WORDS = ANSWER_WORDS | CHECK_WORDS | DESCRIPTION_WORDS | FOLLOWING_WORDS | REPORT_WORDS


def word(key: str, language: str, **values: object) -> str:
    """Return a text in a language.

    Parameters
    ----------
    key
        Of `WORDS`.
    language
        ``en``, ``nl`` or ``fr``.
    **values
        What stands in the braces.

    Returns
    -------
    str
        The text.

    Raises
    ------
    ReportError
        There is no such language.
    """
    if language not in LANGUAGES:
        raise ReportError(f"language {language!r}: there are {', '.join(LANGUAGES)}")
    return WORDS[key][LANGUAGES.index(language)].format(**values)


__all__ = ["LANGUAGES", "WORDS", "word"]
