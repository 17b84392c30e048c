"""What is done to the bits of a frame, 64 pixels at a time: majorities, shadows and their rims, runs.

A mask is uint64 (height, words): pixel x of a row is bit x % 64 of word x // 64. Bits beyond the width are 0, and so is
the border of every cleaned mask. Beside each lies `rows`, uint64 (height,): 0 says that a row is empty. Most are, and
are passed over.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from telstraat_device.counting.foreground.pixels import brighter_64, moved_64, outside_64, textured_16
from telstraat_device.native.kernel import kernel
from telstraat_device.native.simd import count_ones, first_one

Words = NDArray[Any]  # uint64 (height, words)
Rows = NDArray[Any]  # uint64 (height,)

ONE = np.uint64(1)
TOP = np.uint64(63)
ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def words_across(width: int) -> int:
    """Return how many words a row of pixels takes."""
    return (width + 63) // 64


@kernel
def last_word(width: int) -> np.uint64:
    """Return the bits of a row's last word that are pixels."""
    return ALL >> np.uint64(63 - (width - 1) % 64)


@kernel
def mark_outside(small: Any, low: Any, high: Any, width: int, raw: Words, rows: Rows) -> None:
    """Mark what is not in the range of the street."""
    height, words = raw.shape
    ends = last_word(width)
    for y in range(height):
        found = np.uint64(0)
        for k in range(words):
            word = outside_64(small, low, high, y * width + 64 * k)
            if k == words - 1:
                word &= ends
            raw[y, k] = word
            found |= word
        rows[y] = found


@kernel
def clear_row(mask: Words, rows: Rows, y: int) -> None:
    """Leave nothing in row y."""
    if rows[y]:
        rows[y] = np.uint64(0)
        for k in range(mask.shape[1]):
            mask[y, k] = np.uint64(0)


@kernel
def three(mask: Words, y: int, k: int) -> tuple[Any, Any]:
    """Add up each column of three around row y in two bits: ones and twos."""
    a, b, c = mask[y - 1, k], mask[y, k], mask[y + 1, k]
    odd = a ^ b
    return odd ^ c, (a & b) | (odd & c)


@kernel
def nine(left: tuple[Any, Any], here: tuple[Any, Any], right: tuple[Any, Any]) -> tuple[Any, Any, Any, Any]:
    """Add up the columns left of each pixel, here and right of it: one, two, another two, and four.

    Each argument is a word of columns that `three` has added up.
    """
    (s_left, t_left), (s, t), (s_right, t_right) = left, here, right
    s0, s1 = (s << ONE) | (s_left >> TOP), (s >> ONE) | (s_right << TOP)
    t0, t1 = (t << ONE) | (t_left >> TOP), (t >> ONE) | (t_right << TOP)
    odd, odder = s0 ^ s, t0 ^ t
    return odd ^ s1, (s0 & s) | (odd & s1), odder ^ t1, (t0 & t) | (odder & t1)


@kernel
def majority(mask: Words, rows: Rows, width: int, out: Words, out_rows: Rows) -> None:
    """Keep a pixel when at least 5 of the 3 x 3 around it are marked; the border is left empty."""
    height, words = mask.shape
    clear_row(out, out_rows, 0)
    clear_row(out, out_rows, height - 1)
    for y in range(1, height - 1):
        if not (rows[y - 1] | rows[y] | rows[y + 1]):
            clear_row(out, out_rows, y)
            continue
        left = here = (np.uint64(0), np.uint64(0))
        for k in range(words + 1):
            right = three(mask, y, k) if k < words else (np.uint64(0), np.uint64(0))
            if k > 0:
                found = np.uint64(0)
                if here[0] | here[1]:
                    ones, twos, more, fours = nine(left, here, right)
                    found = (fours & (ones | twos | more)) | (ones & twos & more)
                out[y, k - 1] = found
            left, here = here, right
        out[y, 0] &= ~ONE
        out[y, words - 1] &= last_word(width) >> ONE
        out_rows[y] = ONE


@kernel
def shifted(mask: Words, y: int, k: int, by: int) -> Any:
    """Return word k of row y moved by `by` pixels to the right (to the left when negative): pixel x - by at x."""
    if by > 0:
        word = mask[y, k] << np.uint64(by)
        return word | (mask[y, k - 1] >> np.uint64(64 - by)) if k > 0 else word
    word = mask[y, k] >> np.uint64(-by)
    return word | (mask[y, k + 1] << np.uint64(64 + by)) if k + 1 < mask.shape[1] else word


