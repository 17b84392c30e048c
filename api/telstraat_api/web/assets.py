"""What pages load, all from our own paths: style, scripts, Leaflet from its wheel."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response

from telstraat_api.errors import NotFoundError

router = APIRouter(include_in_schema=False)
FOR_EVER = "public, max-age=31536000, immutable"
LEAFLET = "leaflet/"
NAME_MAX = 200
"""No file of ours has a longer name, and no file system takes one of any length."""
GZIPPED = ("text/", "application/javascript", "image/svg", "application/manifest+json")


@dataclass(frozen=True)
class Asset:
    """A file as it is sent."""

    content: bytes
    gzipped: bytes | None
    media_type: str
    digest: str


def asset_of(name: str, content: bytes) -> Asset:
    """Return the asset that a file becomes."""
    kind = "application/javascript" if name.endswith(".js") else mimetypes.guess_type(name)[0]
    media_type = kind or "application/octet-stream"
    gzipped = gzip.compress(content, 6) if media_type.startswith(GZIPPED) else None
    return Asset(content, gzipped, media_type, hashlib.blake2b(content, digest_size=8).hexdigest())


@lru_cache
def asset(name: str) -> Asset:
    """Return an asset by name, or raise `NotFoundError`."""
    parts = name.split("/")
    if len(name) <= NAME_MAX and all(part and not part.startswith(".") for part in parts):
        if name.startswith(LEAFLET):
            import xstatic.pkg.leaflet as leaflet

            source = Path(leaflet.BASE_DIR).joinpath(*parts[1:])
        else:
            source = Path(str(files("telstraat_api.web") / "static")).joinpath(*parts)
        if source.is_file():
            return asset_of(name, source.read_bytes())
    raise NotFoundError(f"there is no file {name!r} here")


@lru_cache
def address(name: str) -> str:
    """Return the address of an asset; it changes with the content, so that browsers may keep it for ever."""
    return f"/static/{name}?v={asset(name).digest}"


@router.get("/static/{name:path}")
def static(request: Request, name: str) -> Response:
    """Send an asset."""
    file = asset(name)
    headers = {
        "ETag": f'"{file.digest}"',
        "Cache-Control": FOR_EVER if "v" in request.query_params else "no-cache",
        "Vary": "Accept-Encoding",
    }
    if f'"{file.digest}"' in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    if file.gzipped is not None and "gzip" in request.headers.get("accept-encoding", ""):
        content = file.gzipped
        headers["Content-Encoding"] = "gzip"
    return Response(content, media_type=file.media_type, headers=headers)
