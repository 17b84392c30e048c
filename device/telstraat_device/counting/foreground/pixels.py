"""What is done to every pixel of a frame, many pixels side by side.

A plane is flat and row by row; a word holds one bit a pixel for 64 pixels of a row, the leftmost in bit 0. Lanes that
reach beyond a row are the caller's to mask off; every plane has ROOM bytes behind its last pixel, so that they may.
"""

from __future__ import annotations

from typing import Any

from telstraat_device.native.simd import lanes

ROOM = 64
SPREAD_TIMES = 3
SPREAD_SHIFT = 3  # the spread is kept in eighths of a grey level
SPREAD_MAX = 200
RING_PX = 4  # from a pixel to those that it is told from; lamps are smaller, beams larger
LEAST = 10  # grey levels; the noise of a dark picture averaged over 2 x 2 pixels stays below 3
SHARE, SHARE_OF = 4, 25  # 16 % of the expected brightness: a beam is not quite evenly bright
BLACK = 8  # grey levels of a black picture
SHADOW_EDGE = 7  # grey levels over two pixels that a shadow does not add to the street's own texture


@lanes
def halve_64(luma: Any, top: Any, low: Any, small: Any, at: Any) -> None:
    """Write 64 pixels of the working picture: rounded means of 2 x 2 pixels of rows that begin at `top` and `low`."""
    for half in (0, 32):
        first, second = luma[top + 2 * half, 64].pairs(), luma[low + 2 * half, 64].pairs()
        four = (first & 255) + (first >> 8) + (second & 255) + (second >> 8)
        small[at + half, 32] = ((four + 2) >> 2).narrow(8)


@lanes
def outside_64(small: Any, low: Any, high: Any, at: Any) -> Any:
    """Mark the pixels that are not within the range of the street."""
    seen = small[at, 64]
    return (seen.max(low[at, 64]).min(high[at, 64])).differs(seen).bits()


@lanes
def moved_64(small: Any, previous: Any, at: Any, step: Any) -> Any:
    """Mark the pixels that differ from the frame before by more than `step`."""
    return (small[at, 64].gap(previous[at, 64]) > step.lanes(8, 64)).bits()


@lanes
def brighter_64(small: Any, mean: Any, at: Any) -> Any:
    """Mark the pixels that are brighter than 31/32 of the street: no shadow."""
    return ((small[at, 64].wide(16) << 5) > (mean[at, 64] >> 8) * 31).bits()


@lanes
def textured_16(small: Any, mean: Any, at: Any, width: Any) -> Any:
    """Mark dark pixels that are no even shadow: an edge that the street has not, or hardly any light.

    With x the pixel, m the street, and dx, dm their differences across two pixels: an even shadow has dx / x = dm / m.
    """
    x, m = small[at, 16].wide(32), (mean[at, 16] >> 8).wide(32)

    def off(before: Any, after: Any) -> Any:
        dx = small[after, 16].wide(32) - small[before, 16].wide(32)
        dm = (mean[after, 16] >> 8).wide(32) - (mean[before, 16] >> 8).wide(32)
        return (dx * m - dm * x).distance_signed()

    edge = off(at - 1, at + 1).max(off(at - width, at + width)) > m * SHADOW_EDGE
    return (edge | ((x << 3) < m)).bits()


@lanes
def darker_64(small: Any, mean: Any, at: Any) -> Any:
    """Mark the pixels that are darker than the street."""
    return (small[at, 64].wide(16) < (mean[at, 64] >> 8)).bits()


@lanes
def uneven_16(small: Any, mean: Any, at: Any, down: Any) -> Any:
    """Mark the pixels that the eight around them, RING_PX columns and `down` pixels away, do not explain as light.

    With x the pixel, m the street, and X, M their sums over the eight, each above black: under even light x = m X / M.
    All is multiplied by M; with m and M in 256ths of a grey level the largest product is below 2 ** 32.
    """
    up, here, low = at - down, at, at + down
    seen, street = small[up, 16].wide(16), mean[up, 16].wide(32)
    for one in (up - RING_PX, up + RING_PX, here - RING_PX, here + RING_PX, low - RING_PX, low, low + RING_PX):
        seen, street = seen + small[one, 16].wide(16), street + mean[one, 16].wide(32)
    seen, street = (seen + 8 * BLACK).wide(32), street + 8 * 256 * BLACK
    expected = (mean[here, 16].wide(32) + 256 * BLACK) * seen
    off = ((small[here, 16].wide(16) + BLACK).wide(32) * street).gap(expected)
    return ((off > street * LEAST) & (off * SHARE_OF > expected * SHARE)).bits()


