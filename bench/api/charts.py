"""What a chart of a page costs: milliseconds of a processor to make, bytes as they are and compressed.

python -m bench.api.charts [--times 20]
"""

from __future__ import annotations

import argparse
import gzip
import random
import statistics
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bench.store.page import table

from telstraat_api.web.charts import Chart, Series, SeriesKind, TimeAxis, render, slots_of
from telstraat_api.web.languages import page_language
from telstraat_contract.road_users import CLASSES
from telstraat_store.counts.windows import Bucket, Window, local_day

TZ = ZoneInfo("Europe/Brussels")
DAY = local_day(date(2026, 3, 2), TZ)
TWO_YEARS = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC))


def chart(window: Window, bucket: Bucket) -> Chart:
    """Return four classes and what is usual as a band."""
    slots = slots_of(window, bucket, TZ)
    rng = random.Random(1)

    def values(most: int) -> list[float]:
        return [float(rng.randrange(most)) for _ in slots]

    usual = values(200)
    series = [Series(each, each, values(100), tone=each) for each in CLASSES]
    low, high = [0.8 * value for value in usual], [1.2 * value for value in usual]
    series.append(Series("usual", "usual", usual, SeriesKind.AREA, "usual", low=low, high=high))
    return Chart("bench", "Road users, by class.", TimeAxis(window, TZ, bucket, slots), series, "road users")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    args = parser.parse_args()
    rows = []
    for name, measured in {
        "a day, 96 quarters": chart(DAY, Bucket.QUARTER),
        "two years, 731 days": chart(TWO_YEARS, Bucket.DAY),
    }.items():
        times = []
        for _ in range(args.times):
            began_s = time.process_time()
            markup = str(render(measured, page_language("en"))).encode()
            times.append(1000 * (time.process_time() - began_s))
        rows.append(
            [
                name,
                f"{statistics.median(times):.1f}",
                f"{len(markup) / 1000:.0f}",
                f"{len(gzip.compress(markup)) / 1000:.0f}",
            ]
        )
    print("\n".join(table(["chart", "ms", "kB", "kB (gzip)"], rows)))


if __name__ == "__main__":
    main()
