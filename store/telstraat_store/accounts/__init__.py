"""Who may do what: people, their keys and sessions, and the ways in which they sign in."""

from __future__ import annotations
