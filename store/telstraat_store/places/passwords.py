"""Passwords of sensors at the broker: 192 random bits, stored as Mosquitto's password file holds them, PBKDF2-SHA512 (`$7$`)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode

PASSWORD_BYTES = 24
_SALT_BYTES = 12
_ITERATIONS = 1000  # enough for 192 random bits; more would slow ten thousand sensors that come back at once
_KEY_BYTES = 64


def new_password() -> str:
    """Return a password that nobody else has: 192 random bits, letters that need no quoting."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def hash_password(password: str) -> str:
    """Return what the password file holds."""
    salt = secrets.token_bytes(_SALT_BYTES)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS, _KEY_BYTES)
    return f"$7${_ITERATIONS}${b64encode(salt).decode()}${b64encode(key).decode()}"


def check_password(password: str, hashed: str) -> bool:
    """Tell whether a password fits a line of the password file; a line that cannot be read fits none."""
    parts = hashed.split("$")
    if len(parts) != 5 or parts[1] != "7" or not parts[2].isdigit():
        return False
    try:
        salt, key = b64decode(parts[3], validate=True), b64decode(parts[4], validate=True)
    except ValueError:
        return False
    if not key or int(parts[2]) < 1:
        return False
    again = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, int(parts[2]), len(key))
    return hmac.compare_digest(again, key)
