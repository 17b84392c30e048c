"""Counts the same clips mirrored, backwards, with frames left out, blurred by compression and so on: what a rule that fits only
the clips as they are would not survive.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from telstraat_demo.scoring.score import Clip, LabelledCrossing, Score, pooled, read_clips, score_clip
from telstraat_device.cameras.frames import Luma
from telstraat_device.cameras.video import open_source
from telstraat_device.counting.counter import Counter

BEGUN_S = 1.0  # what crosses in the first second of a film that begins elsewhere is not scored
LATER_S = 4.0
OTHER_WAY = {"left_to_right": "right_to_left", "right_to_left": "left_to_right"}


@dataclass(frozen=True, slots=True)
class Film:
    """A clip in memory: its frames and times, and what is true of them."""

    frames: Sequence[tuple[Luma, float]]
    clip: Clip


def as_it_is(film: Film) -> Film:
    return film


def mirrored(film: Film) -> Film:
    right = film.frames[0][0].shape[1] - 1
    (x1, y1), (x2, y2) = film.clip.line
    crossings = tuple(replace(true, direction=OTHER_WAY[true.direction]) for true in film.clip.crossings)
    clip = replace(film.clip, line=((right - x1, y1), (right - x2, y2)), crossings=crossings)
    return Film([(luma[:, ::-1], t_s) for luma, t_s in film.frames], clip)


def shown_from(film: Film, time: Callable[[float], float], *, turned: bool) -> Film:
    """Move truth to other times, and leave out what is before the film's first second."""

    def moved(true: LabelledCrossing) -> LabelledCrossing:
        span = [time(at) for at in (true.t0_s, true.t1_s) if at is not None]
        direction = OTHER_WAY[true.direction] if turned else true.direction
        t0_s, t1_s = (min(span), max(span)) if len(span) == 2 else (None, None)
        return replace(true, t_s=time(true.t_s), direction=direction, t0_s=t0_s, t1_s=t1_s)

    crossings = tuple(true for true in map(moved, film.clip.crossings) if true.t_s > BEGUN_S)
    spans = [(time(start), time(end)) for start, end in film.clip.ignore]
    ignore = (*((min(span), max(span)) for span in spans), (-1.0, BEGUN_S))
    frames = sorted(((luma, time(t_s)) for luma, t_s in film.frames), key=lambda frame: frame[1])
    later = [frame for frame in frames if frame[1] >= 0.0]
    return Film(later, replace(film.clip, crossings=crossings, ignore=ignore))


def backwards(film: Film) -> Film:
    end_s = film.frames[-1][1]
    return shown_from(film, lambda t_s: end_s - t_s, turned=True)


def later(film: Film) -> Film:
    return shown_from(film, lambda t_s: t_s - LATER_S, turned=False)


def every(nth: int) -> Callable[[Film], Film]:
    return lambda film: Film(film.frames[::nth], film.clip)


def seen_through(change: Callable[[Luma], Luma]) -> Callable[[Film], Film]:
    return lambda film: Film([(change(luma), t_s) for luma, t_s in film.frames], film.clip)


def tone(exponent: float) -> Callable[[Luma], Luma]:
    table = (255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda luma: np.asarray(table[luma])


def compressed(luma: Luma) -> Luma:
    packed = cv2.imencode(".jpg", luma, [cv2.IMWRITE_JPEG_QUALITY, 28])[1]
    return np.asarray(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), np.uint8)


def noisy() -> Callable[[Luma], Luma]:
    rng = np.random.default_rng(1)
    return lambda luma: np.clip(luma + rng.normal(0.0, 6.0, luma.shape), 0, 255).astype(np.uint8)


def trembling(film: Film) -> Film:
    rng, off = np.random.default_rng(2), np.zeros(2)
    frames = []
    for luma, t_s in film.frames:
        off = 0.8 * off + rng.normal(0.0, 0.5, 2)
        shift = np.array([[1, 0, off[0]], [0, 1, off[1]]], np.float32)
        size = luma.shape[1], luma.shape[0]
        frames.append((np.asarray(cv2.warpAffine(luma, shift, size, borderMode=cv2.BORDER_REPLICATE), np.uint8), t_s))
    return Film(frames, film.clip)


CHANGES: dict[str, Callable[[Film], Film]] = {
    "as they are": as_it_is,
    "mirrored": mirrored,
    "backwards": backwards,
    "begun 4 s later": later,
    "every second frame": every(2),
    "every third frame": every(3),
    "darker (gamma 1.6)": seen_through(tone(1.6)),
    "brighter (gamma 0.65)": seen_through(tone(0.65)),
    "noise of 6 grey levels": seen_through(noisy()),
    "compressed frame by frame (JPEG 28)": seen_through(compressed),
    "a camera that trembles": trembling,
}


def load(clip: Clip) -> Film:
    with closing(open_source(str(clip.video))) as source:
        return Film([(frame.luma.copy(), frame.t_s) for frame in source], clip)


def count(film: Film) -> Score:
    height, width = film.frames[0][0].shape
    counter = Counter(width, height, film.clip.line)
    crossings = [crossing for luma, t_s in film.frames for crossing in counter.process(np.ascontiguousarray(luma), t_s)]
    return score_clip(film.clip, crossings + counter.finish())


def changed_table(folder: Path) -> str:
    """Return what was reached on the clips under each change."""
    scores: dict[str, list[Score]] = {name: [] for name in CHANGES}
    for clip in read_clips(folder):
        film = load(clip)
        for name, change in CHANGES.items():
            scores[name].append(count(change(film)))
    out = [
        "| clips | true | F1 pooled | F1 macro | direction | right class | missed | doubled | invented |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, some in {
        **scores,
        "**all**": [score for film_scores in scores.values() for score in film_scores],
    }.items():
        total = pooled(some)
        out.append(
            f"| {name} | {total.true} | {total.f1:.3f} | {np.mean([score.f1 for score in some]):.3f} "
            f"| {100 * total.direction_share:.1f} % | {100 * total.class_recall:.0f} % "
            f"| {total.missed} | {total.doubled} | {total.invented} |"
        )
    return "\n".join(out)
