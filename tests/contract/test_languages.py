from __future__ import annotations

import functools
import gettext
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from catalogues import begun, texts

from telstraat_contract.errors import LanguageError
from telstraat_contract.languages import LANGUAGES, SOURCE, catalogues
from telstraat_contract.languages import catalogue as reader
from telstraat_contract.languages.catalogue import forms, language, read_catalogue


@functools.cache
def template() -> Catalog:
    """Return every text of the sources; read by the first test that asks, not whenever tests are collected."""
    return texts()


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def key(message: Message) -> tuple[str, str | None]:
    return forms(message.id)[0], message.context


@pytest.mark.parametrize("code", catalogues())
def test_a_catalogue_holds_every_text_and_none_that_is_gone(code: str) -> None:
    catalogue = read_catalogue(code)
    assert {key(message) for message in catalogue if message.id} == {
        key(message) for message in template() if message.id
    }
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

    catalogue = read_po(begun(Locale.parse("it_IT"), template()).decode().splitlines(keepends=True))
    assert {key(message) for message in catalogue if message.id} == {
        key(message) for message in template() if message.id
    }
    assert str(catalogue.locale) == "it_IT"
    assert not any(text for message in catalogue if message.id for text in forms(message.string))


HEAD = 'msgid ""\nmsgstr "Language: it_IT\\nPlural-Forms: nplurals=2; plural=(n != 1);\\nContent-Type: text/plain; charset=utf-8\\n"\n\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of catalogues of the test's own."""
    monkeypatch.setattr(reader, "FOLDER", tmp_path)
    monkeypatch.setattr(reader, "LANGUAGES", ("en", "it", "qqq"))
    language.cache_clear()
    yield tmp_path
    language.cache_clear()


def test_a_translation_that_asks_for_something_else_gives_way_to_the_english(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    mistakes = [
        '"{sise} meno"', '"{size meno"', '"{size} {more}"', '"meno"', '"{} meno"', '"{size:s} meno"', '"{size!q} meno"',
        '"{size} {} meno"',
    ]  # fmt: skip
    for number, mistake in enumerate(mistakes):
        (folder / "it.po").write_text(f'{HEAD}msgid "{{size}} less"\nmsgstr {mistake}\n', encoding="utf-8")
        language.cache_clear()
        assert language("it").gettext("{size} less", size=number) == f"{number} less"
        assert "'{size} less' asks for other values" in caplog.text


@pytest.mark.parametrize("text", ["", HEAD, HEAD + 'msgid "{size} less"\nmsgstr ""\n'])
def test_a_catalogue_with_nothing_in_it_speaks_english(
    folder: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (folder / "it.po").write_text(text, encoding="utf-8")
    assert language("it").gettext("{size} less", size=1) == "1 less"
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("code", "content"),
    [("qqq", HEAD.encode()), ("it", b'msgid "a"\nmsgstr "\xff\xfe"\n'), ("it", b'msgid "a'), ("it", b"no catalogue")],
)
def test_a_file_that_is_no_catalogue_is_named(folder: Path, code: str, content: bytes) -> None:
    (folder / f"{code}.po").write_bytes(content)
    with pytest.raises(LanguageError, match=f"{code}.po: no catalogue of a language"):
        language(code)


@pytest.mark.parametrize(
    "rule", ["nplurals=2; plural=(n != ;", "nplurals=2; plural=1/n;", "nplurals=2; plural=__import__('os');"]
)
def test_a_rule_for_plurals_that_cannot_be_computed_is_named(folder: Path, rule: str) -> None:
    head = HEAD.replace("nplurals=2; plural=(n != 1);", rule)
    text = 'msgid "{n} street"\nmsgid_plural "{n} streets"\nmsgstr[0] "{n} via"\nmsgstr[1] "{n} vie"\n'
    (folder / "it.po").write_text(head + text, encoding="utf-8")
    with pytest.raises(LanguageError, match=r"it\.po: no catalogue of a language"):
        language("it")


@pytest.mark.parametrize(
    ("code", "text"), [("en", "42%"), ("nl", "42%"), ("de", "42\u202f%"), ("fr", "42\u202f%"), ("sv", "42\u202f%")]
)
@pytest.mark.parametrize("written", ["{n} %", "{n}%", "{n}\u00a0%", "42 %"])
def test_a_per_cent_sign_stands_as_its_language_puts_it_whoever_wrote_the_text(
    code: str, text: str, written: str
) -> None:
    texts = reader.Language(code, Locale.parse(code), gettext.NullTranslations())
    assert texts.gettext(written, n=42) == text
    assert texts.ngettext(written, written, 42) == text


def test_a_german_reader_meets_one_word_for_what_is_usual() -> None:
    texts = [text for message in read_catalogue("de") for text in forms(message.string)]
    assert not [text for text in texts if re.search(r"(?<!un)gewöhnlich", text, re.IGNORECASE)]
