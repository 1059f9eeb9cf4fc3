"""Convert the serial numbers (days since an epoch) of dates and times in workbooks to ISO 8601 text."""

from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from functools import lru_cache, partial

from managed_tables_reader.workbooks.values.formats import FormatKind
from managed_tables_reader.workbooks.values.numbers import exact_number, is_number

_DAY_MS = 86_400_000
_EPOCH_1900 = date(1899, 12, 30)  # right from 1900-03-01 on
_LEAP_DAY = 60  # 1900-02-29, which Excel has and the calendar has not (kept for Lotus 1-2-3)
_EPOCH_1904 = date(1904, 1, 1)
_LAST_DAY = date(9999, 12, 31)
# Of a day: a look-up is quicker than formatting, and so few texts stay in the processor's cache.
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1_440)]
_SECONDS = [f":{second:02d}" for second in range(60)]
_LONGEST_SERIAL = 30  # characters; a double has 17 digits
_MAX_KEPT = 50_000  # texts, 200 bytes each with their keys


def serial_text(raw: str, kind: FormatKind, is_1904: bool) -> str:
    """Return the date, time, datetime or duration that a serial number stands for, to the millisecond.

    A serial that is no day of the calendar (0 or 60 of the 1900 epoch, negative, after the year 9999)
    is returned as a number.
    """
    raw = raw.strip()
    if not is_number(raw):
        return raw
    serial = float(raw)
    if not abs(serial) < 1e8:  # far beyond the calendar, also infinite
        return exact_number(raw)
    total_ms = round(serial * _DAY_MS)
    if kind is FormatKind.DURATION:
        return _duration(total_ms)
    days, ms = divmod(total_ms, _DAY_MS)
    is_date = kind is FormatKind.DATE and not ms
    if days == 0 and (kind is FormatKind.TIME or not (is_1904 or serial < 0 or is_date)):
        return _time(ms)
    day = _day(days, is_1904)
    if day is None:
        return exact_number(raw)
    return day if is_date else f"{day}T{_time(ms)}"


def iso_text(raw: str, kind: FormatKind) -> str:
    """Return a cell written as an ISO date (`t="d"`) in the form that its number format asks for."""
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return raw.strip()
    if kind is FormatKind.DATE and moment.time() == datetime.min.time() and moment.tzinfo is None:
        return moment.date().isoformat()
    return raw.strip()


@lru_cache(maxsize=100_000)  # 270 years
def _day(days: int, is_1904: bool) -> str | None:
    if is_1904:
        return _add(_EPOCH_1904, days)
    if days < 1 or days == _LEAP_DAY:
        return None
    return _add(_EPOCH_1900, days + 1 if days < _LEAP_DAY else days)


def _add(epoch: date, days: int) -> str | None:
    return (epoch + timedelta(days)).isoformat() if 0 <= days <= (_LAST_DAY - epoch).days else None


def _time(total_ms: int) -> str:
    seconds, ms = divmod(total_ms, 1_000)
    return f"{_clock(seconds)}.{ms:03d}" if ms else _clock(seconds)


def _clock(seconds: int) -> str:
    minutes, seconds = divmod(seconds, 60)
    return _MINUTES[minutes] + _SECONDS[seconds]


def _duration(total_ms: int) -> str:
    sign = "-" if total_ms < 0 else ""
    seconds, ms = divmod(abs(total_ms), 1_000)
    text = f"{sign}{seconds // 3_600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{ms:03d}" if ms else text


@lru_cache
def serial_texts(kind: FormatKind, *, is_1904: bool) -> Callable[[str], str]:
    """Return `serial_text` of one kind, which remembers texts: a column has few days."""
    return lru_cache(maxsize=_MAX_KEPT)(partial(serial_text, kind=kind, is_1904=is_1904))


def moment_texts(raws: Iterable[str | None], is_1904: bool) -> list[str | None]:
    """Return what `serial_text` returns for datetimes in plain digits, few of which are equal."""
    texts: list[str | None] = []
    for raw in raws:
        if raw is None:
            texts.append(None)
            continue
        seconds, ms = divmod(round(float(raw[:_LONGEST_SERIAL]) * _DAY_MS), 1_000)
        minutes, second = divmod(seconds, 60)
        day = _day(minutes // 1_440, is_1904)
        if day is None or ms or len(raw) > _LONGEST_SERIAL:
            texts.append(serial_text(raw, FormatKind.DATETIME, is_1904))
        else:
            texts.append(f"{day}T{_MINUTES[minutes % 1_440]}{_SECONDS[second]}")
    return texts
