"""A town that does not exist, with its river, ring and school: streets with roles, and its map as OpenStreetMap has maps."""

from __future__ import annotations

from telstraat_firmware_sim.town.overbeke import MadeUpMap, map_of_overbeke, overbeke

__all__ = ["MadeUpMap", "map_of_overbeke", "overbeke"]
