"""The texts of answers, checks, reports and letters: the English by key here, every other language in its catalogue."""

from __future__ import annotations

from telstraat_analytics.errors import ReportError
from telstraat_analytics.words.answers import ANSWER_WORDS
from telstraat_analytics.words.checks import CHECK_WORDS
from telstraat_analytics.words.descriptions import DESCRIPTION_WORDS
from telstraat_analytics.words.following import FOLLOWING_WORDS
from telstraat_analytics.words.reports import REPORT_WORDS
from telstraat_contract.errors import LanguageError
from telstraat_contract.languages.catalogue import Language, language

WORDS = ANSWER_WORDS | CHECK_WORDS | DESCRIPTION_WORDS | FOLLOWING_WORDS | REPORT_WORDS


def word(key: str, code: str, /, **values: object) -> str:
    """Return a text in a language.

    Parameters
    ----------
    key
        Of `WORDS`.
    code
        Of the language, as in `telstraat_contract.languages.LANGUAGES`.
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
    return spoken(code).gettext(WORDS[key], **values)


def streets_counted(n: int, code: str) -> str:
    """Return so many streets, in words."""
    return spoken(code).ngettext("{n} street", "{n} streets", n)


def spoken(code: str) -> Language:
    """Return a language; raise `ReportError` where there is none of the code."""
    try:
        return language(code)
    except LanguageError as error:
        raise ReportError(str(error)) from error


__all__ = ["WORDS", "spoken", "streets_counted", "word"]
