"""Masks with one bit per pixel, worked on 64 pixels at a time: majorities, shadows and their rims, runs.

Bits beyond the width are 0, and so is the border of every cleaned mask. Most rows are empty, and are passed over.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.pixels import brighter_64, outside_64, textured_16
from telstraat_device.native.kernel import kernel
from telstraat_device.native.simd import popcount

Words = NDArray[np.uint64]
Plane = NDArray[Any]  # flat, uint8 unless said otherwise
Word = Any  # np.uint64 as numba has it

ONE = np.uint64(1)
TOP = np.uint64(63)
ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
RIM_PX = 3  # the farthest that the rim of a shadow is looked for


class Bitmask(NamedTuple):
    """A mask of a picture.

    Attributes
    ----------
    words : uint64 (height, words)
        Pixel x of a row is bit x % 64 of word x // 64.
    rows : uint64 (height,)
        0 where a row is empty.
    width : int
        Pixels across.
    """

    words: Words
    rows: Words
    width: int


class Shadows(NamedTuple):
    """Foreground that is darker than the street, uint64 (height, words): evenly darker, and with edges of its own."""

    flat: Words
    edges: Words


def words_per_row(width: int) -> int:
    """Return the number of words that a row of pixels takes."""
    return (width + 63) // 64


@kernel
def last_word(width: int) -> np.uint64:
    """Return the bits of a row's last word that are pixels."""
    return ALL >> np.uint64(63 - (width - 1) % 64)


@kernel
def mark_outside(small: Plane, low: Plane, high: Plane, out: Bitmask) -> None:
    """Mark the pixels that lie outside the range of the street."""
    height, words = out.words.shape
    ends = last_word(out.width)
    for y in range(height):
        marked = np.uint64(0)
        for k in range(words):
            word = outside_64(small, low, high, y * out.width + 64 * k)
            if k == words - 1:
                word &= ends
            out.words[y, k] = word
            marked |= word
        out.rows[y] = marked


@kernel
def clear_row(mask: Bitmask, y: int) -> None:
    """Clear a row."""
    if mask.rows[y]:
        mask.rows[y] = np.uint64(0)
        for k in range(mask.words.shape[1]):
            mask.words[y, k] = np.uint64(0)


@kernel
def add_column(words: Words, y: int, k: int) -> tuple[Word, Word]:
    """Add up the three bits of each column around row y, as a number of two bits: ones and twos."""
    a, b, c = words[y - 1, k], words[y, k], words[y + 1, k]
    odd = a ^ b
    return odd ^ c, (a & b) | (odd & c)


@kernel
def add_columns(
    left: tuple[Word, Word], here: tuple[Word, Word], right: tuple[Word, Word]
) -> tuple[Word, Word, Word, Word]:
    """Add up the columns left of each pixel, here and right of it, as ones, twos, more twos, and fours.

    Each argument is a word of columns that `add_column` has added up: carry-save adders, 64 side by side.
    """
    (s_left, t_left), (s, t), (s_right, t_right) = left, here, right
    s0, s1 = (s << ONE) | (s_left >> TOP), (s >> ONE) | (s_right << TOP)
    t0, t1 = (t << ONE) | (t_left >> TOP), (t >> ONE) | (t_right << TOP)
    odd, odder = s0 ^ s, t0 ^ t
    return odd ^ s1, (s0 & s) | (odd & s1), odder ^ t1, (t0 & t) | (odder & t1)


@kernel
def majority(mask: Bitmask, out: Bitmask) -> None:
    """Keep a pixel when at least 5 of the 3 x 3 around it are marked; the border is left empty."""
    height, words = mask.words.shape
    rows = mask.rows
    clear_row(out, 0)
    clear_row(out, height - 1)
    for y in range(1, height - 1):
        if not (rows[y - 1] | rows[y] | rows[y + 1]):
            clear_row(out, y)
            continue
        left = here = (np.uint64(0), np.uint64(0))
        for k in range(words + 1):
            right = add_column(mask.words, y, k) if k < words else (np.uint64(0), np.uint64(0))
            if k > 0:
                marked = np.uint64(0)
                if here[0] | here[1]:
                    ones, twos, more, fours = add_columns(left, here, right)
                    marked = (fours & (ones | twos | more)) | (ones & twos & more)
                out.words[y, k - 1] = marked
            left, here = here, right
        out.words[y, 0] &= ~ONE
        out.words[y, words - 1] &= last_word(mask.width) >> ONE
        out.rows[y] = ONE


@kernel
def shifted(words: Words, y: int, k: int, by: int) -> Word:
    """Return word k of row y moved by `by` pixels to the right (to the left when negative): pixel x - by at x."""
    if by > 0:
        word = words[y, k] << np.uint64(by)
        return word | (words[y, k - 1] >> np.uint64(64 - by)) if k > 0 else word
    word = words[y, k] >> np.uint64(-by)
    return word | (words[y, k + 1] << np.uint64(64 + by)) if k + 1 < words.shape[1] else word


@kernel
def rim(mask: Words, flat: Words, y: int, k: int) -> np.uint64:
    """Mark the pixels that have street on one side and even shadow on the other, two or three pixels away."""
    marked = np.uint64(0)
    for d in range(2, RIM_PX + 1):
        marked |= ~shifted(mask, y, k, d) & shifted(flat, y, k, -d)
        marked |= ~shifted(mask, y, k, -d) & shifted(flat, y, k, d)
        marked |= (~mask[y - d, k] & flat[y + d, k]) | (~mask[y + d, k] & flat[y - d, k])
    return marked


@kernel
def dark_word(small: Plane, mean: Plane, at: int, width: int, word: Word) -> tuple[Word, Word]:
    """Return which of 64 pixels of the foreground are evenly darker than the street, and which are dark with edges."""
    dark, edges = word & ~brighter_64(small, mean, at), np.uint64(0)
    for q in range(4):
        if (dark >> np.uint64(16 * q)) & np.uint64(0xFFFF):
            edges |= textured_16(small, mean, at + 16 * q, width) << np.uint64(16 * q)
    edges &= dark
    return dark & ~edges, edges


@kernel
def remove_shadows(small: Plane, mean: Plane, mask: Bitmask, shadows: Shadows, out: Bitmask) -> tuple[int, int]:
    """Mark the foreground that is no shadow: brighter than the street, or with edges that the street does not have.

    The rim of a hard shadow has such edges, too; it is known by lying between street and shadow.

    Returns
    -------
    The number of pixels that are no shadow, and how many of them are brighter than the street.
    """
    height, words = mask.words.shape
    flat, edges, width = shadows.flat, shadows.edges, mask.width
    for y in range(height):
        if mask.rows[y]:
            for k in range(words):
                flat[y, k] = edges[y, k] = np.uint64(0)
                if mask.words[y, k]:
                    flat[y, k], edges[y, k] = dark_word(small, mean, y * width + 64 * k, width, mask.words[y, k])
        elif out.rows[y]:
            flat[y, :] = np.uint64(0)
            clear_row(out, y)
    solid = bright = np.uint64(0)
    for y in range(height):
        if not mask.rows[y]:
            continue
        out.rows[y] = ONE
        for k in range(words):
            word = mask.words[y, k]
            if word:
                word &= ~flat[y, k]
                if edges[y, k] and RIM_PX <= y < height - RIM_PX:
                    word &= ~(edges[y, k] & rim(mask.words, flat, y, k))
                solid += popcount(word)
                bright += popcount(word & ~edges[y, k])
            out.words[y, k] = word
    return np.int64(solid), np.int64(bright)  # type: ignore[return-value]  # numba's integers are Python's
