"""Days that are not like others: public holidays, the weeks around New Year, school holidays of a deployment's table."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

import holidays
import numpy as np
import pandas as pd
from numpy.typing import NDArray

# The country behind a time zone, for zones where volunteers count today; a measure can name its own.
COUNTRY_OF_ZONE = {
    "Europe/Brussels": "BE", "Europe/Amsterdam": "NL", "Europe/Paris": "FR", "Europe/Berlin": "DE",
    "Europe/London": "GB", "Europe/Dublin": "IE", "Europe/Madrid": "ES", "Europe/Lisbon": "PT",
    "Europe/Rome": "IT", "Europe/Vienna": "AT", "Europe/Zurich": "CH", "Europe/Luxembourg": "LU",
    "Europe/Copenhagen": "DK", "Europe/Oslo": "NO", "Europe/Stockholm": "SE", "Europe/Helsinki": "FI",
    "Europe/Warsaw": "PL", "Europe/Prague": "CZ", "Europe/Ljubljana": "SI", "Europe/Zagreb": "HR",
    "Europe/Budapest": "HU", "Europe/Athens": "GR", "America/Toronto": "CA", "America/Montreal": "CA",
    "America/New_York": "US", "America/Chicago": "US", "America/Denver": "US", "America/Los_Angeles": "US",
    "Australia/Sydney": "AU", "Australia/Melbourne": "AU", "Pacific/Auckland": "NZ",
}  # fmt: skip
# Usual first and last day of the long school holidays, month and day; where regions differ, the span of most of them.
# Published school calendars of the last years, to the week; a deployment's own table takes precedence.
SUMMER_OF_COUNTRY = {
    "BE": (701, 831), "NL": (708, 831), "FR": (706, 831), "DE": (625, 910), "GB": (720, 902), "IE": (628, 830),
    "ES": (622, 908), "PT": (620, 910), "IT": (610, 910), "AT": (630, 908), "CH": (706, 818), "LU": (715, 914),
    "DK": (628, 810), "NO": (620, 818), "SE": (614, 818), "FI": (603, 810), "PL": (625, 831), "CZ": (701, 831),
    "SI": (625, 831), "HU": (616, 831), "GR": (615, 910), "CA": (624, 831), "US": (615, 904), "AU": (1220, 128),
    "NZ": (1218, 131),
}  # fmt: skip
SUMMER_ELSEWHERE = (701, 831)
FADING_DAYS = 14
"""Without a table the long holidays fade in and out: regions differ by weeks, and upper classes leave before the last day."""
TERM_DAYS = 110
"""Between two school holidays lie at most about 80 days (Belgium, spring to summer); a table that is silent for longer has ended."""
REGIONS_DIFFER_DAYS = 42
"""By so much the long holidays of a country's regions differ: only days further from the table than this must be in it."""
SOUTHERN = ("Australia/", "Pacific/Auckland", "America/Argentina", "America/Santiago", "Africa/Johannesburg")


@dataclass(frozen=True)
class Calendar:
    """The special days of a deployment.

    Attributes
    ----------
    country
        Two letters, or empty: no public holidays are known.
    region
        Its subdivision, for holidays of a region.
    school
        School holidays, first and last day INCLUSIVE; where empty, the weeks around New Year and the country's usual long
        holidays stand in.
    southern
        Whether the warm half of the year is November to April.
    """

    country: str = ""
    region: str | None = None
    school: tuple[tuple[date, date], ...] = field(default=())
    southern: bool = False

    @classmethod
    def of_timezone(cls, timezone: str) -> Calendar:
        """Return the calendar that a time zone suggests."""
        return cls(country=COUNTRY_OF_ZONE.get(timezone, ""), southern=timezone.startswith(SOUTHERN))

    def free_days(self, days: pd.DatetimeIndex) -> NDArray[np.bool_]:
        """Tell which of `days` are public holidays or lie between Christmas Eve and New Year's Day."""
        mark = days.month * 100 + days.day
        free = np.asarray((mark >= 1224) | (mark <= 101))
        if self.country and len(days):
            known = _public(self.country, self.region, int(days.year.min()), int(days.year.max()))
            free = free | np.isin(days.to_numpy("datetime64[D]"), known)
        return free

    def breaks(self, days: pd.DatetimeIndex) -> NDArray[np.float64]:
        """Return, per day, how likely it lies in the weeks around New Year and in another school holiday.

        Parameters
        ----------
        days
            Local dates.

        Returns
        -------
        numpy.ndarray
            Shape (len(days), 2), 0 to 1: around New Year, other school holidays.
        """
        mark = np.asarray(days.month * 100 + days.day)
        year_end = (mark >= 1220) | (mark <= 106)
        if self.school:
            other = np.zeros(len(days), dtype=bool)
            for first, last in self.school:
                other |= np.asarray((days >= pd.Timestamp(first)) & (days <= pd.Timestamp(last)))
        else:
            return np.column_stack([year_end, np.where(year_end, 0.0, self._long_holidays(days))])
        return np.column_stack([year_end, other & ~year_end]).astype(float)

    def unknown_years(self, first: date, last: date) -> tuple[int, ...]:
        """Return the years of `first` to `last` of which the public holidays are not known, or not all of them."""
        years = range(first.year, last.year + 1)
        return tuple(year for year in years if self.country and not _is_known(self.country, self.region, year))

    def table_edge(self, first: date, last: date) -> date | None:
        """Return the day on which the table of school holidays begins or ends, when `first` to `last` lie beyond it.

        They do when the usual long holidays, or more days than a term has, lie outside of the table.
        """
        if not self.school:
            return None
        days = pd.date_range(first, last, freq="D")
        usual = self._long_holidays(days) == 1
        begins, ends = min(first for first, _ in self.school), max(last for _, last in self.school)
        for edge, beyond in ((ends, (days - pd.Timestamp(ends)).days), (begins, (pd.Timestamp(begins) - days).days)):
            if np.any((usual & (beyond > REGIONS_DIFFER_DAYS)) | (beyond > TERM_DAYS)):
                return edge
        return None

    def _long_holidays(self, days: pd.DatetimeIndex) -> NDArray[np.float64]:
        """Return, per day, how likely it lies in the usual long holidays of the country."""
        begin, end = (
            pd.Timestamp(2001, mark // 100, mark % 100).day_of_year
            for mark in SUMMER_OF_COUNTRY.get(self.country, SUMMER_ELSEWHERE)
        )
        length = (end - begin) % 365
        since = (np.asarray(days.day_of_year, dtype=float) - begin + 182) % 365 - 182
        outside = np.maximum(np.maximum(-since, since - length), 0.0)
        return np.asarray(np.clip(1 - outside / FADING_DAYS, 0.0, 1.0), dtype=float)


@lru_cache(maxsize=64)
def _public(country: str, region: str | None, first: int, last: int) -> NDArray[np.datetime64]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `_is_known` looks for them, and the check of holidays says so
            known = holidays.country_holidays(country, subdiv=region, years=range(first, last + 1))
            return np.array(sorted(known), dtype="datetime64[D]")
    except NotImplementedError:
        return np.array([], dtype="datetime64[D]")


@lru_cache(maxsize=512)
def _is_known(country: str, region: str | None, year: int) -> bool:
    """Tell whether the library knows a year's public holidays: its tables begin and end, of some holidays earlier."""
    try:
        with warnings.catch_warnings(record=True) as gaps:
            warnings.simplefilter("always")
            table = holidays.country_holidays(country, subdiv=region, years=year)
    except NotImplementedError:
        return False
    return not gaps and table.start_year <= year <= table.end_year
