"""The code that comes with a sensor and makes somebody its owner: how it is made, written, read and stored.

Twelve signs of Crockford's alphabet are 60 random bits, in groups of four so that people can type them; O is read as 0,
I and L as 1. Only its hash is stored, with the sensor's name in it.
"""

from __future__ import annotations

import hashlib
import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SIGNS = 12
GROUP = 4
DAYS = 60
"""How long a code works."""

READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def new_claim_code() -> str:
    """Return a code as people write it: three groups of four signs."""
    signs = "".join(secrets.choice(ALPHABET) for _ in range(SIGNS))
    return "-".join(signs[at : at + GROUP] for at in range(0, SIGNS, GROUP))


def plain_code(written: str) -> str:
    """Return a code without what people put between its signs, in capitals, look-alikes as the signs they stand for."""
    return "".join(sign for sign in written.upper().translate(READ_AS) if sign in ALPHABET)


def written_code(typed: str) -> str:
    """Return a code as it is written on a label, however somebody has typed it."""
    signs = plain_code(typed)
    return "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))


def claim_hash(sensor: str, code: str) -> bytes:
    """Return what is stored of the code of a sensor."""
    return hashlib.sha256(f"{sensor}:{plain_code(code)}".encode()).digest()
