"""Settings for a sensor as a person writes them: read, and refused with what to do where no sensor could run them."""

from __future__ import annotations

import math

import msgspec

from telstraat_contract.errors import MessageError
from telstraat_contract.messages import Config

SHORTEST = 0.02
"""Of the picture: a line as short as a wheel is counted on by chance."""


def config_of(line: str | None, flip: bool | None = None, speed_limit_kmh: int | None = None) -> Config:
    """Return settings without a version yet; raise `MessageError` that says which value cannot be and what to write."""
    try:
        values = {"version": 0, "line": line_of(line), "flip": flip, "speed_limit_kmh": speed_limit_kmh}
        return msgspec.convert(values, Config)
    except msgspec.ValidationError as error:
        raise MessageError(f"these settings cannot be: {error}") from error


def line_of(text: str | None) -> tuple[float, ...] | None:
    """Return a counting line in shares of the picture; None where nothing is said."""
    if not text:
        return None
    try:
        numbers = tuple(float(part) for part in text.replace(";", ",").split(","))
    except ValueError as error:
        raise MessageError(f"line {text!r}: write four numbers, x1,y1,x2,y2, such as 0.1,0.6,0.9,0.6") from error
    if len(numbers) != 4:
        raise MessageError(f"line {text!r} has {len(numbers)} numbers: write four, x1,y1,x2,y2")
    for number in numbers:
        if not 0 <= number <= 1:
            raise MessageError(
                f"line {text!r}: {number:g} is no share of the picture; divide pixels by its width or height, 320 of 640 is 0.5"
            )
    x1, y1, x2, y2 = numbers
    if math.hypot(x2 - x1, y2 - y1) < SHORTEST:
        raise MessageError(f"line {text!r} is shorter than {SHORTEST:.0%} of the picture: draw it across the street")
    return numbers
