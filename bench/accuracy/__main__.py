"""How right the counts are: on clips with truth beside an OpenCV peer, on simulated streets, and with stages switched off.

    python -m bench.accuracy clips --clips FOLDER      ours, the peer, the ablations; spread over clips
    python -m bench.accuracy changed --clips FOLDER    ours on the same clips mirrored, backwards, compressed ...
    python -m bench.accuracy simulated                 count simulated streets (goes on where it stopped), then the table
    python -m bench.accuracy simulated --report        only the table of what is there
    python -m bench.accuracy simulated --ablations     the same with each stage off, on fewer streets

All tables are Markdown. What was counted is kept under build/, so that long runs can be made in pieces:
`--part 0/2` and `--part 1/2` are two processes. Remove the folder when the core has changed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.accuracy.ablations import VARIANTS

KEPT = Path("build/accuracy")
FULL = next(iter(VARIANTS))


def simulated(args: argparse.Namespace) -> int:
    from bench.accuracy.simulated import GIVEN, SCENES, read_rows, run
    from bench.accuracy.tables import ablation_table, simulated_tables

    index, _, parts = args.part.partition("/")
    kind = "ablations" if args.ablations else "scale-given" if args.scale_given else "simulated"
    if not args.report:
        variants = list(VARIANTS) if args.ablations else [GIVEN if args.scale_given else FULL]
        scenes = args.scenes.split(",") if args.scenes else SCENES
        path, part = KEPT / f"{kind}-{index}.jsonl", (int(index), int(parts))
        run(path, variants, scenes, args.seeds, args.seconds, args.fps, part)
    rows = [row for file in sorted(KEPT.glob(f"{kind}-*.jsonl")) for row in read_rows(file)]
    print(ablation_table(rows) if args.ablations else simulated_tables(rows))
    return 0


def clips(args: argparse.Namespace) -> int:
    from bench.accuracy.clips import COUNTERS, clip_tables

    if unknown := [name for name in args.only or () if name not in COUNTERS]:
        sys.exit(f"--only {unknown[0]!r} is no counter; there are {', '.join(map(repr, COUNTERS))}")
    print(clip_tables(Path(args.clips), KEPT / "clips.jsonl", only=args.only))
    return 0


def changed(args: argparse.Namespace) -> int:
    from bench.accuracy.changed import changed_table

    print(changed_table(Path(args.clips)))
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    on_clips = commands.add_parser("clips", help="clips with truth, beside the peer")
    on_clips.add_argument("--clips", required=True, metavar="FOLDER")
    on_clips.add_argument("--only", action="append", help="only this counter (may be given again)")
    on_clips.set_defaults(run=clips)
    on_changed = commands.add_parser("changed", help="the same clips, changed")
    on_changed.add_argument("--clips", required=True, metavar="FOLDER")
    on_changed.set_defaults(run=changed)
    on_streets = commands.add_parser("simulated", help="simulated streets on seeds nobody looked at")
    on_streets.add_argument("--seeds", type=int, default=9, help="streets a scene (default 9)")
    on_streets.add_argument("--seconds", type=float, default=900.0, help="length of each (default 900)")
    on_streets.add_argument("--fps", type=float, default=10.0)
    on_streets.add_argument("--scenes", help="separated by commas (default: nine)")
    on_streets.add_argument("--scale-given", action="store_true", help="tell the counter the true pixels per metre")
    on_streets.add_argument("--part", default="0/1", help="of the work, for several processes")
    on_streets.add_argument("--report", action="store_true", help="count nothing more")
    on_streets.add_argument("--ablations", action="store_true", help="each stage off in turn")
    on_streets.set_defaults(run=simulated)
    args = parser.parse_args()
    return int(args.run(args))


if __name__ == "__main__":
    sys.exit(main())
