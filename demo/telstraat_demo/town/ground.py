"""Where the town lies: its map, written as an extract of OpenStreetMap and read by the product's own import of streets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from psycopg import Connection

from telstraat_api.uploads.street_drafts import FileZone, drafts_of_pieces
from telstraat_demo.errors import StackError
from telstraat_firmware_sim.demand.demand import Town
from telstraat_firmware_sim.town import map_of_overbeke
from telstraat_firmware_sim.town.extract import write_extract
from telstraat_store.maps.ground import replace_ground
from telstraat_store.maps.ground_features import rows_of
from telstraat_store.maps.openstreetmap import read_extract
from telstraat_store.maps.whole_streets import whole_streets
from telstraat_store.places.segments import number_of_segment
from telstraat_store.places.street_import import StreetImport, import_streets

MAP_FILE = "overbeke.osm.pbf"


def lay_out(connection: Connection[Any], town: Town, folder: Path, seed: int) -> dict[str, int]:
    """Have the town's counted streets and the ground of its map in the database, and return the streets' numbers by name."""
    names = {street.name for street in town.streets}
    if numbers := _numbers(connection, names):
        return numbers
    path = folder / MAP_FILE
    path.unlink(missing_ok=True)  # of a start that was interrupted
    folder.mkdir(parents=True, exist_ok=True)
    write_extract(map_of_overbeke(seed), path)
    extract, outcome = read_extract(path), StreetImport()
    pieces = [piece for piece in whole_streets(extract) if piece.name in names]
    import_streets(connection, drafts_of_pieces(pieces, FileZone(town.timezone), outcome), outcome)
    replace_ground(connection, list(rows_of(extract.ground, None)), None, "")
    numbers = _numbers(connection, names)
    if not numbers:
        raise StackError(f"the town's streets could not be imported: {outcome.refused[:3]}")
    return numbers


def _numbers(connection: Connection[Any], names: set[str]) -> dict[str, int]:
    """Return the number of every street; nothing when one is not there."""
    numbers = {name: number for name in sorted(names) if (number := number_of_segment(connection, name)) is not None}
    return numbers if len(numbers) == len(names) else {}
