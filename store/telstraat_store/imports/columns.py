"""Which column of a file is what: Telraam's names, Telstraat's own, and those that people use."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from telstraat_contract.road_users import COUNTED

Format = Literal["telraam-api", "telraam-portal", "telstraat", "plain", "table"]

UTC_STARTS = ("start_utc", "period_start_utc", "date_utc", "time_utc", "timestamp_utc", "datetime_utc", "utc")
LOCAL_STARTS = (
    "start_local",
    "period_start_local",
    "date_and_time_local",
    "date_local",
    "time_local",
    "datetime_local",
)
STARTS = ("start", "period_start", "hour_start", "date", "datetime", "date_time", "date_and_time", "timestamp", "time",
          "datum", "zeit", "zeitpunkt", "tijd", "horodatage", "date_heure")  # fmt: skip
CLOCKS = ("time", "hour", "start_time", "uhrzeit", "zeit", "tijd", "uur", "heure")
SEGMENTS = ("segment", "segment_id", "installation_id", "segment_name", "sensor", "sensor_id", "street", "site", "location",
            "counter", "straat", "strasse", "rue", "zaehlstelle", "zahlstelle", "standort", "messstelle", "telpunt", "meetpunt", "locatie",
            "compteur", "street_name", "site_name", "counter_name", "instance_id")  # fmt: skip
PERIODS = ("period_s", "interval", "bucket")
BINS = ("0-10", "10-20", "20-30", "30-40", "40-50", "50-60", "60-70", "70+")
_OTHER_NAMES: dict[str, str] = {
    "pedestrian": "pedestrians walk walkers foot fussganger fussgaenger voetganger voetgangers pieton pietons personen",
    "bike": "bikes bicycle bicycles cyclist cyclists cycles rad fahrrad fahrrader fahrraeder fiets fietsen fietsers velo velos",
    "motorcycle": "motorcycles motorbike motorbikes mode_motorcycle motorrad motorfiets moto motos",
    "car": "cars pkw auto autos personenauto voiture voitures kraftfahrzeuge",
    "heavy": "heavy_vehicles large_vehicle large_vehicles truck trucks lorry lorries lkw vracht vrachtwagen camion camions",
}
CLASS_OF = {name: kind for kind in COUNTED for name in (kind, *_OTHER_NAMES.get(kind, "").split())}
WAYS = {"lft": "lft", "left": "lft", "a_b": "lft", "ab": "lft", "rgt": "rgt", "right": "rgt", "b_a": "rgt", "ba": "rgt"}


@lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a column's name in small letters and low lines, without accents: `Car (A > B)` is `car_a_b`."""
    bare = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    percent = "_percent" if "%" in name else ""
    return re.sub(r"[^a-z0-9+-]+", "_", bare.lower()).strip("_") + percent


@lru_cache(maxsize=4096)
def count_column(name: str) -> str | None:
    """Return `car_lft`, `car_rgt` or `car` for a column of counts, however it is called."""
    plain = plain_name(name).removesuffix("_total")
    for ending, way in WAYS.items():
        head = plain.removesuffix("_" + ending)
        if head != plain and (kind := CLASS_OF.get(head)):
            return f"{kind}_{way}"
    return CLASS_OF.get(plain)


@dataclass(frozen=True)
class Layout:
    """Where in a row what stands; -1 where a file has no such column."""

    kind: Format
    names: tuple[str, ...]
    start: int
    clock: int
    segment: int
    instance: int
    period: int
    uptime: int
    uptime_is_percent: bool
    observed_s: int
    corrected: int
    v85: int
    histograms: tuple[int, ...]
    bins: tuple[int, ...]
    counts: dict[str, int]
    start_is: Literal["utc", "local", ""]
    state: int = -1  # in our own files: counted, or why there are no counts


def is_header(names: Iterable[str]) -> bool:
    """Tell a line of column names: it holds a start, and counts or what stands beside them."""
    known = [plain_name(name) for name in names]
    starts = {*UTC_STARTS, *LOCAL_STARTS, *STARTS}
    counted = any(count_column(name) for name in known)
    return any(name in starts for name in known) and (counted or {"uptime", "segment_id"} <= set(known))


def layout_of(names: Sequence[str], *, default_kind: Format | None = None) -> Layout:
    """Return what stands where in a file with these columns."""
    plain = [plain_name(name) for name in names]

    def place(*candidates: str) -> int:
        return next((plain.index(name) for name in candidates if name in plain), -1)

    start = place(*UTC_STARTS, *STARTS[:3], *(() if place(*LOCAL_STARTS) >= 0 else STARTS), *LOCAL_STARTS, *STARTS)
    counts: dict[str, int] = {}
    for number, name in enumerate(plain):
        column = count_column(name)
        if column and number != start and (column not in counts or name == column):
            counts[column] = number
    clock = place(*(name for name in CLOCKS if place(name) != start))
    segment = place(*SEGMENTS)
    histograms = [place(name) for name in ("car_speed_hist_0to120plus", "car_speed", "car_speed_hist_0to70plus")]
    uptime = place("uptime", "uptime_percent")
    kind = default_kind or _kind(set(plain))
    return Layout(
        kind,
        tuple(names),
        start,
        clock,
        segment,
        place("instance_id", "instance"),
        place(*PERIODS),
        uptime,
        uptime >= 0 and plain[uptime].endswith("_percent"),
        place("observed_s"),
        place("corrected"),
        place("v85", "v85_kmh", "v85_km_h", "speed_v85_km_h", "speed_v85"),
        tuple(number for number in histograms if number >= 0),
        tuple(number for share in BINS if (number := place(f"speed_car_{share}_km_h_percent")) >= 0),
        counts,
        "utc" if plain[start] in UTC_STARTS else "local" if plain[start] in LOCAL_STARTS else "",
        place("state") if kind == "telstraat" else -1,
    )


def _kind(names: set[str]) -> Format:
    if "date_and_time_local" in names:
        return "telraam-portal"
    if {"date", "uptime", "segment_id"} <= names:
        return "telraam-api"
    if {"segment", "period_start", "period_s"} <= names:
        return "plain"
    if "segment_id" in names and ({"start_utc", "bucket"} <= names or {"period_start_utc", "period_s"} <= names
                                  or {"start", "sensor_s", "quarters"} <= names):  # fmt: skip
        return "telstraat"
    return "table"
