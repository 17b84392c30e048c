"""The tracks moved on in one call, and that counting a frame leaves nothing behind."""

from __future__ import annotations

import gc
import sys
import tracemalloc

import numpy as np
from tests.device.drawn import HEIGHT, LINE, WIDTH, Thing, frames, straight, through

from telstraat_device.counting.counter import Counter
from telstraat_device.counting.foreground.segmenter import Sight
from telstraat_device.counting.tracking.tracker import Moves
from telstraat_device.counting.tracking.tracks import Tracks

TO_AND_FRO = [
    Thing(through((1.5, -20, 80), (3, 200, 80), (4.5, -20, 80), (6, 340, 80))),
    Thing(straight(-20, 340, 95, 1.5, 4.5), tone=50),
    Thing(straight(340, -20, 160, 2.0, 6.0)),
]


def test_one_call_does_what_three_do() -> None:
    film = frames(TO_AND_FRO, 7.0)
    line = np.array([160.0, 20.0, 160.0, 220.0, 200.0])
    sights = [Sight(WIDTH, HEIGHT) for _ in range(2)]
    alone, together = (Tracks(line, WIDTH, HEIGHT) for _ in range(2))
    moves = Moves(together, sights[1].blobs.table, WIDTH * HEIGHT)
    decided = 0
    for sight in sights:
        sight.begin(film[:16])
    for number, luma in enumerate(film):
        t_s = number / 25
        counts = [sight.see(luma, t_s, 0.04) for sight in sights]
        small = sights[0].background
        done = alone.follow(sights[0].blobs.table, counts[0], small.previous, small.small, t_s, 0.04)
        assert moves.follow(sights[1], counts[1], t_s, 0.04, "day") == done
        assert (alone.table == together.table).all()
        assert (alone.events[:done] == together.events[:done]).all()
        decided += done
    assert moves.finish() == alone.finish()
    assert decided >= 3


def test_with_nothing_in_the_picture_nothing_is_done() -> None:
    tracks, sight = Tracks(np.array([160.0, 20.0, 160.0, 220.0, 200.0]), WIDTH, HEIGHT), Sight(WIDTH, HEIGHT)
    moves = Moves(tracks, sight.blobs.table, WIDTH * HEIGHT)
    assert moves.follow(sight, 0, 1.0, 0.04, "day") == 0
    assert not moves.some_are_still()


def test_counting_a_frame_leaves_nothing_behind() -> None:
    film = frames(TO_AND_FRO, 7.0)
    counter = Counter(WIDTH, HEIGHT, LINE)

    def watch(rounds: int, begun: int) -> None:
        for number in range(begun * len(film), (begun + rounds) * len(film)):
            counter.process(film[number % len(film)], number / 25.0)

    watch(2, 0)
    gc.collect()
    tracemalloc.start()
    held, blocks = tracemalloc.get_traced_memory()[0], sys.getallocatedblocks()
    watch(2, 2)
    gc.collect()
    more, now = tracemalloc.get_traced_memory()[0] - held, sys.getallocatedblocks() - blocks
    tracemalloc.stop()
    assert more < 20_000  # 350 frames of 320 x 240 are 27 MB; caches of the interpreter may grow by a few objects
    assert now < 200
