"""Import street segments from an extract of OpenStreetMap or from GeoJSON.

  telstraat segments import town.osm.pbf --bbox 4.69,50.87,4.71,50.89
  telstraat segments import town.osm --classes residential,living_street
  telstraat segments import streets.geojson

Ways are cut at junctions. Importing again adds only what is new: a piece is known by its way's number and its place along
the way. A line is corrected only while nothing was counted on it. Extracts come from those who publish them; the counts'
pages name OpenStreetMap when you set TELSTRAAT_API_ATTRIBUTION.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from telstraat_cli.database_options import add_database_arguments, dsn_of
from telstraat_cli.errors import CliError

if TYPE_CHECKING:
    from telstraat_store.places.openstreetmap import Box

REFUSED_SHOWN = 10
DEFAULT_ZONE = "Europe/Brussels"


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
    import_.add_argument("--timezone", help="IANA name (Europe/Brussels)")
    import_.add_argument("--anywhere", action="store_true", help="take streets that do not lie in their time zone, too")


def run(args: argparse.Namespace) -> int:
    """Import a file; 1 when nothing of it could be taken."""
    import psycopg

    from telstraat_cli.street_import import FileZone, drafts_of_geojson, drafts_of_pieces
    from telstraat_store.errors import StreetFileError
    from telstraat_store.places.openstreetmap import CLASSES, ENDINGS, pieces
    from telstraat_store.places.street_import import StreetImport, import_streets

    dsn = dsn_of(args)
    if not args.file.is_file():
        raise CliError(f"there is no file {args.file}")
    classes = args.classes.split(",") if args.classes else CLASSES
    is_osm = args.file.name.endswith(ENDINGS)
    if not is_osm and (args.bbox or args.classes):
        raise CliError("--bbox and --classes are for extracts of OpenStreetMap")
    box = box_of(args.bbox)
    zone = FileZone(args.timezone or DEFAULT_ZONE, bool(args.timezone), args.anywhere)
    outcome = StreetImport()
    if is_osm:
        drafts = drafts_of_pieces(pieces(args.file, classes, box), zone, outcome)
    else:
        drafts = drafts_of_geojson(args.file, zone, outcome)
    try:
        with psycopg.connect(dsn) as connection:
            import_streets(connection, drafts, outcome)
    except StreetFileError as error:
        raise CliError(str(error)) from error
    except psycopg.errors.UndefinedTable as error:
        raise CliError("the database has no schema yet: run telstraat db migrate first") from error
    except psycopg.OperationalError as error:
        raise CliError(f"the database does not answer: {str(error).strip()}") from error
    refused = f", {len(outcome.refused)} refused" if outcome.refused else ""
    print(f"{len(outcome.added)} segments added, {len(outcome.redrawn)} redrawn, {outcome.known} known{refused}")
    for what, why in outcome.refused[:REFUSED_SHOWN]:
        print(f"  {what}: {why}")
    return 0 if outcome.added or outcome.redrawn or outcome.known or not outcome.refused else 1


def box_of(text: str | None) -> Box | None:
    """Read a box."""
    from telstraat_store.places.openstreetmap import Box

    if text is None:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise CliError(f"--bbox {text!r}: write WEST,SOUTH,EAST,NORTH in degrees") from error
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise CliError(f"--bbox {text!r}: west must lie before east and south before north")
    return Box(west, south, east, north)
