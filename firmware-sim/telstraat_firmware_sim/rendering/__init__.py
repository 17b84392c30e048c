"""How a simulated street becomes pixels: sprites, boards in perspective, light, weather and the image sensor."""

from __future__ import annotations
