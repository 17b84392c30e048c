"""What an evaluation was computed from, as hashes, and whether that is other by now; asked in a request, so nothing of the analysis is imported."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
from psycopg import AsyncConnection

from telstraat_contract.languages import gettext_noop
from telstraat_contract.road_users import TOGETHER, columns_of
from telstraat_store.counts.evaluated import fingerprint_of_counts

SIDES = [side for name in TOGETHER for side in columns_of(name)]
CHANGED = {
    "counts": gettext_noop("It was computed on other counts than there are now."),
    "measure": gettext_noop("The measure, or what was marked in its streets, has changed since."),
    "code": gettext_noop("It was computed by another version of this program."),
}
UNCHANGED = gettext_noop("The same would be computed from the same counts again.")
UNKNOWN = gettext_noop("It was computed before it was noted what from.")


def digest(values: Any) -> str:
    """Return the hash of plain values."""
    return hashlib.sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def changed_inputs(
    connection: AsyncConnection[Any], inputs: Mapping[str, Any], measure: Mapping[str, Any], *, whole: bool
) -> list[str]:
    """Return which inputs of an evaluation are other by now.

    Parameters
    ----------
    connection
        With all rights.
    inputs
        Of the evaluation, as it was kept.
    measure
        As `telstraat_api.v1.measure_file.analysed` gives it now.
    whole
        Whether whole hours are read.

    Returns
    -------
    list of str
        Some of `counts`, `measure` and `code`.
    """
    windows = {
        int(segment): (datetime.fromisoformat(first), datetime.fromisoformat(end))
        for segment, (first, end) in inputs["windows"].items()
    }
    now = {
        "counts": await fingerprint_of_counts(connection, windows, SIDES, whole=whole),
        "measure": digest(measure),
        "code": code_sha256(),
    }
    return [name for name in CHANGED if now[name] != inputs[name]]


@lru_cache(maxsize=1)
def code_sha256() -> str:
    """Return the hash of the code that computes: of every module and catalogue that a number or a word of an answer comes from."""
    whole = hashlib.sha256()
    for package, pattern in (("telstraat_analytics", "*.py"), ("telstraat_contract.languages", "*.po")):
        spec = find_spec(package)
        assert spec is not None, "it is a part of this program"
        for folder in map(Path, spec.submodule_search_locations or ()):
            for path in sorted(folder.rglob(pattern)):
                whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
