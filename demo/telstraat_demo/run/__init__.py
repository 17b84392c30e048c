"""The demo: a street or a recording counted, sent, stored and shown, for people or compared for machines."""

from __future__ import annotations
