"""Files that operators upload: looked at first, imported when they have seen what would become of them."""

from __future__ import annotations
