"""Score a folder of clips: count each as `telstraat count` does, and print how right the counts are."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

from rich.table import Table

from telstraat_cli.commands.count import as_json, count_source
from telstraat_cli.screen import screen
from telstraat_demo.scoring.score import GROUPS, Score, pooled, read_clips, score_clip
from telstraat_device.cameras.video import open_source


def score_folder(folder: Path, json_path: str | None) -> int:
    """Count every clip of a folder with its own line, and print how right the counts are."""
    scores, counts = [], {}
    for clip in read_clips(folder):
        with closing(open_source(str(clip.video))) as source:
            crossings = count_source(source, clip.line)
        counts[clip.name] = [as_json(crossing) for crossing in crossings]
        scores.append(score_clip(clip, crossings))
    if json_path:
        Path(json_path).write_text(json.dumps(counts, indent=1), encoding="utf-8")
    print_scores(scores)
    return 0


def print_scores(scores: list[Score]) -> None:
    """Print the score per clip, pooled, macro and per class."""
    total = pooled(scores)
    table = Table(title="Counts against truth", title_justify="left")
    table.add_column("clip")
    for heading in (
        "true",
        "counted",
        "missed",
        "doubled",
        "invented",
        "misclassified",
        "F1",
        "count error",
        "direction",
    ):
        table.add_column(heading, justify="right")
    for score in (*scores, total):
        if score is total:
            table.add_section()
        numbers = (score.true, score.counted, score.missed, score.doubled, score.invented, score.misclassified)
        shares = (f"{score.f1:.3f}", f"{100 * score.count_error:.0f} %", f"{100 * score.direction_share:.0f} %")
        table.add_row(score.name, *map(str, numbers), *shares)
    classes = Table(title="Per class", title_justify="left")
    for heading in ("class", "true", "found", "found with the right class"):
        classes.add_column(heading, justify="left" if heading == "class" else "right")
    for group in GROUPS:
        if group in total.groups:
            true, counted, right = total.groups[group]
            classes.add_row(
                group, str(true), f"{counted} ({100 * counted / true:.0f} %)", f"{right} ({100 * right / true:.0f} %)"
            )
    console = screen()
    console.print(table)
    console.print(classes)
    macro_f1 = sum(score.f1 for score in scores) / len(scores)
    macro_error = sum(score.count_error for score in scores) / len(scores)
    console.print(
        f"F1 pooled {total.f1:.3f}, macro {macro_f1:.3f}; absolute count error macro {100 * macro_error:.1f} %; "
        f"direction right {100 * total.direction_share:.1f} %; found with the right class, mean over classes "
        f"{100 * total.class_recall:.1f} %"
    )
