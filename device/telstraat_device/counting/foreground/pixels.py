"""Vector code for what is done to every pixel of a frame, 16 to 64 pixels at a time.

A plane is flat and row by row; a word holds one bit per pixel for 64 pixels of a row, the leftmost in bit 0. Lanes that
reach beyond a row are the caller's to mask off; every plane has PADDING bytes behind its last pixel, so that they may.
"""

from __future__ import annotations

from typing import Any

from telstraat_device.native.simd import simd

PADDING = 64  # pixels behind the last one: the longest vector
WHITE = 255 << 8  # in 256ths of a grey level, as means are stored
SPREAD_TIMES = 3  # how many spreads around the mean still are street
SPREAD_SHIFT = 3  # the spread is stored in eighths of a grey level
SPREAD_MAX = 200  # 25 grey levels
SPREAD_RATE_SHIFT = 4  # the spread moves by a sixteenth of the way at a time
BRIGHT_SHARE, BRIGHT_SHIFT = 31, 5  # of 32: what is brighter than 31/32 of the street is no shadow
BLACK_SHIFT = 3  # what has less than an eighth of the street's light is no shadow, which still has that of the sky
SHADOW_EDGE = 7  # grey levels over two pixels that a shadow does not add to the street's own texture
RING_PX = 4  # from a pixel to the ring that it is compared with; lamps are smaller, beams larger
RING = 8  # pixels of the ring
UNEVEN_MIN = 10  # grey levels; the noise of a dark picture averaged over 2 x 2 pixels stays below 3
UNEVEN_SHARE, UNEVEN_SHARE_OF = 4, 25  # 16 % of the expected brightness: a beam is not quite evenly bright
BLACK = 8  # grey levels of a black picture


@simd
def halve_64(luma: Any, top: Any, low: Any, small: Any, at: Any) -> None:
    """Write 64 pixels of the working picture: rounded means of 2 x 2 pixels of rows that begin at `top` and `low`."""
    for half in (0, 32):
        first, second = luma[top + 2 * half, 64].as_uint16(), luma[low + 2 * half, 64].as_uint16()
        four = (first & 255) + (first >> 8) + (second & 255) + (second >> 8)
        small[at + half, 32] = ((four + 2) >> 2).narrow(8)


@simd
def outside_64(small: Any, low: Any, high: Any, at: Any) -> Any:
    """Mark the pixels that lie outside the range of the street."""
    luma = small[at, 64]
    return (luma.max(low[at, 64]).min(high[at, 64])).not_equal(luma).to_bits()


@simd
def moved_64(small: Any, previous: Any, at: Any, step: Any) -> Any:
    """Mark the pixels that differ from the previous frame by more than `step` grey levels."""
    return (small[at, 64].abs_diff(previous[at, 64]) > step.splat(8, 64)).to_bits()


@simd
def brighter_64(small: Any, mean: Any, at: Any) -> Any:
    """Mark the pixels that are brighter than 31/32 of the street: no shadow."""
    return ((small[at, 64].widen(16) << BRIGHT_SHIFT) > (mean[at, 64] >> 8) * BRIGHT_SHARE).to_bits()


@simd
def textured_16(small: Any, mean: Any, at: Any, width: Any) -> Any:
    """Mark dark pixels that are no even shadow: an edge that the street does not have, or hardly any light.

    With x the pixel, m the street, and dx, dm their differences across two pixels: an even shadow has dx / x = dm / m.
    """
    x, m = small[at, 16].widen(32), (mean[at, 16] >> 8).widen(32)

    def deviation(before: Any, after: Any) -> Any:
        dx = small[after, 16].widen(32) - small[before, 16].widen(32)
        dm = (mean[after, 16] >> 8).widen(32) - (mean[before, 16] >> 8).widen(32)
        return (dx * m - dm * x).signed_abs()

    edge = deviation(at - 1, at + 1).max(deviation(at - width, at + width)) > m * SHADOW_EDGE
    return (edge | ((x << BLACK_SHIFT) < m)).to_bits()


@simd
def darker_64(small: Any, mean: Any, at: Any) -> Any:
    """Mark the pixels that are darker than the street."""
    return (small[at, 64].widen(16) < (mean[at, 64] >> 8)).to_bits()


