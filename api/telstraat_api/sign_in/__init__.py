"""Signing in with a browser: by a link in a mail, or by the operator's OpenID Connect provider."""

from __future__ import annotations
