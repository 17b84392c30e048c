"""One language as its catalogue has it: texts by gettext, and the locale for its numbers and dates."""

from __future__ import annotations

import gettext
import logging
import re
import string
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po

from telstraat_contract.errors import LanguageError
from telstraat_contract.languages import CONTEXT, FOLDER, LANGUAGES, SOURCE, SUFFIX

SOURCE_LOCALE = "en_GB"
PLURALS_TRIED = range(200)
"""Numbers for which a rule for plurals is computed at once: those of the world's languages repeat after a hundred."""

PERCENT = re.compile(r"(?<=[0-9}])[ \u00a0\u202f]*%")
NARROW = "\u202f"
"""A narrow space at which no line breaks: what stands between a number and its per cent sign where a language puts a space there."""

log = logging.getLogger("telstraat.languages")


@dataclass(frozen=True)
class Language:
    """One language.

    Attributes
    ----------
    code
        Its ISO 639 code, as in `LANGUAGES`.
    locale
        Of CLDR: how its numbers and dates are written, in the region that the head of its catalogue names.
    texts
        Its catalogue.
    """

    code: str
    locale: Locale
    texts: gettext.NullTranslations

    @property
    def name(self) -> str:
        """Return what the language calls itself."""
        name = Locale.parse(self.code).language_name or self.code
        return name[:1].upper() + name[1:]

    def gettext(self, text: str, /, **values: object) -> str:
        """Return a text in this language, with its values filled in; `pgettext_noop` may have given it a context."""
        context, _, bare = text.rpartition(CONTEXT)
        translation = self.texts.pgettext(context, bare) if context else self.texts.gettext(bare)
        return self._filled(translation, values)

    def pgettext(self, context: str, text: str, /, **values: object) -> str:
        """Return a text that means one of several things; the context says which."""
        return self._filled(self.texts.pgettext(context, text), values)

    def ngettext(self, singular: str, plural: str, n: int, /, **values: object) -> str:
        """Return the form that fits the number `n`, which stands for ``{n}`` unless it is given in writing."""
        return self._filled(self.texts.ngettext(singular, plural, n), {"n": n, **values})

    def _filled(self, text: str, values: Mapping[str, object]) -> str:
        if "%" in text:
            text = with_percent_signs(text, self.locale)
        return text.format(**values) if values else text


@lru_cache(maxsize=4096)
def with_percent_signs(text: str, locale: Locale) -> str:
    """Return a text whose numbers have their per cent signs as the language writes them, whoever wrote the text: `42%`, or `42 %` with a narrow space."""
    gap = NARROW if locale.percent_formats[None].pattern[-2:-1].isspace() else ""
    return PERCENT.sub(f"{gap}%", text)


@lru_cache
def language(code: str) -> Language:
    """Return a language; its catalogue is read once.

    Parameters
    ----------
    code
        Of `LANGUAGES`.

    Returns
    -------
    Language
        Texts, and the locale for numbers and dates.

    Raises
    ------
    LanguageError
        There is no such language.
    """
    if code not in LANGUAGES:
        raise LanguageError(f"language {code!r}: there are {', '.join(LANGUAGES)}")
    if code == SOURCE:
        return Language(code, Locale.parse(SOURCE_LOCALE), gettext.NullTranslations())
    catalogue = read_catalogue(code)
    for message in catalogue:
        if message.id and not fits(message):
            log.warning(
                "%s%s: %r asks for other values than the English text, which is shown instead", code, SUFFIX, message.id
            )
            message.string = ""
    return Language(code, catalogue.locale or Locale.parse(code), compiled(code, catalogue))


def compiled(code: str, catalogue: Catalog) -> gettext.GNUTranslations:
    """Return a catalogue as gettext reads it; raise `LanguageError` where its rule for plurals cannot be computed."""
    binary = BytesIO()
    try:
        write_mo(binary, catalogue)
        binary.seek(0)
        texts = gettext.GNUTranslations(binary)
        for n in PLURALS_TRIED:
            texts.ngettext("", "", n)
    except (ValueError, ArithmeticError, LookupError) as error:
        raise LanguageError(f"{code}{SUFFIX}: no catalogue of a language: {error}") from error
    return texts


def read_catalogue(code: str) -> Catalog:
    """Return the catalogue of a language as it lies in the folder; raise `LanguageError` where it cannot be read."""
    try:
        with (FOLDER / f"{code}{SUFFIX}").open("rb") as stream:
            catalogue = read_po(stream, abort_invalid=True)
        Locale.parse(code)
    except (OSError, ValueError, LookupError, UnknownLocaleError, PoFileError) as error:
        raise LanguageError(f"{code}{SUFFIX}: no catalogue of a language: {error}") from error
    return catalogue


def fits(message: Message) -> bool:
    """Tell whether a translation asks for the values that the English text gives, form by form."""
    try:
        allowed = [_fields(text) for text in forms(message.id)]
        return all(_fields(text) in allowed for text in forms(message.string) if text)
    except ValueError:  # a brace too many
        return False


def forms(text: object) -> tuple[str, ...]:
    """Return a text of a catalogue as its forms: one, or one for each kind of number."""
    return tuple(map(str, text)) if isinstance(text, list | tuple) else (str(text or ""),)


def _fields(text: str) -> frozenset[tuple[str, str | None, str | None]]:
    """Return the values that a text asks for, each with how it is to be written: `{n:d}` fails where `n` is a text."""
    parts = string.Formatter().parse(text)
    return frozenset((name, form, conversion) for _, name, form, conversion in parts if name is not None)
