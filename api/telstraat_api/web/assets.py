"""What pages load, all from our own paths: style, scripts, Leaflet from its wheel, Vega from vl-convert's bundle."""

from __future__ import annotations

import gzip
import hashlib
import logging
import mimetypes
import os
import threading
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response

from telstraat_api.errors import NotFoundError

log = logging.getLogger("telstraat.api.assets")
router = APIRouter(include_in_schema=False)
FOR_EVER = "public, max-age=31536000, immutable"
VEGA = "vega.js"
SNIPPET = "window.vegaEmbed = vegaEmbed;"
LEAFLET = "leaflet/"
GZIPPED = ("text/", "application/javascript", "image/svg", "application/manifest+json")
_vega_lock = threading.Lock()


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


def vega_cache() -> Path:
    """Return where the Vega bundle is kept between starts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "telstraat" / f"vega-{version('vl-convert-python')}.js"


def vega_bundle() -> bytes:
    """Return Vega, Vega-Lite and Vega-Embed as one script; made once (2 s) and kept in the user's cache folder."""
    cached = vega_cache()
    with _vega_lock:
        try:
            return cached.read_bytes()
        except OSError:
            import vl_convert

            content = vl_convert.javascript_bundle(SNIPPET).encode()
        try:
            cached.parent.mkdir(parents=True, exist_ok=True)
            part = cached.with_suffix(f".{os.getpid()}.part")
            part.write_bytes(content)
            part.replace(cached)
        except OSError as error:
            log.info("the chart library is not kept between starts: %s", error)
        return content


@lru_cache
def asset(name: str) -> Asset:
    """Return an asset by name, or raise `NotFoundError`."""
    if name == VEGA:
        return asset_of(name, vega_bundle())
    parts = name.split("/")
    if all(part and not part.startswith(".") for part in parts):
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
    if name == VEGA:  # its content is that of its version: no need to make it for an address
        return f"/static/{VEGA}?v={version('vl-convert-python')}"
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
