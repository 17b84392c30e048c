"""What extracts of OpenStreetMap hold: streets, each whole, and the ground that maps show beneath them."""

from __future__ import annotations
