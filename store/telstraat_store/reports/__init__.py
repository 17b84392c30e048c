"""Reports on their way into the table: the rows of COPY and the SQL of a batch."""

from __future__ import annotations
