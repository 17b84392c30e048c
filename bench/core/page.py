"""Writes docs/bench/core.md and its picture from what `bench.core` measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

TITLES = {
    "ours": "Telstraat's core",
    "mog2": "MOG2 with shadows, open 3x3, close 5x5, contours",
    "difference": "absdiff, running average, threshold, open, close, contours",
}
LIMITS_MB = 150
START_S = 2.0

# bytes that must move each frame at 640 x 480 when nothing stays in a cache: the frame in, the working picture out and
# in, the range in (2), half of the mean (2 bytes), spread and held in and out
BOUND_BYTES = 640 * 480 + 320 * 240 * (2 + 2 + 4 + 1 + 1)


def verdict(reached: float, goal: float, *, below: bool = False) -> str:
    return "reached" if (reached <= goal if below else reached >= goal) else "not reached"


def pipelines(figures: dict[str, Any]) -> list[str]:
    times, counts, spans = figures["times"], figures["instructions"], figures["spans"]
    rows = [
        "| from pixels to crossings, 640 x 480, the same tracker | 10th percentile, ms | median, ms | instructions a frame |",
        "| --- | --- | --- | --- |",
    ]
    for name, title in TITLES.items():
        counted = f"{counts[name] / 1e6:.2f} M (frames {spans[name][0]} to {spans[name][1]})" if name in counts else "–"
        rows.append(f"| {title} | {times[name]['p10']:.3f} | {times[name]['median']:.3f} | {counted} |")
    return rows


def goals(figures: dict[str, Any], bound_ms: float) -> list[str]:
    times, counts = figures["times"], figures["instructions"]
    ours = times["ours"]["p10"]
    rows = ["| | measured | goal | |", "| --- | --- | --- | --- |"]
    if "mog2" in counts:
        ratio = counts["mog2"] / counts["ours"]
        rows.append(f"| instructions, MOG2 over ours | {ratio:.0f} | 100 | {verdict(ratio, 100)} |")
    for name, goal in (("mog2", 90), ("difference", 6)):
        ratio = times[name]["p10"] / ours
        title = "MOG2" if name == "mog2" else "difference"
        rows.append(
            f"| time by the 10th percentile, {title} over ours | {ratio:.1f} | {goal} | {verdict(ratio, goal)} |"
        )
    away = ours / bound_ms
    rows.append(f"| time over the memory bound ({bound_ms:.3f} ms) | {away:.1f} | 4 | {verdict(away, 4, below=True)} |")
    start, rss = figures["start"]["first_frame_cpu_s"], figures["start"]["rss_mb"]
    rows.append(f"| CPU seconds to the first frame, warm cache | {start} | 2 | {verdict(start, START_S, below=True)} |")
    rows.append(f"| largest memory of a counting process, MB | {rss} | 150 | {verdict(rss, LIMITS_MB, below=True)} |")
    return rows


def picture(sweep: list[dict[str, Any]], path: Path) -> None:
    import altair as alt
    import pandas as pd
    import vl_convert

    chart = (
        alt.Chart(pd.DataFrame(sweep))
        .mark_line(point=True)
        .encode(
            x=alt.X("objects:Q", title="objects in the picture"),
            y=alt.Y("ms:Q", title="ms a frame (10th percentile)"),
            color=alt.Color("size:N", title="frame"),
        )
        .properties(width=420, height=240)
    )
    path.write_bytes(vl_convert.vegalite_to_png(chart.to_dict(), scale=1.5))


def write(figures: dict[str, Any], sweep: list[dict[str, Any]], docs: Path) -> None:
    """Write the page and the picture."""
    bound_ms = BOUND_BYTES / (figures["gbs"] * 1e9) * 1e3
    picture(sweep, docs / "images" / "core-cost.png")
    lines = [
        "# What the counting core costs",
        "",
        "Written by `make bench-core` (`python -m bench.core`). All times are of one process, one thread, in which each",
        f"frame of the simulated scene `{figures['scene']}` ({figures['frames']} frames) was given to all three in shuffled order;",
        "instructions are those of the whole process, Python included, under valgrind's callgrind with the code cached",
        "(AVX2): the difference between two numbers of frames.",
        "",
        *pipelines(figures),
        "",
        *goals(figures, bound_ms),
        "",
        f"The memory bound is {BOUND_BYTES / 1e6:.2f} MB a frame that must move when nothing stays in a cache, at the",
        f"{figures['gbs']:.1f} GB/s that copying 8 MB reached in the same run.",
        "",
        "![Cost by number of objects and size of the frame](../images/core-cost.png)",
        "",
        "Frames that are not halved but shrunk by three or more, as those of 1280 x 720, are averaged pixel by pixel, not in",
        "lanes: that is most of what they cost.",
        "",
        "What a Raspberry Pi will need is predicted from instructions counted for 64-bit ARM (`python -m bench.core.pi`):",
        "[decision 003](../decisions/003-the-core-compiled-ahead.md).",
    ]
    (docs / "bench").mkdir(exist_ok=True)
    (docs / "bench" / "core.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