@lanes
def range_32(mean: Any, spread: Any, floor: Any, up: Any, here: Any, down: Any, low: Any, high: Any) -> None:
    """Set the range of 32 pixels: the 3 x 3 extremes of the mean, widened by what is usual there, `floor` at least."""
    columns = []
    for shift in (-1, 0, 1):
        three = [mean[row + shift, 32] for row in (up, here, down)]
        columns.append((three[0].min(three[1]).min(three[2]), three[0].max(three[1]).max(three[2])))
    least = columns[0][0].min(columns[1][0]).min(columns[2][0]) >> 8
    most = columns[0][1].max(columns[1][1]).max(columns[2][1]) >> 8
    wide = (spread[here, 32].wide(16) * SPREAD_TIMES >> SPREAD_SHIFT).max(floor.lanes(16, 32))
    low[here, 32] = least.minus(wide).narrow(8)
    high[here, 32] = (most + wide).min(255).narrow(8)


def learnt(x: Any, m: Any, s: Any, rate: Any) -> tuple[Any, Any]:
    """Return mean and spread of pixels after `rate` / 65536 of the way to what is seen, rounding down."""
    seen = x.wide(16) << 8
    above, below = seen.minus(m), m.minus(seen)
    rest = (below * rate).differs(0).wide(16)
    mean = m + above.times_high(rate) - below.times_high(rate) - rest
    off = ((above | below) >> (8 - SPREAD_SHIFT)).min(255)
    old = s.wide(16)
    spread = (old + (off - old).shift_signed(4) + (off > old).wide(16)).min(SPREAD_MAX)
    return mean, spread.narrow(8)


@lanes
def learn_64(small: Any, mean: Any, spread: Any, held: Any, at: Any, rate: Any) -> None:
    """Move mean and spread of 64 pixels of the street by `rate` / 65536, and forget what was held there."""
    for here in (at, at + 32):
        mean[here, 32], spread[here, 32] = learnt(small[here, 32], mean[here, 32], spread[here, 32], rate.lanes(16, 32))
    held[at, 64] = held[at, 64].minus(1)


@lanes
def learn_some_16(small: Any, mean: Any, spread: Any, held: Any, at: Any, rate: Any, kept: Any) -> None:
    """Do the same with 16 pixels, but leave those marked in `kept` as they are."""
    keep = kept.mask(16)
    m, s = learnt(small[at, 16], mean[at, 16], spread[at, 16], rate.lanes(16, 16))
    mean[at, 16] = keep.where(mean[at, 16], m)
    spread[at, 16] = keep.where(spread[at, 16], s)
    held[at, 16] = keep.where(held[at, 16], held[at, 16].minus(1))


@lanes
def add_gaps(now: Any, at: Any, width: Any, pixel: Any, sums: Any, first: Any) -> None:
    """Add to 8 x 7 sums, from `first` on, how much a pixel differs from 8 beside each other in each of 7 rows."""
    for row in range(7):
        sums[first + 8 * row, 8] += now[at, 8].wide(16).gap(pixel.lanes(16, 8))
        at = at + width


@lanes
def scale_16(mean: Any, at: Any, times_4096: Any) -> None:
    """Multiply 16 pixels of the street by `times_4096` / 4096, up to white."""
    m, times = mean[at, 16], times_4096.lanes(16, 16)
    upper = m.times_high(times)
    product = (upper << 4) | ((m * times) >> 12)
    white = upper > 4079
    mean[at, 16] = white.where(product | 65535, product).min(65280)
