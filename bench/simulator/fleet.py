"""How long a simulated fleet takes: so many sensors over so many days, truth and reports of every quarter, in memory.

python -m bench.simulator.fleet [--sensors 1000] [--days 365] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from datetime import date

from telstraat_firmware_sim.fleet.fleet import FleetSettings, made_up_fleet


def main() -> None:
    """Work the fleet out once and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sensors", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--json", action="store_true", help="print JSON only")
    args = parser.parse_args()
    kinds = {"telstraat": 1.0, "v1": 1.0, "s2": 1.0}
    settings = FleetSettings(
        sensors=args.sensors, days=args.days, start=date(2025, 1, 6), kinds=kinds, silent_a_year=0.1
    )
    fleet = made_up_fleet(settings)
    fleet.sensor(fleet.names[0])  # the kernels are compiled, or read from their cache
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    reports = crossings = counted = 0
    for truth in fleet.truths():
        reports += int(truth.series.sent.sum())
        crossings += int(truth.demand.passed.sum())
        counted += int(truth.series.counts.sum())
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    result = {
        "sensors": args.sensors, "days": args.days, "reports": reports, "crossings": crossings, "counted": counted,
        "wall_s": round(wall_s, 1), "cpu_s": round(cpu_s, 1), "reports_a_second": round(reports / wall_s),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "cores": os.cpu_count(), "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    if args.json:
        print(json.dumps(result))
        return
    for name, value in result.items():
        print(f"{name:<18} {value:>15,}")


if __name__ == "__main__":
    main()
