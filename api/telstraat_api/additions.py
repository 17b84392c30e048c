"""What a program that contains this application adds to it: routes, and parts of pages. No setting and no variable adds any.

The demo is such a program: its own entry point hands its additions to `serve`, and `telstraat api` hands none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter
from jinja2 import BaseLoader


@dataclass(frozen=True, kw_only=True)
class Additions:
    """Routes and parts of pages; nothing unless given."""

    routers: Sequence[APIRouter] = ()
    templates: BaseLoader | None = None
    """Where the parts below are found."""
    on_every_page: str = ""
    """A template, set above every page's content."""
    on_sign_in: str = ""
    """A template, set where people choose how to sign in."""
    style: str = ""
    """Address of a stylesheet for both."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What the templates may use beside what every page has."""


NOTHING = Additions()
