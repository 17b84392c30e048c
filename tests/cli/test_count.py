"""`telstraat count`: what it prints, what it refuses, and its scorer against the one that came with the clips."""

from __future__ import annotations

import importlib.util
import json
import os
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from tests.device.counting.drawn import FPS, HEIGHT, WIDTH, Thing, frames, straight

from telstraat_cli.main import main
from telstraat_demo.scoring.score import Clip, LabelledCrossing, assign, pooled, read_clips, score_clip
from telstraat_device.counting.crossings.crossing import CLASSES, DIRECTIONS, Crossing

CLIPS = os.environ.get("TELSTRAAT_CLIPS")
LINE = "160,20,160,220"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "street.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), FPS, (WIDTH, HEIGHT))
    things = [Thing(straight(-20, 340, 80, 1.5, 4.5)), Thing(straight(340, -20, 150, 1.8, 4.8))]
    for luma in frames(things, 6.0):
        writer.write(cv2.cvtColor(luma, cv2.COLOR_GRAY2BGR))
    writer.release()
    truth = {
        "line": [[160, 20], [160, 220]],
        "crossings": [
            {"t": 3.0, "class": "car", "direction": "right_to_left"},
            {"t": 3.3, "class": "car", "direction": "left_to_right"},
        ],
        "ignore": [[0, 1.0]],
    }
    path.with_suffix(".json").write_text(json.dumps(truth))
    return path


def test_a_file_is_counted_into_a_table(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", str(film), "--line", LINE]) == 0
    out = capsys.readouterr().out
    assert "street.mp4: 2 crossings" in out
    assert all(word in out for word in (*CLASSES, *DIRECTIONS))


def test_jsonl_is_one_object_a_crossing_and_nothing_else(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", str(film), "--line", LINE, "--jsonl"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["direction"] for row in rows} == set(DIRECTIONS)
    for row in rows:
        assert set(row) == {"t", "class", "direction", "confidence", "speed_kmh"}
        assert row["class"] in CLASSES
        assert row["t"] == pytest.approx(3.15, abs=0.4)
        assert 0 <= row["confidence"] <= 1


def test_counting_stops_when_told(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["count", str(film), "--line", LINE, "--jsonl", "--seconds", "2"]) == 0
    assert capsys.readouterr().out == ""


def test_a_film_shows_what_was_counted(film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"
    assert main(["count", str(film), "--line", LINE, "--jsonl", "--show", str(out)]) == 0
    capture = cv2.VideoCapture(str(out))
    assert int(capture.get(cv2.CAP_PROP_FRAME_COUNT)) >= 150
    capture.release()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing.mp4", "--line", LINE], "there is no file 'nothing.mp4'"),
        ([__file__, "--line", LINE], "is not a video that can be decoded"),
        (["{film}", "--line", "10,10,900,10"], "outside the picture, which is 320 x 240"),
        (["{film}", "--line", "ten,ten"], "not four numbers"),
        (["{film}"], "where is the line"),
        (["93", "--line", LINE], "camera 93 gives no picture"),
        (["0", "--line", LINE, "--show", "x.mp4"], "the picture of a street is never stored"),
        (["rtsp://10.0.0.1/x", "--line", LINE, "--show", "x.mp4"], "the picture of a street is never stored"),
        (["{film}", "--line", LINE, "--show", "/no/such/folder/x.mp4"], "there is no folder"),
        ([], "what is to be counted"),
        (["--score", "/no/such/folder"], "there is no folder"),
    ],
)
def test_a_mistake_is_answered_with_one_line_and_code_2(
    film: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["count", *(word.replace("{film}", str(film)) for word in words)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("telstraat count: ")
    assert captured.out == ""


def test_a_folder_of_clips_is_scored(film: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    assert main(["count", "--score", str(film.parent), "--json", str(counts)]) == 0
    assert "F1 pooled 1.000, macro 1.000" in capsys.readouterr().out
    assert len(json.loads(counts.read_text())["street"]) == 2


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 8), st.integers(0, 8), st.integers(0, 2**32 - 1))
def test_the_assignment_is_the_cheapest(rows: int, columns: int, seed: int) -> None:
    costs = np.random.default_rng(seed).choice([0.1, 0.3, 0.5, 1.2, 1e6], (rows, columns))
    chosen = [(i, j) for i, j in enumerate(assign(costs.tolist())) if j is not None]
    assert len({j for _, j in chosen}) == len(chosen) == min(rows, columns)
    best = costs[linear_sum_assignment(costs)].sum()
    assert sum(costs[i, j] for i, j in chosen) == pytest.approx(best)


def crossing(t_s: float, class_name: Any = "car", direction: Any = "left_to_right") -> Crossing:
    return Crossing(t_s, class_name, direction, 0.9)


def test_missed_doubled_invented_and_misclassified_are_told_apart() -> None:
    truth = tuple(LabelledCrossing(t, "car", "left_to_right") for t in (2.0, 5.0, 8.0))
    clip = Clip("street", Path("street.mp4"), ((0, 0), (1, 1)), truth, ((0.0, 1.0),))
    counts = [crossing(0.5), crossing(2.1), crossing(2.3), crossing(5.2, "heavy"), crossing(11.0)]
    score = score_clip(clip, counts)
    assert (score.true, score.counted, score.matched) == (3, 4, 2)
    assert (score.missed, score.doubled, score.invented, score.misclassified) == (1, 1, 1, 1)


def their_scorer(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("their_score", folder / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(CLIPS is None, reason="set TELSTRAAT_CLIPS to a folder with clips, truth and score.py")
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")  # theirs
@pytest.mark.parametrize("seed", range(5))
def test_our_scorer_gives_the_totals_of_the_one_that_came_with_the_clips(seed: int) -> None:
    folder = Path(str(CLIPS))
    their, rng = their_scorer(folder), random.Random(seed)
    counts, scores = {}, []
    for clip in read_clips(folder):
        created = [
            crossing(
                true.t_s + rng.gauss(0, 0.4),
                true.class_name if rng.random() < 0.7 else rng.choice(CLASSES),
                true.direction if rng.random() < 0.9 else rng.choice(DIRECTIONS),
            )
            for true in clip.crossings
            for _ in range(rng.choice([0, 1, 1, 1, 2]))
        ]
        scores.append(score_clip(clip, created))
        counts[clip.name] = [{"t": c.t_s, "class": c.class_name, "direction": c.direction} for c in created]
    rows = their.evaluate([str(folder)], counts)
    for row, score in zip(sorted(rows, key=lambda r: r["name"]), scores, strict=True):
        ours = (score.name, score.true, score.counted, score.matched, score.direction_right, score.class_right)
        assert ours == tuple(row[key] for key in ("name", "true", "counted", "matched", "dir_ok", "cls_ok"))
    total, ours_total = their.total(rows), pooled(scores)
    assert their.rates(total)[2] == pytest.approx(ours_total.f1)
    assert their.class_recall(total)[0] == pytest.approx(100 * ours_total.class_recall)
