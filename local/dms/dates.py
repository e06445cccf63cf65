"""Dates and timestamps that no library takes: before Christ, beyond the year 9999, infinity."""

from __future__ import annotations

import re

from catchment.engines.postgresql.types import INFINITY_DATE, INFINITY_TIMESTAMP

_STAMP = re.compile(
    r"(?P<year>\d{4,})-(?P<month>\d\d)-(?P<day>\d\d)"
    r"(?: (?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:\.(?P<fraction>\d{1,6}))?)?"
    r"(?:\+00)?(?P<era> BC)?"
)


def days(text: str) -> int:
    """Days since 1970-01-01 of a PostgreSQL date, Gregorian throughout; infinity as DMS delivers it.

    Example: ``days("4713-01-01 BC")``. Raises ValueError for other text.
    """
    match = _match(text, INFINITY_DATE)
    year = int(match["year"])
    return _days_from_civil(1 - year if match["era"] else year, int(match["month"]), int(match["day"]))


def microseconds(text: str) -> int:
    """Microseconds since 1970-01-01 00:00 of a PostgreSQL timestamp (of an instant: in UTC).

    The number may be beyond 64 bits. Raises ValueError for text that is no timestamp in ISO style.
    """
    match = _match(text, INFINITY_TIMESTAMP)
    year = int(match["year"])
    day = _days_from_civil(1 - year if match["era"] else year, int(match["month"]), int(match["day"]))
    seconds = (day * 24 + int(match["hour"] or 0)) * 3600 + int(match["minute"] or 0) * 60 + int(match["second"] or 0)
    return seconds * 1_000_000 + int((match["fraction"] or "").ljust(6, "0"))


def _match(text: str, infinities: tuple[str, str]) -> re.Match[str]:
    text = {"infinity": infinities[0], "-infinity": infinities[1]}.get(text, text)
    match = _STAMP.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a date or timestamp as PostgreSQL writes it in ISO style and UTC")
    return match


def _days_from_civil(year: int, month: int, day: int) -> int:
    # Howard Hinnant's days_from_civil: March-based years, 400-year eras
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
