"""The designs: one street, a network, speed, modal split, and an evaluation that lives on."""

from __future__ import annotations
