"""Tracks from frame to frame: assigned, merged, decided; and that counting a frame leaves nothing behind."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from typing import Any

import numpy as np
import pytest
from tests.device.counting.drawn import HEIGHT, LINE, WIDTH, Thing, frames, straight, through

from telstraat_device.counting.counter import Counter
from telstraat_device.counting.crossings.line import CountingLine
from telstraat_device.counting.foreground.blobs import BLOB
from telstraat_device.counting.foreground.segmenter import ForegroundSegmenter
from telstraat_device.counting.tracking.assignment import assign, overlap, predict, suppress_duplicates
from telstraat_device.counting.tracking.fragments import merge_fragments
from telstraat_device.counting.tracking.state import TRACKER_STATE
from telstraat_device.counting.tracking.track import Rejection, Side
from telstraat_device.counting.tracking.tracker import Tracker
from telstraat_device.native.kernel import address

UPRIGHT = CountingLine(160.0, 20.0, 160.0, 220.0)
TO_AND_FRO = [
    Thing(through((1.5, -20, 80), (3, 200, 80), (4.5, -20, 80), (6, 340, 80))),
    Thing(straight(-20, 340, 95, 1.5, 4.5), tone=50),
    Thing(straight(340, -20, 160, 2.0, 6.0)),
]


def tracked(things: list[Thing], seconds: float) -> tuple[Tracker, list[Any]]:
    """Return a tracker that has followed a film, and every track whose crossing was decided."""
    film = frames(things, seconds)
    segmenter, tracker = ForegroundSegmenter(WIDTH, HEIGHT), Tracker(UPRIGHT, 1, WIDTH, HEIGHT)
    segmenter.bootstrap(film[:16])
    decided = []
    for number, luma in enumerate(film):
        count = segmenter.segment(luma, number / 25, 0.04)
        pictures = segmenter.picture_addresses
        events = tracker.update(address(segmenter.blobs), count, pictures, number / 25, 0.04, "day")
        decided += [track.copy() for track in tracker.events[:events]]
    events = tracker.finish()
    return tracker, decided + [track.copy() for track in tracker.events[:events]]


def test_every_crossing_of_a_film_is_decided_once_with_its_side_and_time() -> None:
    there_and_back = Thing(through((1.5, -20, 60), (3, 260, 60), (4.5, -20, 60)))
    lanes = [there_and_back, Thing(straight(-20, 340, 120, 1.5, 4.5), tone=50), Thing(straight(340, -20, 180, 2, 6))]
    _, decided = tracked(lanes, 7.0)
    counted = [(float(t["pending_s"]), Side(t["pending"])) for t in decided if t["rejection"] == Rejection.NONE]
    expected = [(2.46, Side.LEFT), (3.0, Side.LEFT), (3.54, Side.RIGHT), (4.0, Side.RIGHT)]
    assert [side for _, side in sorted(counted)] == [side for _, side in expected]
    assert [t_s for t_s, _ in sorted(counted)] == pytest.approx([t_s for t_s, _ in expected], abs=0.15)


def test_a_track_keeps_its_number_while_two_pass_through_each_other() -> None:
    tracker, decided = tracked([TO_AND_FRO[1], Thing(straight(340, -20, 110, 1.5, 4.5))], 6.0)
    assert len({int(track["id"]) for track in decided if track["rejection"] == Rejection.NONE}) == 2
    assert len(tracker.tracks) == 0


def test_a_rejected_crossing_says_why() -> None:
    _, decided = tracked([Thing(straight(-20, 340, 120, 1.5, 3.0), w=7, h=6)], 6.0)
    assert [Rejection(track["rejection"]) for track in decided] == [Rejection.TOO_SMALL]


def state_with(*boxes: tuple[float, float, float, float], **values: float) -> Any:
    """Return TRACKER_STATE with a living track for every box (x, y, w, h), all with the same other values."""
    state = np.zeros(1, TRACKER_STATE)[0]
    state["dt_s"] = 0.04
    for number, (x, y, w, h) in enumerate(boxes):
        track = state["tracks"][number]
        track["alive"], track["id"], track["frames"], track["area"] = True, number + 1, 9, w * h
        track["x"], track["y"], track["w"], track["h"] = x, y, w, h
        for name, value in values.items():
            track[name] = value
    return state


def blobs_at(*boxes: tuple[float, float, float, float]) -> Any:
    """Return BLOB for every box (x0, y0, x1, y1)."""
    blobs = np.zeros(len(boxes), BLOB)
    for blob, (x0, y0, x1, y1) in zip(blobs, boxes, strict=True):
        blob["x0"], blob["y0"], blob["x1"], blob["y1"], blob["area"] = x0, y0, x1, y1, (x1 - x0) * (y1 - y0)
    return blobs


def test_boxes_share_the_area_in_which_both_lie() -> None:
    assert overlap(0.0, 0.0, 10.0, 10.0, 6.0, 4.0, 20.0, 8.0) == 16.0
    assert overlap(0.0, 0.0, 10.0, 10.0, 10.0, 0.0, 20.0, 10.0) == 0.0


def test_a_track_moves_on_at_its_speed_until_it_is_found() -> None:
    state = state_with((100.0, 50.0, 20.0, 10.0), vx=50.0, vy=-25.0)
    predict(state)
    assert (state["tracks"][0]["x"], state["tracks"][0]["y"]) == (102.0, 49.0)


def test_a_track_takes_the_blob_that_fits_best_and_what_overlaps_none_the_nearest_free_one() -> None:
    state = state_with((50.0, 50.0, 20.0, 20.0), (100.0, 50.0, 20.0, 20.0), moving_max=1.0)
    assign(state, blobs_at((110.5, 42.0, 125.5, 60.0), (44.0, 40.0, 64.0, 60.0), (58.0, 40.0, 78.0, 60.0)))
    assert state["blob_of"][:2].tolist() == [1, 0]
    assert state["tracks_of"][:3].tolist() == [1, 1, 0]


def test_in_a_merge_what_was_hardly_ever_alone_ends_in_what_was() -> None:
    state = state_with((50.0, 50.0, 40.0, 20.0), (55.0, 50.0, 38.0, 20.0), moving_max=1.0)
    state["tracks"][0]["alone_s"], state["tracks"][1]["merged_s"] = 2.0, 0.5
    assign(state, blobs_at((30.0, 40.0, 75.0, 60.0)))
    suppress_duplicates(state, 0)
    assert state["tracks"]["alive"][:2].tolist() == [True, False]
    assert (state["blob_of"][1], state["tracks_of"][0]) == (-1, 1)


def test_fragments_that_move_as_one_become_one_after_a_while_and_the_older_side_stays() -> None:
    state = state_with((100.0, 60.0, 20.0, 40.0), (100.0, 33.0, 16.0, 12.0), vx=30.0, first_side=Side.RIGHT, side=1)
    state["tracks"][1]["age_s"], state["tracks"][1]["first_side"] = 1.0, Side.LEFT
    steps = 0
    while state["tracks"][1]["alive"]:
        merge_fragments(state)
        steps += 1
    track = state["tracks"][0]
    assert steps == 4
    assert (track["y"], track["h"], track["first_side"]) == (53.5, 53.0, Side.LEFT)


def test_with_nothing_in_the_picture_nothing_is_done() -> None:
    tracker, segmenter = Tracker(UPRIGHT, 1, WIDTH, HEIGHT), ForegroundSegmenter(WIDTH, HEIGHT)
    assert tracker.update(address(segmenter.blobs), 0, segmenter.picture_addresses, 1.0, 0.04, "day") == 0
    assert not tracker.has_still_tracks()


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
