"""Bring the catalogues up to date with the texts in the code, or begin one: `python scripts/catalogues.py [LOCALE ...]`.

Without a locale every catalogue gets the texts that are new, empty, and loses those that are gone. With one, such as `it_IT`,
the catalogue of that language is begun: `it.po`, with its head and every text, to be filled in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "contract" / "telstraat_contract" / "languages"
PARTS = ("contract", "device", "analytics", "api", "demo")
"""Whose texts people read; operators' messages, errors and logs are English."""

METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None, "gettext": None, "gettext_noop": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "pgettext_noop": ((1, "c"), 2),
}  # fmt: skip
WIDTH = 120


def texts(root: Path = ROOT) -> Catalog:
    """Return every text that the code marks, as an empty catalogue."""
    template = Catalog(charset="utf-8")
    for part in PARTS:
        for _, _, message, comments, context in extract_from_dir(root / part, METHODS, keywords=KEYWORDS):
            template.add(message, auto_comments=comments, context=context)
    return template


def updated(path: Path, template: Catalog) -> bytes:
    """Return a catalogue with the texts of the template, translations kept, in the order of the alphabet."""
    with path.open("rb") as stream:
        catalogue = read_po(stream)
    catalogue.update(template, no_fuzzy_matching=True, update_header_comment=False, update_creation_date=False)
    catalogue.obsolete.clear()
    return written(catalogue)


def begun(locale: Locale, template: Catalog) -> bytes:
    """Return an empty catalogue of a language."""
    catalogue = Catalog(
        locale=locale, charset="utf-8", project="Telstraat", version="1", msgid_bugs_address=" ", last_translator="Telstraat", language_team="Telstraat",
        revision_date=datetime.now(UTC),
    )  # fmt: skip
    catalogue.header_comment = f"# Telstraat in {locale.english_name}."
    for message in template:
        if message.id:
            catalogue.add(message.id, context=message.context, auto_comments=message.auto_comments, flags=message.flags)
    return written(catalogue)


def written(catalogue: Catalog) -> bytes:
    """Return a catalogue as text."""
    catalogue.fuzzy = False
    for message in catalogue:
        message.flags.discard("python-format")  # values stand in braces: a percent sign is a percent sign
    out = BytesIO()
    write_po(out, catalogue, width=WIDTH, no_location=True, sort_output=True)
    return out.getvalue().rstrip() + b"\n"


def main(locales: Iterable[str]) -> None:
    """Write the catalogues."""
    template = texts()
    for name in locales:
        locale = Locale.parse(name)
        path = FOLDER / f"{locale.language}.po"
        if path.exists():
            sys.exit(f"{path.name} is there already")
        path.write_bytes(begun(locale, template))
    for path in sorted(FOLDER.glob("*.po")):
        path.write_bytes(updated(path, template))
        with path.open("rb") as stream:
            missing = sum(not all(forms_of(message)) for message in read_po(stream) if message.id)
        print(f"{path.name}: {missing} texts to be written")


def forms_of(message: Message) -> list[str]:
    """Return the translation of a message, one form or one for each number."""
    return (
        [str(text or "") for text in message.string]
        if isinstance(message.string, list | tuple)
        else [str(message.string or "")]
    )


if __name__ == "__main__":
    main(sys.argv[1:])
