from __future__ import annotations

import string

import pytest
from babel.messages.catalog import Message
from catalogues import begun, texts

from telstraat_contract.errors import LanguageError
from telstraat_contract.languages import LANGUAGES, SOURCE, catalogues
from telstraat_contract.languages.catalogue import language, read_catalogue

TEMPLATE = texts()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def forms(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def key(message: Message) -> tuple[str, str | None]:
    return forms(message.id)[0], message.context


@pytest.mark.parametrize("code", catalogues())
def test_a_catalogue_holds_every_text_and_none_that_is_gone(code: str) -> None:
    catalogue = read_catalogue(code)
    assert {key(message) for message in catalogue if message.id} == {key(message) for message in TEMPLATE if message.id}
    assert not catalogue.obsolete


@pytest.mark.parametrize("code", catalogues())
def test_no_text_of_a_catalogue_is_empty_or_doubtful(code: str) -> None:
    catalogue = read_catalogue(code)
    assert not catalogue.fuzzy
    for message in catalogue:
        assert not message.fuzzy, message.id
        assert all(text.strip() for text in forms(message.string)), message.id
        if isinstance(message.id, tuple):
            assert len(forms(message.string)) == catalogue.num_plurals, message.id


@pytest.mark.parametrize("code", catalogues())
def test_a_translation_asks_for_the_values_of_the_english_text(code: str) -> None:
    for message in read_catalogue(code):
        if message.id:
            allowed = [fields(text) for text in forms(message.id)]  # "One street" needs no number, "{n} streets" does
            assert all(fields(text) in allowed for text in forms(message.string)), message.id
            assert fields(forms(message.string)[-1]) == allowed[-1], message.id
            assert (forms(message.id)[0][:1] == " ") == (forms(message.string)[0][:1] == " "), message.id
            assert (forms(message.id)[-1][-1:] == " ") == (forms(message.string)[-1][-1:] == " "), message.id


def test_every_language_says_its_own_name_and_where_it_is_spoken() -> None:
    names = {code: language(code).name for code in LANGUAGES}
    assert names["en"] == "English"
    assert names["nl"] == "Nederlands"
    assert names["fr"] == "Français"
    assert all(language(code).locale.language == code and language(code).locale.territory for code in LANGUAGES)


def test_english_needs_no_catalogue_and_stands_first() -> None:
    assert LANGUAGES[0] == SOURCE == "en"
    assert SOURCE not in catalogues()
    assert language("en").gettext("{n} of {all}", n=1, all=2) == "1 of 2"
    assert language("en").ngettext("{n} street", "{n} streets", 1) == "1 street"


def test_a_language_without_a_catalogue_is_refused_by_name() -> None:
    with pytest.raises(LanguageError, match="language 'xx': there are en, "):
        language("xx")


def test_a_new_catalogue_begins_with_every_text_and_without_a_translation() -> None:
    from babel import Locale
    from babel.messages.pofile import read_po

    catalogue = read_po(begun(Locale.parse("it_IT"), TEMPLATE).decode().splitlines(keepends=True))
    assert {key(message) for message in catalogue if message.id} == {key(message) for message in TEMPLATE if message.id}
    assert str(catalogue.locale) == "it_IT"
    assert not any(text for message in catalogue if message.id for text in forms(message.string))
