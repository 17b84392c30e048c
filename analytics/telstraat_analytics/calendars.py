"""Days that are not like others: public holidays, the weeks around New Year, school holidays of a deployment's table."""

from __future__ import annotations

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
        School holidays, first and last day INCLUSIVE; where empty, the weeks around New Year and of high summer stand in.
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
            free = free | np.array([day in known for day in days.date])
        return free

    def breaks(self, days: pd.DatetimeIndex) -> NDArray[np.float64]:
        """Return, per day, whether it lies in the weeks around New Year and in another school holiday.

        Parameters
        ----------
        days
            Local dates.

        Returns
        -------
        numpy.ndarray
            Shape (len(days), 2), 0 or 1: around New Year, other school holidays.
        """
        mark = np.asarray(days.month * 100 + days.day)
        year_end = (mark >= 1220) | (mark <= 106)
        if self.school:
            other = np.zeros(len(days), dtype=bool)
            for first, last in self.school:
                other |= np.asarray((days >= pd.Timestamp(first)) & (days <= pd.Timestamp(last)))
        else:
            other = (mark >= 708) & (mark <= 828)
        return np.column_stack([year_end, other & ~year_end]).astype(float)

    def described(self) -> str:
        """Return what is known, in a few words."""
        public = f"public holidays of {self.country}{'-' + self.region if self.region else ''}" if self.country else ""
        school = "school holidays from a table" if self.school else "school holidays only as high summer and New Year"
        return ", ".join(part for part in (public or "no public holidays known", school) if part)


@lru_cache(maxsize=64)
def _public(country: str, region: str | None, first: int, last: int) -> frozenset[date]:
    try:
        return frozenset(holidays.country_holidays(country, subdiv=region, years=range(first, last + 1)))
    except NotImplementedError:
        return frozenset()
