"""What the town's page is asked for: what is shown, of which period, in which order, found by which name. All of it is in the address."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from telstraat_contract.languages import gettext_noop
from telstraat_store.summaries.summary_table import Box, StreetState, SummaryQuery

ROWS_A_PAGE = 50
NAME_MAX = 200


class Show(StrEnum):
    """What the map's colours and the first column say."""

    ALL = "all"
    CAR = "car"
    BIKE = "bike"
    PEDESTRIAN = "pedestrian"
    HEAVY = "heavy"
    SPEED = "speed"
    ABOVE = "above"
    BIKE_SHARE = "bike_share"
    CHANGE = "change"


class TownPeriod(StrEnum):
    """Of when."""

    USUAL = "usual"
    WORKING = "working"
    WEEKEND = "weekend"
    WEEK = "week"
    LIVE = "live"
    TYPICAL = "typical"


SHOW_NAMES = {
    Show.ALL: gettext_noop("everybody"),
    Show.CAR: gettext_noop("cars"),
    Show.BIKE: gettext_noop("bicycles"),
    Show.PEDESTRIAN: gettext_noop("pedestrians"),
    Show.HEAVY: gettext_noop("heavy vehicles"),
    Show.SPEED: gettext_noop("speed of the cars (V85)"),
    Show.ABOVE: gettext_noop("cars above the limit"),
    Show.BIKE_SHARE: gettext_noop("share of bicycles"),
    Show.CHANGE: gettext_noop("everybody, change on last year"),
}
PERIOD_NAMES = {
    TownPeriod.USUAL: gettext_noop("a usual day"),
    TownPeriod.WORKING: gettext_noop("a usual working day"),
    TownPeriod.WEEKEND: gettext_noop("a usual weekend day"),
    TownPeriod.WEEK: gettext_noop("a day of last week"),
    TownPeriod.LIVE: gettext_noop("the last full hour"),
    TownPeriod.TYPICAL: gettext_noop("the last hour against the usual one"),
}
OF_EIGHT_WEEKS = {Show.SPEED, Show.ABOVE, Show.CHANGE}
"""These are of the last eight weeks, whatever period is chosen."""
COLUMNS = (
    "name",
    "day",
    "pedestrian_share",
    "bike_share",
    "car_share",
    "heavy_share",
    "v85",
    "above",
    "change",
    "school",
    "uptime",
)
FIRST_COLUMN = "shown"


class Filter(StrEnum):
    """Which streets are listed."""

    EVERY = "every"
    COUNTING = "counting"
    FAULTY = "faulty"
    BLIND = "blind"


FILTER_NAMES = {
    Filter.EVERY: gettext_noop("all streets"),
    Filter.COUNTING: gettext_noop("those that count now"),
    Filter.FAULTY: gettext_noop("those with something wrong"),
    Filter.BLIND: gettext_noop("those blind in the dark"),
}
FAULTY = (StreetState.LATE, StreetState.SILENT, StreetState.SETTING_UP, StreetState.NOT_WATCHED, StreetState.NOTHING)

LISTED_STATES = {Filter.FAULTY: FAULTY, Filter.COUNTING: (StreetState.COUNTING,)}


