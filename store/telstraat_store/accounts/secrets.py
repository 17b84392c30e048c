"""Secrets of people and programs: 256 random bits, stored as a hash only."""

from __future__ import annotations

import hashlib
import secrets

KEY_PREFIX = "tst_"
SECRET_BYTES = 32
HINT_CHARS = 8


def new_secret(prefix: str = KEY_PREFIX) -> str:
    """Return a secret of 256 random bits."""
    return prefix + secrets.token_urlsafe(SECRET_BYTES)


def hint_of(secret: str) -> str:
    """Return the first characters of a key, by which its owner can tell it apart."""
    return secret[:HINT_CHARS]


def hashed(secret: str) -> bytes:
    """Return what is stored of a secret. It is random and long, so a plain hash cannot be guessed backwards."""
    return hashlib.sha256(secret.encode()).digest()