@kernel
def rim(mask: Words, flat: Words, y: int, k: int) -> np.uint64:
    """Mark the pixels that have street on one side and even shadow on the other, two or three pixels away."""
    found = np.uint64(0)
    for d in (2, 3):
        found |= ~shifted(mask, y, k, d) & shifted(flat, y, k, -d)
        found |= ~shifted(mask, y, k, -d) & shifted(flat, y, k, d)
        found |= (~mask[y - d, k] & flat[y + d, k]) | (~mask[y + d, k] & flat[y - d, k])
    return found


@kernel
def dark_word(small: Any, mean: Any, at: int, width: int, word: Any) -> tuple[Any, Any]:
    """Return which of 64 pixels of the foreground are even shadow, and which are dark with edges."""
    dark, edges = word & ~brighter_64(small, mean, at), np.uint64(0)
    for q in range(4):
        if (dark >> np.uint64(16 * q)) & np.uint64(0xFFFF):
            edges |= textured_16(small, mean, at + 16 * q, width) << np.uint64(16 * q)
    edges &= dark
    return dark & ~edges, edges


@kernel
def shade(
    small: Any, mean: Any, mask: Words, rows: Rows, width: int, flat: Words, edge: Words, out: Words, out_rows: Rows
) -> tuple[Any, Any]:
    """Mark the foreground that is no shadow: brighter than the street, or with edges that the street has not.

    The rim of a hard shadow has such edges, too; it is known by lying between street and shadow. Written are the even
    shadows (`flat`), what has edges, and what is no shadow (`out`); returned is how many pixels that is, and how many of
    them are brighter than the street.
    """
    height, words = mask.shape
    for y in range(height):
        if rows[y]:
            for k in range(words):
                flat[y, k] = edge[y, k] = np.uint64(0)
                if mask[y, k]:
                    flat[y, k], edge[y, k] = dark_word(small, mean, y * width + 64 * k, width, mask[y, k])
        elif out_rows[y]:
            flat[y, :] = np.uint64(0)
            clear_row(out, out_rows, y)
    solid = bright = np.uint64(0)
    for y in range(height):
        if not rows[y]:
            continue
        out_rows[y] = ONE
        for k in range(words):
            word = mask[y, k]
            if word:
                word &= ~flat[y, k]
                if edge[y, k] and 3 <= y < height - 3:
                    word &= ~(edge[y, k] & rim(mask, flat, y, k))
                solid += count_ones(word)
                bright += count_ones(word & ~edge[y, k])
            out[y, k] = word
    return np.int64(solid), np.int64(bright)


@kernel
def runs_of(
    mask: Words, rows: Rows, small: Any, previous: Any, step: int, width: int, gap: int, begins: Any, runs: Any
) -> int:
    """Write the runs of every row, bridging gaps of up to `gap` pixels; return how many.

    runs : int32 (MAX_RUNS, 5): y, x0, x1, pixels, pixels that moved since the frame before; begins : the first run of
    each row, and one more.
    """
    height, words = mask.shape
    count, full = -1, runs.shape[0] - 1
    for y in range(height):
        begins[y] = count + 1
        if not rows[y]:
            continue
        end: Any = -gap - 1
        for k in range(words):
            word = mask[y, k]
            if word == 0:
                continue
            moved = word & moved_64(small, previous, y * width + 64 * k, step)
            base = 64 * k
            while word:
                skip = first_one(word)
                ones = first_one(~(word >> skip))
                piece = (ALL >> (np.uint64(64) - ones)) << skip
                x0 = base + np.int64(skip)
                if x0 - end > gap:
                    if count == full:
                        break
                    count += 1
                    runs[count, 0], runs[count, 1] = y, x0
                    runs[count, 3] = runs[count, 4] = 0
                end = x0 + np.int64(ones)
                runs[count, 2] = end
                runs[count, 3] += np.int32(ones)
                runs[count, 4] += np.int32(count_ones(moved & piece))
                word &= ~piece
    begins[height] = count + 1
    return count + 1