@simd
def uneven_16(small: Any, mean: Any, at: Any, down: Any) -> Any:
    """Mark the pixels whose brightness the ring of eight, RING_PX columns and `down` pixels away, does not explain.

    With x the pixel, m the street, and X, M their sums over the ring, each above black: under even light x = m X / M.
    All is multiplied by M; with m and M in 256ths of a grey level the largest product is below 2 ** 32.
    """
    up, here, low = at - down, at, at + down
    luma, street = small[up, 16].widen(16), mean[up, 16].widen(32)
    for pixel in (up - RING_PX, up + RING_PX, here - RING_PX, here + RING_PX, low - RING_PX, low, low + RING_PX):
        luma, street = luma + small[pixel, 16].widen(16), street + mean[pixel, 16].widen(32)
    luma, street = (luma + RING * BLACK).widen(32), street + RING * 256 * BLACK
    expected = (mean[here, 16].widen(32) + 256 * BLACK) * luma
    off = ((small[here, 16].widen(16) + BLACK).widen(32) * street).abs_diff(expected)
    return ((off > street * UNEVEN_MIN) & (off * UNEVEN_SHARE_OF > expected * UNEVEN_SHARE)).to_bits()


@simd
def range_32(mean: Any, spread: Any, floor: Any, up: Any, here: Any, down: Any, low: Any, high: Any) -> None:
    """Set the range of 32 pixels: the 3 x 3 extremes of the mean, widened by SPREAD_TIMES spreads, at least `floor`."""
    columns = []
    for shift in (-1, 0, 1):
        rows = [mean[row + shift, 32] for row in (up, here, down)]
        columns.append((rows[0].min(rows[1]).min(rows[2]), rows[0].max(rows[1]).max(rows[2])))
    least = columns[0][0].min(columns[1][0]).min(columns[2][0]) >> 8
    most = columns[0][1].max(columns[1][1]).max(columns[2][1]) >> 8
    margin = (spread[here, 32].widen(16) * SPREAD_TIMES >> SPREAD_SHIFT).max(floor.splat(16, 32))
    low[here, 32] = least.saturating_sub(margin).narrow(8)
    high[here, 32] = (most + margin).min(255).narrow(8)


def updated(x: Any, m: Any, s: Any, rate: Any) -> tuple[Any, Any]:
    """Return mean and spread of pixels after `rate` / 65536 of the way to the luma x, rounding down."""
    luma = x.widen(16) << 8
    above, below = luma.saturating_sub(m), m.saturating_sub(luma)
    rest = (below * rate).not_equal(0).widen(16)
    mean = m + above.multiply_high(rate) - below.multiply_high(rate) - rest
    off = ((above | below) >> (8 - SPREAD_SHIFT)).min(255)
    old = s.widen(16)
    spread = (old + (off - old).shift_right_signed(SPREAD_RATE_SHIFT) + (off > old).widen(16)).min(SPREAD_MAX)
    return mean, spread.narrow(8)


@simd
def learn_64(small: Any, mean: Any, spread: Any, held: Any, at: Any, rate: Any) -> None:
    """Move mean and spread of 64 pixels of the street by `rate` / 65536, and count down how long they were held."""
    for here in (at, at + 32):
        mean[here, 32], spread[here, 32] = updated(
            small[here, 32], mean[here, 32], spread[here, 32], rate.splat(16, 32)
        )
    held[at, 64] = held[at, 64].saturating_sub(1)


@simd
def learn_some_16(small: Any, mean: Any, spread: Any, held: Any, at: Any, rate: Any, foreground: Any) -> None:
    """Do the same with 16 pixels, but leave those of the foreground as they are."""
    keep = foreground.to_mask(16)
    m, s = updated(small[at, 16], mean[at, 16], spread[at, 16], rate.splat(16, 16))
    mean[at, 16] = keep.select(mean[at, 16], m)
    spread[at, 16] = keep.select(spread[at, 16], s)
    held[at, 16] = keep.select(held[at, 16], held[at, 16].saturating_sub(1))


@simd
def add_differences(now: Any, at: Any, width: Any, pixel: Any, sums: Any) -> None:
    """Add to 7 x 8 sums the absolute differences of a pixel from 8 adjacent pixels in each of 7 rows."""
    for row in range(7):
        first = 8 * row
        sums[first, 8] += now[at, 8].widen(16).abs_diff(pixel.splat(16, 8))
        at = at + width


@simd
def scale_16(mean: Any, at: Any, times_4096: Any) -> None:
    """Multiply 16 pixels of the street by `times_4096` / 4096, up to white."""
    m, times = mean[at, 16], times_4096.splat(16, 16)
    upper = m.multiply_high(times)
    product = (upper << 4) | ((m * times) >> 12)
    overflows = upper > (WHITE >> 4) - 1
    mean[at, 16] = overflows.select(product | 65535, product).min(WHITE)
