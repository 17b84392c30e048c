"""An uploaded file of streets, looked at and imported; the look is the import, rolled back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg import Connection

from telstraat_api.uploads.street_drafts import FileZone, drafts_of_geojson, drafts_of_pieces
from telstraat_store.errors import StreetFileError
from telstraat_store.maps.ground import GroundRow, replace_ground
from telstraat_store.maps.ground_features import rows_of
from telstraat_store.maps.openstreetmap import CLASSES, ENDINGS, pieces, read_extract
from telstraat_store.maps.whole_streets import whole_streets
from telstraat_store.places.segments import lines_of
from telstraat_store.places.street_import import SegmentDraft, StreetImport, import_streets

LISTED_MAX = 2000
REFUSED_MAX = 100


def read_streets(
    path: Path, options: Mapping[str, Any], outcome: StreetImport
) -> tuple[list[SegmentDraft], list[GroundRow] | None]:
    """Return the streets of a file, and the ground of an extract of OpenStreetMap (None for other files, or when not wanted).

    Raises
    ------
    StreetFileError
        The file cannot be read, or has no street of a name that was asked for.
    """
    zone = FileZone(options["timezone"], is_sure=bool(options.get("anywhere")))
    if not path.name.endswith(ENDINGS):
        return list(drafts_of_geojson(path, zone, outcome)), None
    extract = read_extract(path, CLASSES, None)
    streets = list((pieces if options.get("at_junctions") else whole_streets)(extract))
    names = {name.casefold() for name in options.get("names", ())}
    if names:
        missing = names - {street.name.casefold() for street in streets}
        if missing:
            raise StreetFileError(f"the file has no street called {', '.join(sorted(missing)[:5])}")
        streets = [street for street in streets if street.name.casefold() in names]
    ground = list(rows_of(extract.ground, None)) if options.get("ground") else None
    return list(drafts_of_pieces(streets, zone, outcome)), ground


def look_at_streets(connection: Connection[Any], path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what would become of a file of streets, with the lines of those that are new, and change nothing."""
    outcome = StreetImport()
    drafts, ground = read_streets(path, options, outcome)
    with connection.transaction(force_rollback=True):
        import_streets(connection, drafts, outcome)
        lines = lines_of(connection, [*outcome.added, *outcome.redrawn][:LISTED_MAX])
    added = set(outcome.added)
    streets = [
        {"name": name, "is_new": number in added, "line": geometry["coordinates"]} for number, name, geometry in lines
    ]
    return {**outcome_of_streets(outcome, ground), "streets": streets}


def import_streets_of(connection: Connection[Any], path: Path, options: Mapping[str, Any]) -> dict[str, Any]:
    """Import a file of streets and return what became of it."""
    outcome = StreetImport()
    drafts, ground = read_streets(path, options, outcome)
    with connection.transaction():
        import_streets(connection, drafts, outcome)
        if ground is not None:
            replace_ground(connection, ground, None, options.get("credit", ""))
    return outcome_of_streets(outcome, ground)


def outcome_of_streets(outcome: StreetImport, ground: list[GroundRow] | None) -> dict[str, Any]:
    """Return what became of a file of streets, as JSON."""
    return {
        "added": len(outcome.added),
        "redrawn": len(outcome.redrawn),
        "known": outcome.known,
        "ground": None if ground is None else len(ground),
        "refused": len(outcome.refused),
        "refusals": [{"what": what, "why": why} for what, why in outcome.refused[:REFUSED_MAX]],
    }
