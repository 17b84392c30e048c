"""Jobs that look at an uploaded file and that import it: the very import, rolled back the first time, so that the look is the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psycopg

from telstraat_api.errors import JobRefusedError
from telstraat_api.jobs.kinds import JobRun
from telstraat_api.uploads.page_words import for_a_page, without_options
from telstraat_api.uploads.streets_upload import import_streets_of, look_at_streets
from telstraat_contract.languages import gettext_noop
from telstraat_store.errors import TelstraatStoreError, UnavailableError
from telstraat_store.imports.rehearsal import Rehearsal, rehearse
from telstraat_store.imports.uploads import content_of
from telstraat_store.imports.writing import Known, Result, Source, import_file

READING = gettext_noop("Reading the file")
IMPORTING = gettext_noop("Importing")
REFUSED_MAX = 40
SUFFIXES_MAX = 2


@contextmanager
def file_of(run: JobRun) -> Iterator[tuple[str, str, Path, dict[str, Any]]]:
    """Lay an upload's content into a file of its own name's endings, for as long as it is needed; yield kind, name, path and options.

    The options are those with which the job was deferred: what is imported is what was looked at.
    """
    with psycopg.connect(run.dsn) as connection:
        upload = content_of(connection, run.arguments["upload_id"])
    kind, name, content = upload or ("", "", None)
    if content is None:
        raise JobRefusedError("this file has been imported or thrown away")
    with tempfile.TemporaryDirectory(prefix="telstraat-upload-") as folder:
        endings = "".join(Path(name).suffixes[-SUFFIXES_MAX:]).lower()
        path = Path(folder) / f"upload{endings if endings.isascii() and '/' not in endings else ''}"
        path.write_bytes(content)
        try:
            yield kind, name, path, run.arguments["options"]
        except TelstraatStoreError as error:
            if isinstance(error, UnavailableError):
                raise
            raise JobRefusedError(for_a_page(str(error), name, str(path))) from None


def look(run: JobRun) -> dict[str, Any]:
    """Return what would become of an upload."""
    with file_of(run) as (kind, name, path, options), psycopg.connect(run.dsn) as connection:
        run.report(0.1, READING)
        if kind == "streets":
            return look_at_streets(connection, path, options)
        return shape_of(
            rehearse(
                connection,
                path,
                source_of(options),
                options.get("streets", {}),
                known_of(options),
                lines_to(run, READING),
            ),
            (name, str(path)),
        )


def bring_in(run: JobRun) -> dict[str, Any]:
    """Import an upload and return what became of it; done again, it finds everything there and changes nothing."""
    with file_of(run) as (kind, name, path, options), psycopg.connect(run.dsn) as connection:
        run.report(0.1, IMPORTING)
        if kind == "streets":
            return import_streets_of(connection, path, options)
        source, known = source_of(options), known_of(options)
        result = import_file(
            connection, path, source, options.get("streets", {}), None, lines_to(run, IMPORTING), known
        )
        return outcome_of(result, (name, str(path)))


def lines_to(run: JobRun, doing: str) -> Any:
    """Return what passes on how many lines are done; how many there are is not known before the end."""
    return lambda lines: run.report(1 - 1 / (1.1 + lines / 50_000), doing)


def source_of(options: dict[str, Any]) -> Source:
    """Return where the counts come from, as the operator says."""
    return Source(options["source"], options.get("licence", ""), options.get("credit", ""))


def known_of(options: dict[str, Any]) -> Known:
    """Return what the operator says of the file that it does not say itself."""
    return Known(options.get("times"), options.get("dates"), options.get("decimal"), options.get("counts"))


def outcome_of(result: Result, names: tuple[str, str]) -> dict[str, Any]:
    """Return what became of a file, as JSON: numbers, notes, and each kind of refusal with its first line as an example.

    `names` are what the file is called by whoever uploaded it, and where it lay here.
    """
    return {
        "format": result.kind,
        "new": result.new,
        "changed": result.changed,
        "same": result.same,
        "skipped": result.skipped,
        "notes": [for_a_page(note, *names) for note in result.notes],
        "refused": sum(result.refused.values()),
        "refusals": [
            {"n": n, **asdict(bad), "reason": without_options(bad.reason)}
            for bad, n in ((result.examples[kind], n) for kind, n in result.refused.most_common(REFUSED_MAX))
        ],
    }


def shape_of(rehearsal: Rehearsal, names: tuple[str, str]) -> dict[str, Any]:
    """Return what would become of a file, with the streets that it names; `names` as for `outcome_of`."""
    return {**outcome_of(rehearsal.result, names), "streets": [asdict(street) for street in rehearsal.streets]}
