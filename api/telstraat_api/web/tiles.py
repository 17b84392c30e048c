"""Map tiles from a PMTiles file of the operator's own: one file of pictures, read piece by piece, no tile server beside us."""

from __future__ import annotations

import logging
import os
import struct
import zlib
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from msgspec import structs

from telstraat_api.errors import NotFoundError
from telstraat_api.http.answers import tag_of, tags
from telstraat_api.settings import ApiSettings
from telstraat_contract.errors import SettingsError

log = logging.getLogger("telstraat.api.tiles")
router = APIRouter(include_in_schema=False)
HEADER_BYTES = 127
DEPTH_MAX = 4
KEEP_S = 86_400
Coordinate = Annotated[int, Path(ge=0, le=2**30)]


class TileFile:
    """An open PMTiles file of pictures.

    It is read by its place in the file, not mapped: a file that is cut short under us would end a process that has mapped it.
    """

    def __init__(self, path: FilePath) -> None:
        """Open a file, or raise `SettingsError` with what is wrong with it."""
        from pmtiles.tile import Compression, MagicNumberNotFound, SpecVersionUnsupported, TileType, deserialize_header

        types = {
            TileType.PNG: "image/png",
            TileType.JPEG: "image/jpeg",
            TileType.WEBP: "image/webp",
            TileType.AVIF: "image/avif",
        }
        try:
            self._file = os.open(path, os.O_RDONLY)
            self.header: dict[str, Any] = dict(deserialize_header(self._bytes(0, HEADER_BYTES)))
        except OSError as error:
            raise SettingsError(f"pmtiles: {path} cannot be read: {error.strerror or error}") from error
        except (MagicNumberNotFound, SpecVersionUnsupported, ValueError, IndexError, struct.error) as error:
            raise SettingsError(f"pmtiles: {path} is no PMTiles file of version 3") from error
        kind = self.header["tile_type"]
        if kind not in types or self.header["tile_compression"] not in {Compression.NONE, Compression.UNKNOWN}:
            raise SettingsError(
                f"pmtiles: {path} holds {kind.name} tiles; the maps show pictures (PNG, JPEG, WebP, AVIF). "
                "For a map from OpenStreetMap's data import an extract: telstraat segments import"
            )
        self.media_type = types[kind]
        self.directory = lru_cache(64)(self._directory)

    def _bytes(self, offset: int, length: int) -> bytes:
        return os.pread(self._file, length, offset)

    def _directory(self, offset: int, length: int) -> list[Any]:
        from pmtiles.tile import deserialize_directory

        return list(deserialize_directory(self._bytes(offset, length)))

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """Return a picture, or None where the file has none."""
        from pmtiles.tile import find_tile, zxy_to_tileid

        if z > self.header["max_zoom"] or max(x, y) >= 2**z:
            return None
        number = zxy_to_tileid(z, x, y)
        place = self.header["root_offset"], self.header["root_length"]
        for _ in range(DEPTH_MAX):
            entry = find_tile(self.directory(*place), number)
            if entry is None:
                return None
            if entry.run_length > 0:
                return self._bytes(self.header["tile_data_offset"] + entry.offset, entry.length)
            place = self.header["leaf_directory_offset"] + entry.offset, entry.length
        return None

    @property
    def address(self) -> str:
        """The address of its tiles for a map; `to` is the closest zoom that it holds."""
        return f"/tiles/{{z}}/{{x}}/{{y}}?to={self.header['max_zoom']}"


def with_tiles(settings: ApiSettings) -> tuple[ApiSettings, TileFile | None]:
    """Return settings whose maps show the file of tiles that they name, and that file; `SettingsError` when it cannot be shown."""
    if settings.pmtiles is None:
        return settings, None
    file = TileFile(settings.pmtiles)
    return structs.replace(settings, tiles=file.address), file


@router.get("/tiles/{z}/{x}/{y}")
def read_tile(request: Request, z: Coordinate, x: Coordinate, y: Coordinate) -> Response:
    """Send a picture of the operator's file."""
    tiles: TileFile | None = request.app.state.tile_file
    try:
        content = None if tiles is None else tiles.tile(z, x, y)
    except (OSError, EOFError, ValueError, OverflowError, IndexError, zlib.error) as error:
        log.warning("tile %d/%d/%d cannot be read: %s", z, x, y, error)
        content = None
    if tiles is None or not content:
        raise NotFoundError(f"there is no tile {z}/{x}/{y} here")
    headers = {"ETag": tag_of(content), "Cache-Control": f"public, max-age={KEEP_S}"}
    if headers["ETag"] in tags(request, "if-none-match"):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=tiles.media_type, headers=headers)
