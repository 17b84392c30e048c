"""Import streets, and the ground that maps show beneath them, from an extract of OpenStreetMap; or streets from GeoJSON.

  telstraat segments import town.osm.pbf
  telstraat segments import country.osm.pbf --bbox 4.69,50.87,4.71,50.89
  telstraat segments import town.osm --streets "Kerkstraat,Lindenlaan"
  telstraat segments import town.osm.pbf --ground-only
  telstraat segments import streets.geojson

A street with a name becomes one segment, whatever number of ways it is drawn as; it is cut where it forks and every 2 km.
Importing again adds only what is new: a street is known by its ways, and by its name and line where others have split them, and sensors keep
their segments. A line is corrected only while nothing was counted on it. Water, green, rails, other streets and paths
become the ground of the maps, in the place of what an earlier import had there.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.database_options import add_database_arguments, dsn_of
from telstraat_cli.errors import CliError

if TYPE_CHECKING:
    from telstraat_store.maps.ground import Bounds, GroundRow
    from telstraat_store.maps.openstreetmap import Box, StreetPiece
    from telstraat_store.places.street_import import StreetImport

REFUSED_SHOWN = 10
DEFAULT_ZONE = "Europe/Brussels"
CREDIT = "© OpenStreetMap contributors"
OF_EXTRACTS = ("bbox", "classes", "streets", "at_junctions", "ground_only", "no_ground")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the action and its options."""
    add_database_arguments(parser)
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    import_ = actions.add_parser("import", help="add the streets of a file")
    import_.add_argument("file", type=Path, metavar="FILE", help=".osm, .osm.pbf, .osm.gz, .geojson or .json")
    import_.add_argument(
        "--bbox", metavar="WEST,SOUTH,EAST,NORTH", help="only streets that reach into this box, degrees"
    )
    import_.add_argument("--classes", help="highway classes, with commas (see docs/api.md)")
    import_.add_argument(
        "--streets", metavar="NAME,NAME", help="only streets of these names become segments; all are ground"
    )
    import_.add_argument(
        "--at-junctions", action="store_true", help="cut streets at every junction; take those without a name, too"
    )
    import_.add_argument("--ground-only", action="store_true", help="take the ground and no segments")
    import_.add_argument("--no-ground", action="store_true", help="take the segments and no ground")
    import_.add_argument(
        "--credit", default=CREDIT, metavar="TEXT", help=f"how maps name the source of the ground ({CREDIT})"
    )
    import_.add_argument("--timezone", help="IANA name (Europe/Brussels)")
    import_.add_argument("--anywhere", action="store_true", help="take streets that do not lie in their time zone, too")


def run(args: argparse.Namespace) -> int:
    """Import a file; 1 when nothing of it could be taken."""
    import psycopg

    from telstraat_api.uploads.street_drafts import FileZone, drafts_of_geojson, drafts_of_pieces
    from telstraat_store.errors import StreetFileError
    from telstraat_store.maps.ground import replace_ground
    from telstraat_store.maps.openstreetmap import ENDINGS
    from telstraat_store.places.street_import import StreetImport, import_streets

    dsn = dsn_of(args)
    if not args.file.is_file():
        raise CliError(f"there is no file {args.file}")
    is_osm = args.file.name.endswith(ENDINGS)
    _check_options(args, is_osm=is_osm)
    zone = FileZone(args.timezone or DEFAULT_ZONE, bool(args.timezone), args.anywhere)
    outcome, ground = StreetImport(), None
    try:
        if is_osm:
            pieces, ground = read_map(args)
            drafts = drafts_of_pieces(pieces, zone, outcome)
        else:
            drafts = drafts_of_geojson(args.file, zone, outcome)
        with psycopg.connect(dsn) as connection:
            import_streets(connection, drafts, outcome)
            if ground is not None:
                replace_ground(connection, ground.rows, ground.area, args.credit)
    except StreetFileError as error:
        raise CliError(str(error)) from error
    except psycopg.errors.UndefinedTable as error:
        raise CliError("the database has no schema of this version yet: run telstraat db migrate first") from error
    except psycopg.OperationalError as error:
        raise CliError(f"the database does not answer: {str(error).strip()}") from error
    _print(outcome, ground)
    return 0 if outcome.added or outcome.redrawn or outcome.known or ground or not outcome.refused else 1


def _check_options(args: argparse.Namespace, *, is_osm: bool) -> None:
    given = [f"--{name.replace('_', '-')}" for name in OF_EXTRACTS if getattr(args, name)]
    if given and not is_osm:
        raise CliError(f"{' and '.join(given)} {'are' if len(given) > 1 else 'is'} for extracts of OpenStreetMap")
    if args.ground_only and (args.no_ground or args.streets or args.at_junctions):
        raise CliError("--ground-only takes no segments: leave out --no-ground, --streets and --at-junctions")


@dataclass(frozen=True)
class MapGround:
    """The ground of a file, and which area it replaces."""

    rows: list[GroundRow]
    area: Bounds | None


def read_map(args: argparse.Namespace) -> tuple[list[StreetPiece], MapGround | None]:
    """Read an extract: the streets that become segments, and the ground unless it was not asked for."""
    from dataclasses import astuple

    from telstraat_store.maps.ground_features import rows_of
    from telstraat_store.maps.openstreetmap import CLASSES, pieces, read_extract
    from telstraat_store.maps.whole_streets import whole_streets

    box = box_of(args.bbox)
    extract = read_extract(args.file, args.classes.split(",") if args.classes else CLASSES, box)
    streets = [] if args.ground_only else list((pieces if args.at_junctions else whole_streets)(extract))
    if args.streets:
        streets = _named(streets, [name.strip() for name in args.streets.split(",") if name.strip()])
    area = None if box is None else astuple(box.wider())
    return streets, None if args.no_ground else MapGround(list(rows_of(extract.ground, area)), area)


def _named(streets: list[StreetPiece], names: list[str]) -> list[StreetPiece]:
    """Return the streets of some names, all of which must be there."""
    known = {street.name.casefold() for street in streets}
    missing = [name for name in names if name.casefold() not in known]
    if missing:
        raise CliError(f"--streets: the file has no street called {', '.join(missing[:5])}")
    listed = {name.casefold() for name in names}
    return [street for street in streets if street.name.casefold() in listed]


def _print(outcome: StreetImport, ground: MapGround | None) -> None:
    refused = f", {len(outcome.refused)} refused" if outcome.refused else ""
    print(f"{len(outcome.added)} segments added, {len(outcome.redrawn)} redrawn, {outcome.known} known{refused}")
    if ground is not None:
        print(f"{len(ground.rows)} things on the ground of the maps")
    for what, why in outcome.refused[:REFUSED_SHOWN]:
        print(f"  {what}: {why}")


def box_of(text: str | None) -> Box | None:
    """Read a box."""
    from telstraat_store.maps.openstreetmap import Box

    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise CliError(f"--bbox {text!r}: write WEST,SOUTH,EAST,NORTH in degrees") from error
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise CliError(f"--bbox {text!r}: west must lie before east and south before north")
    return Box(west, south, east, north)
