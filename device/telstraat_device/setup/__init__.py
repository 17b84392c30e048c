"""From the box to the first count: the process that a phone talks to, with what its screens decide."""

from __future__ import annotations
