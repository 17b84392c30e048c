"""Times that people type into a form, in the time zone of their street."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from telstraat_api.web.forms import PageForm
from telstraat_contract.languages import gettext_noop

NO_TIME = gettext_noop("This is not a time: write it as 2026-03-01 08:00.")
NO_SUCH_HOUR = gettext_noop("This hour does not exist: the clocks were put forward.")


def local_moment(form: PageForm, name: str, tz: ZoneInfo, *, needed: bool = True) -> datetime | None:
    """Return a local time as UTC; None where nothing stands or it is none, which is then said beside its field.

    Of an hour that comes twice, when clocks are put back, the first is taken.
    """
    value = form.text(name, longest=25, needed=needed)
    if not value or name in form.errors:
        return None
    try:
        at = datetime.fromisoformat(value.replace(" ", "T", 1))
    except ValueError:
        at = None
    if at is None or not 2000 <= at.year < 2200 or "T" not in value.replace(" ", "T", 1):
        form.errors[name] = NO_TIME
        return None
    local = at.replace(tzinfo=tz) if at.tzinfo is None else at
    moment = local.astimezone(UTC)
    if at.tzinfo is None and moment.astimezone(tz).replace(tzinfo=None) != at:
        form.errors[name] = NO_SUCH_HOUR
        return None
    return moment
