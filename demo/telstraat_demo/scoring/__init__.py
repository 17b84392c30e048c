"""How right counts are: crossings of clips with known truth, matched one to one."""

from __future__ import annotations
