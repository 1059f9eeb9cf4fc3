"""Bring times without a zone to UTC as the company's PostgreSQL would, which is asked for the zone's offsets.

Its list of time zones may be another one than ours, and hours that a change of clocks skips or repeats are
its to resolve.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from managed_tables.databases.connecting import PgConnection

Ints = NDArray[np.int64]

_SECOND = 1_000_000  # in microseconds
_DAY_SECONDS = 86_400
# From before the first change of any zone; changes are listed year by year until 2037, then rules hold, for
# which 28 years in a row have each kind of year.
_FIRST_YEAR, _RULE_YEAR, _LAST_YEAR = 1840, 2038, 2066
# Two equal offsets have no other between them: no zone has gone back in less than seven days (Recife, 2000).
_STEPS_SECONDS = (6 * _DAY_SECONDS, 14_400, 900, 60, 5, 1)

_OFFSETS = """
SELECT array_agg(extract(epoch FROM local - (local AT TIME ZONE %s AT TIME ZONE 'UTC'))::int ORDER BY n)
FROM unnest(%s::bigint[]) WITH ORDINALITY AS given(second, n),
    LATERAL (SELECT timestamp 'epoch' + second * interval '1 second' AS local)
"""


@dataclass(frozen=True)
class Zone:
    """A zone's offsets in microseconds; the first holds until the first of `starts`, by the local clock."""

    starts: Ints
    offsets: Ints

    def to_utc(self, local: Ints) -> Ints:
        """Return the moments of microseconds since 1970 by the local clock."""
        place = np.searchsorted(self.starts, _listed(local), side="right") if len(self.starts) else 0
        offsets: Ints = self.offsets[place]
        return local - offsets


UTC = Zone(np.array([], np.int64), np.array([0]))


_known: dict[tuple[str, int, int, str], Zone] = {}  # by server: asking takes a tenth of a second


def find_zone(connection: PgConnection, name: str) -> Zone:
    """Return the zone as the connection's server has it."""
    if name == "UTC":
        return UTC
    server = connection.info
    key = (server.host, server.port, server.server_version, name)
    if key not in _known:
        _known[key] = _read_zone(connection, name)
    return _known[key]


def _read_zone(connection: PgConnection, name: str) -> Zone:
    first, last = (_start_of_year(year) for year in (_FIRST_YEAR, _LAST_YEAR))
    seconds = np.arange(first, last, _STEPS_SECONDS[0])
    for step, finer in zip(_STEPS_SECONDS, [*_STEPS_SECONDS[1:], 0], strict=True):
        [(asked,)] = connection.execute(_OFFSETS, [name, seconds.tolist()]).fetchall()
        offsets = np.array(asked, np.int64)
        changes = np.flatnonzero(np.diff(offsets))
        if finer:
            within = np.arange(0, step + finer, finer)
            seconds = np.concatenate([[first], (seconds[changes, None] + within).ravel()])
    starts = seconds[changes + 1]
    return Zone(starts * _SECOND, np.concatenate([offsets[:1], offsets[changes + 1]]) * _SECOND)


def _start_of_year(year: int) -> int:
    return int(np.datetime64(f"{year:04d}-01-01", "s").astype(np.int64))


def _listed(local: Ints) -> Ints:
    """Return the times with those of later years put into a year that has the same days of the week."""
    is_later = local >= _start_of_year(_LAST_YEAR - 1) * _SECOND
    if not is_later.any():
        return local
    later = local[is_later].view("datetime64[us]")
    years = later.astype("datetime64[Y]")
    first_days = years.astype("datetime64[D]")
    listed = np.arange(f"{_RULE_YEAR}", f"{_RULE_YEAR + 28}", dtype="datetime64[Y]")
    kinds = {_kind(day): day for day in listed.astype("datetime64[D]")}
    like = np.array([kinds[_kind(day)] for day in np.unique(first_days)], "datetime64[us]")
    zoned = local.copy()
    moved = like[np.searchsorted(np.unique(first_days), first_days)] - first_days.astype("datetime64[us]")
    zoned[is_later] = (later + moved).view(np.int64)
    return zoned


def _kind(first_day: "np.datetime64") -> tuple[int, int]:
    """Return a year's first day of the week, and its number of days."""
    year = first_day.astype("datetime64[Y]")
    days = ((year + 1).astype("datetime64[D]") - first_day).astype(np.int64)
    return int(first_day.astype(np.int64)) % 7, int(days)
