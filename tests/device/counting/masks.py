"""Masks of bytes as masks of words, and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.bitmask import Bitmask, words_per_row

Mask = NDArray[np.uint8]  # (height, width), 0 or 1


def packed(mask: Mask) -> NDArray[np.uint64]:
    """Return the words of a mask."""
    height, width = mask.shape
    across = np.zeros((height, 64 * words_per_row(width)), np.uint8)
    across[:, :width] = mask
    return np.packbits(across, axis=1, bitorder="little").view(np.uint64)


def bitmask(mask: Mask) -> Bitmask:
    """Return a mask as kernels see it."""
    return Bitmask(packed(mask), np.asarray(mask.any(axis=1), np.uint64), mask.shape[1])


def unpacked(words: NDArray[np.uint64], width: int) -> Mask:
    """Return words as a mask of bytes."""
    return np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")[:, :width]
