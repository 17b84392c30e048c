"""What existing Telraam clients speak: `/v1`, `/advanced`, `/v0` and the website's chart JSON, by changing only the address."""

from __future__ import annotations
