"""The report: sentence, table, HTML, PDF and JSON, all from one object, so that they cannot disagree."""

from __future__ import annotations
