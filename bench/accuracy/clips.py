"""Counts clips with truth by the product, by an OpenCV peer and with stages off, and says how much depends on the clips."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Protocol

import numpy as np
from bench.accuracy.ablations import VARIANTS
from bench.accuracy.peer import PeerCounter

from telstraat_demo.scoring.score import GROUPS, Clip, Score, pooled, read_clips, score_clip
from telstraat_device.cameras.frames import Luma
from telstraat_device.cameras.video import open_source
from telstraat_device.counting.crossings.crossing import Crossing
from telstraat_device.counting.crossings.line import Segment

DRAWS = 5000
PEER = "MOG2 and a Hungarian tracker"


class Counting(Protocol):
    def process(self, luma: Luma, t_s: float) -> list[Crossing]: ...

    def finish(self) -> list[Crossing]: ...


Maker = Callable[[int, int, Segment], Counting]
COUNTERS: dict[str, Maker] = {**VARIANTS, PEER: PeerCounter}


def count(clip: Clip, make: Maker) -> list[Crossing]:
    """Count a clip with a new counter."""
    with closing(open_source(str(clip.video))) as source:
        counter = make(source.width, source.height, clip.line)
        crossings: list[Crossing] = []
        for frame in source:
            crossings += counter.process(frame.luma, frame.t_s)
        return crossings + counter.finish()


def count_all(clips: Sequence[Clip], names: Sequence[str], counts_file: Path) -> dict[str, list[Score]]:
    """Score every clip by every counter, as far as `kept` has not its counts already (one JSON line each)."""
    counts_file.parent.mkdir(parents=True, exist_ok=True)
    lines = counts_file.read_text(encoding="utf-8").splitlines() if counts_file.exists() else []
    known = {(row["counter"], row["clip"]): row["counts"] for row in map(json.loads, lines)}
    scores: dict[str, list[Score]] = {}
    for name in names:
        scores[name] = []
        for clip in clips:
            if (name, clip.name) not in known:
                counts = [asdict(crossing) for crossing in count(clip, COUNTERS[name])]
                known[name, clip.name] = counts
                with counts_file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps({"counter": name, "clip": clip.name, "counts": counts}) + "\n")
            scores[name].append(score_clip(clip, [Crossing(**fields) for fields in known[name, clip.name]]))
    return scores


def f1(scores: Sequence[Score]) -> float:
    return pooled(scores).f1


def f1_macro(scores: Sequence[Score]) -> float:
    return float(np.mean([score.f1 for score in scores]))


def count_error(scores: Sequence[Score]) -> float:
    return float(np.mean([score.count_error for score in scores]))


def class_recall(scores: Sequence[Score]) -> float:
    return pooled(scores).class_recall


FIGURES: dict[str, Callable[[Sequence[Score]], float]] = {
    "F1 pooled": f1,
    "F1 macro": f1_macro,
    "count error macro": count_error,
    "right class": class_recall,
}


def clip_tables(folder: Path, counts_file: Path, only: Sequence[str] | None = None) -> str:
    """Return the tables: per clip, in total, per class, and the spread over clips."""
    clips = read_clips(folder)
    all_scores = count_all(clips, only or list(COUNTERS), counts_file)
    parts = [totals(all_scores), classes(all_scores), per_clip(all_scores)]
    first = next(iter(all_scores.values()))
    parts.append(spread(first))
    return "\n\n".join(parts)


def totals(all_scores: dict[str, list[Score]]) -> str:
    out = [
        "| counter | F1 pooled | F1 macro | count error | direction | right class | missed | doubled | invented |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, scores in all_scores.items():
        total = pooled(scores)
        out.append(
            f"| {name} | {f1(scores):.3f} | {f1_macro(scores):.3f} | {100 * count_error(scores):.1f} % "
            f"| {100 * total.direction_share:.1f} % | {100 * total.class_recall:.0f} % "
            f"| {total.missed} | {total.doubled} | {total.invented} |"
        )
    return "\n".join(out)


def classes(all_scores: dict[str, list[Score]]) -> str:
    out = [
        "| counter | " + " | ".join(f"{group}: found, right of true" for group in GROUPS) + " |",
        "| --- |" + " ---: |" * len(GROUPS),
    ]
    for name, scores in all_scores.items():
        groups = pooled(scores).groups
        cells = [f"{counted}, {right} of {true}" for true, counted, right in (groups.get(g, [0, 0, 0]) for g in GROUPS)]
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def per_clip(all_scores: dict[str, list[Score]]) -> str:
    names = [name for name in all_scores if name == next(iter(VARIANTS)) or name == PEER]
    out = [
        "| clip | true | "
        + " | ".join(f"{name}: counted, missed, doubled, invented, wrong class, F1" for name in names)
        + " |",
        "| --- | ---: |" + " --- |" * len(names),
    ]
    for number, score in enumerate(next(iter(all_scores.values()))):
        cells = []
        for name in names:
            row = all_scores[name][number]
            numbers = f"{row.counted}, {row.missed}, {row.doubled}, {row.invented}, {row.misclassified}"
            cells.append(f"{numbers}, {row.f1:.2f}")
        out.append(f"| {score.name} | {score.true} | " + " | ".join(cells) + " |")
    return "\n".join(out)


def spread(scores: Sequence[Score]) -> str:
    """Draw clips with putting back, and leave each out in turn."""
    rng = np.random.default_rng(1)
    draws = [[scores[k] for k in rng.integers(0, len(scores), len(scores))] for _ in range(DRAWS)]
    without = {score.name: [other for other in scores if other is not score] for score in scores}
    out = [
        "| figure | all clips | 95 % over clips | lowest, without | highest, without |",
        "| --- | ---: | --- | --- | --- |",
    ]
    for name, figure in FIGURES.items():
        low, high = np.nanpercentile([figure(draw) for draw in draws], [2.5, 97.5])
        left = {clip: figure(others) for clip, others in without.items()}
        least, most = min(left, key=left.__getitem__), max(left, key=left.__getitem__)
        out.append(
            f"| {name} | {figure(scores):.3f} | {low:.3f} to {high:.3f} "
            f"| {left[least]:.3f}, {least} | {left[most]:.3f}, {most} |"
        )
    return "\n".join(out)