@dataclass(frozen=True)
class TownView:
    """A view of the town, as an address says it; what it says wrong is left out."""

    show: Show = Show.ALL
    period: TownPeriod = TownPeriod.USUAL
    sort: str = "shown"
    descending: bool = True
    name: str = ""
    which: Filter = Filter.EVERY
    page: int = 1
    box: Box | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> TownView:
        """Return the view that a page's address asks for."""
        show = Show(query["show"]) if query.get("show") in set(Show) else Show.ALL
        period = TownPeriod(query["period"]) if query.get("period") in set(TownPeriod) else TownPeriod.USUAL
        sort = query.get("sort", "")
        sort = sort if sort in {*COLUMNS, FIRST_COLUMN} else FIRST_COLUMN
        way = query.get("way")
        page = query.get("page", "1")
        return cls(
            show=show,
            period=TownPeriod.USUAL if show in OF_EIGHT_WEEKS else period,
            sort=sort,
            descending=way == "down" if way in {"up", "down"} else sort != "name",
            name="".join(letter for letter in query.get("q", "")[:NAME_MAX] if letter.isprintable()).strip(),
            which=Filter(query["which"]) if query.get("which") in set(Filter) else Filter.EVERY,
            page=int(page) if page.isascii() and page.isdigit() and 0 < len(page) < 6 and int(page) > 0 else 1,
            box=box_of(query.get("box", "")),
        )

    @property
    def is_live(self) -> bool:
        """Tell whether the last hour is asked for."""
        return self.period in {TownPeriod.LIVE, TownPeriod.TYPICAL}

    @property
    def is_part(self) -> bool:
        """Tell whether only some of the town's streets are asked for."""
        return bool(self.name or self.box) or self.which is not Filter.EVERY

    @property
    def has_own_column(self) -> bool:
        """Tell whether what is shown is none of the table's usual columns."""
        return self.show not in OF_EIGHT_WEEKS and (self.show is not Show.ALL or self.period is not TownPeriod.USUAL)

    @property
    def key(self) -> str:
        """Return by what the table of summaries is sorted."""
        return self.shown_key if self.sort == FIRST_COLUMN else self.sort

    @property
    def shown_key(self) -> str:
        """Return by what the table of summaries is sorted when it is sorted by what is shown."""
        fixed = {Show.SPEED: "v85", Show.ABOVE: "above", Show.CHANGE: "change", Show.BIKE_SHARE: "bike_share"}
        if self.show in fixed:
            return fixed[self.show]
        periods = {TownPeriod.WORKING: "working", TownPeriod.WEEKEND: "weekend", TownPeriod.WEEK: "week"}
        if self.period not in periods:
            return "day" if self.show is Show.ALL else self.show.value
        period = periods[self.period]
        return period if self.show is Show.ALL else f"{period}_{self.show}"

    def streets(self, limit: int, offset: int = 0) -> SummaryQuery:
        """Return the question that finds the streets of this view."""
        return SummaryQuery(
            sort=self.key,
            descending=self.descending,
            name=self.name,
            states=LISTED_STATES.get(self.which, ()),
            night_blind=self.which in {Filter.FAULTY, Filter.BLIND},
            seeing=self.which is Filter.COUNTING,
            box=self.box,
            limit=limit,
            offset=offset,
        )

    def address(self, **changes: object) -> str:
        """Return this view's address with some changes; what is as usual is left out, and so is the page unless it is said."""
        values = {
            "show": self.show, "period": self.period, "sort": self.sort, "way": "down" if self.descending else "up",
            "q": self.name, "which": self.which, "box": None if self.box is None else written(self.box), **changes,
        }  # fmt: skip
        usual: dict[str, object] = {
            "show": Show.ALL,
            "period": TownPeriod.USUAL,
            "sort": FIRST_COLUMN,
            "q": "",
            "which": Filter.EVERY,
            "page": 1,
        }
        if values["way"] == ("up" if values["sort"] == "name" else "down"):
            values["way"] = None
        kept_values = {key: value for key, value in values.items() if value is not None and value != usual.get(key)}
        return f"/?{urlencode(kept_values)}" if kept_values else "/"


def box_of(text: str) -> Box | None:
    """Return the box that `west,south,east,north` names; None when it is none."""
    try:
        west, south, east, north = (float(part) for part in text[:120].split(","))
    except ValueError:
        return None
    sides = (west, south, east, north)
    is_box = all(map(math.isfinite, sides)) and -180 <= west < east <= 180 and -90 <= south < north <= 90
    return sides if is_box else None


def written(box: Box) -> str:
    """Write a box as addresses have it, to some tenths of a metre."""
    return ",".join(f"{side:.6f}".rstrip("0").rstrip(".") for side in box)
