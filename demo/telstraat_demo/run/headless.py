"""Run the demo for machines: so many minutes of street as fast as possible, then outbox against table, truth against counts."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from telstraat_demo.run.accuracy import AccuracyRow, accuracy, overall
from telstraat_demo.run.pipeline import Pipeline
from telstraat_demo.run.reconciliation import Difference, closed_reports, differences, stored_reports, waiting_reports
from telstraat_demo.run.sources import StreetSource, VideoSource, street, video
from telstraat_demo.run.steps import Steps, plan_of, set_up
from telstraat_demo.stack.processes import ProgramService

if TYPE_CHECKING:
    from telstraat_contract.messages import Report

DEFAULT_MINUTES = 30.0
RECEIPTS_S = 30.0


def headless(args: argparse.Namespace, pipeline: Pipeline, steps: Steps) -> int:
    """Count, compare, print, and return 0 when every closed report is in the table as it was closed."""
    began = time.monotonic()
    source = source_of(args, pipeline)
    set_up(args, pipeline, steps, source)
    ready = time.monotonic()
    device = source.start(pipeline)
    follow(pipeline, source, device, steps.console)
    wait_for_receipts(pipeline.outbox(source.place.sensor), pipeline)
    wall_s = time.monotonic() - ready
    result = verdict(pipeline, source)
    result |= {
        "wall_s": round(wall_s, 2),
        "setup_s": round(ready - began, 2),
        "fps": round(result["frames"] / wall_s, 1) if result["frames"] else None,
        "restarts": pipeline.supervisor.restarts,
    }
    show(result, steps.console)
    if args.json:
        print(json.dumps(result), flush=True)
    return 0 if result["ok"] else 1


def source_of(args: argparse.Namespace, pipeline: Pipeline) -> StreetSource | VideoSource:
    """Return what is counted; each run is a sensor of its own, so that no run looks at another's reports."""
    sensor = f"headless-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    if args.video:
        return video(args.video, args.line, sensor)
    past = timedelta(minutes=args.minutes or DEFAULT_MINUTES)
    return street(pipeline, sensor, plan_of(args, past, None, past.total_seconds()))


def follow(pipeline: Pipeline, source: StreetSource | VideoSource, device: ProgramService, console: Console) -> None:
    """Look after the services until the device has come to its end."""
    from telstraat_demo.run.street_device import read_progress

    columns = (
        TextColumn("counting"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("s of street"),
        TimeElapsedColumn(),
    )
    total = source.duration_s if isinstance(source, StreetSource) else None
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("counting", total=round(total) if total else None)
        while not device.done:
            pipeline.supervisor.look()
            if isinstance(source, StreetSource):
                bar.update(task, completed=int(read_progress(source.plan_file.parent).street_s))
            time.sleep(0.1)


def wait_for_receipts(outbox: Path, pipeline: Pipeline) -> None:
    """Wait until no closed report waits for a receipt, or long enough to call it a fault."""
    end = time.monotonic() + RECEIPTS_S
    while waiting_reports(outbox) and time.monotonic() < end:
        pipeline.supervisor.look()
        time.sleep(0.1)


def verdict(pipeline: Pipeline, source: StreetSource | VideoSource) -> dict[str, Any]:
    """Compare outbox and table, truth and counts."""
    sensor = source.place.sensor
    outbox = pipeline.outbox(sensor)
    closed, stored = closed_reports(outbox), stored_reports(pipeline.dsn, sensor)
    problems = differences(closed, stored)
    waiting = waiting_reports(outbox)
    result: dict[str, Any] = {
        "ok": bool(closed) and not problems and not waiting,
        "sensor": sensor,
        "page": pipeline.page,
        "reports": {
            "closed": len(closed),
            "stored": len(stored),
            "waiting": waiting,
            "differences": [as_json(each) for each in problems],
        },
        "observed_s": sum(report.observed_s for report in stored),
    }
    return result | truth_of(source, stored)


def truth_of(source: StreetSource | VideoSource, stored: list[Report]) -> dict[str, Any]:
    """Compare what crossed with what stands in the table; a video's truth is not known."""
    if isinstance(source, VideoSource):
        return {"frames": None, "street_s": None, "accuracy": None, "accuracy_overall": None}
    from telstraat_demo.run.street_device import TRUTH_FILE, read_progress
    from telstraat_firmware_sim.street.truth import read_truth

    folder = source.plan_file.parent
    progress = read_progress(folder)
    truth = read_truth(folder / TRUTH_FILE)
    rows = accuracy(((each.class_name, each.direction) for each in truth), stored)
    share = overall(rows)
    return {
        "frames": progress.frames,
        "street_s": progress.street_s,
        "accuracy": [asdict(row) | {"ratio": rounded(row.ratio)} for row in rows],
        "accuracy_overall": rounded(share),
    }


def rounded(ratio: float | None) -> float | None:
    """Return three digits after the point."""
    return None if ratio is None else round(ratio, 3)


def as_json(difference: Difference) -> dict[str, Any]:
    """Return a difference for machines."""
    epoch, seq = difference.key
    return {"problem": difference.problem, "epoch": epoch, "seq": seq, "detail": difference.detail}


def show(result: dict[str, Any], console: Console) -> None:
    """Print the tables for people."""
    if result["accuracy"]:
        table = Table(title="What crossed and what was counted")
        for name in ("class", "direction", "true", "counted", "counted/true"):
            table.add_column(name, justify="left" if name in {"class", "direction"} else "right")
        for values in result["accuracy"]:
            row = AccuracyRow(values["class_name"], values["direction"], values["true"], values["counted"])
            ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
            table.add_row(row.class_name, row.direction, str(row.true), str(row.counted), ratio)
        console.print(table)
    reports = result["reports"]
    for each in reports["differences"]:
        console.print(f"[red]report {each['seq']} of epoch {each['epoch']} is {each['problem']}[/]: {each['detail']}")
    mark = "[green]equal[/]" if result["ok"] else "[red]not equal[/]"
    console.print(
        f"{reports['closed']} reports closed by the sensor, {reports['stored']} in the table, {reports['waiting']} "
        f"without a receipt: {mark}; {result['wall_s']:.1f} s after {result['setup_s']:.1f} s of setting up",
        highlight=False,
        soft_wrap=True,
    )
