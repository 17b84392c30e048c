"""The only place in Telstraat that makes a picture of frames: JPEG in memory, for the phone of the owner who aims."""

from __future__ import annotations

from io import BytesIO

from telstraat_device.cameras.frames import Luma

QUALITY = 60
WIDTH_MAX = 640
"""Enough to aim by; a number plate across a street is not read at this width."""


class PictureEncoder:
    """Makes JPEGs of frames; it exists while somebody aims, and not otherwise."""

    def encode(self, luma: Luma) -> bytes:
        """Return a frame as JPEG."""
        from PIL import Image

        step = -(-luma.shape[1] // WIDTH_MAX)
        out = BytesIO()
        Image.fromarray(luma[::step, ::step]).save(out, "JPEG", quality=QUALITY)
        return out.getvalue()
