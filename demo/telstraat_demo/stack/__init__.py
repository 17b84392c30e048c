"""The embedded stack: a database, a broker and the services as child processes of one owner."""

from __future__ import annotations
