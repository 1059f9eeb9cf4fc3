"""Turn OpenDocument's cells into text, from their attributes and paragraphs."""

import re
from datetime import datetime, timedelta
from decimal import Decimal

_BLANKS = re.compile(r"[ \t\r\n]+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d+)?)?", re.ASCII)
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)([.,]\d+)?S)?", re.ASCII)
_EPOCH = "1899-12-30"  # the day of a time without one
_IDENTIFIER = re.compile(r"0[0-9]+|[(]?[0-9][0-9.() ]*[-/][0-9./() -]*[0-9]", re.ASCII)
_DATE_CHARACTERS = 10  # of a date in ISO 8601
_MAX_CHARACTERS = 100  # of a moment, a duration or an identifier: longer ones are not worth parsing
_MAX_DIGITS = 12  # of a part of a duration


class Text:
    """What is shown in one cell: its paragraphs, in which blanks count once, as in HTML."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._is_after_blank = True
        self._has_paragraph = False

    def start_paragraph(self) -> None:
        """Begin a paragraph: from the second on, on a line of its own."""
        if self._has_paragraph:
            self._parts.append("\n")
        self._has_paragraph = self._is_after_blank = True

    def add(self, text: str) -> None:
        """Add characters as they stand in the XML."""
        text = _BLANKS.sub(" ", text)
        if self._is_after_blank:
            text = text.removeprefix(" ")
        if text:
            self._is_after_blank = text.endswith(" ")
            self._parts.append(text)

    def add_exactly(self, text: str) -> None:
        """Add a blank, tab or line break that has an element of its own."""
        self._parts.append(text)
        self._is_after_blank = False

    def __str__(self) -> str:
        return "".join(self._parts)


def moment_text(raw: str) -> str:
    """Return a date, or a date and time to the millisecond, in the form of all readers."""
    raw = raw.strip()
    found = _MOMENT.fullmatch(raw) if len(raw) <= _MAX_CHARACTERS else None
    if found is None or not found[2]:
        return raw
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}")
        moment += timedelta(milliseconds=round(Decimal(found[3] or 0) * 1_000))
    except (ValueError, OverflowError):
        return raw
    day, _, clock = moment.isoformat(timespec="milliseconds").removesuffix(".000").partition("T")
    if day == _EPOCH:
        return clock
    return day if clock == "00:00:00" else f"{day}T{clock}"


def duration_text(raw: str) -> str:
    """Return a time of day, or a duration that may be longer than a day, to the millisecond."""
    raw = raw.strip()
    found = _DURATION.fullmatch(raw) if len(raw) <= _MAX_CHARACTERS else None
    if found is None or len(max(found.groups(default=""), key=len)) > _MAX_DIGITS:
        return raw
    days, hours, minutes, seconds = (int(found[group] or 0) for group in range(2, 6))
    fraction = Decimal((found[6] or "0").replace(",", "."))
    total_ms = ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1_000 + round(fraction * 1_000)
    seconds, ms = divmod(total_ms, 1_000)
    text = f"{found[1]}{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{ms:03d}" if ms else text


def shown_identifier(number: str, shown: str) -> str | None:
    """Return the shown text if it is an identifier: the number with leading zeros or separated by signs."""
    if max(len(number), len(shown)) > _MAX_CHARACTERS:
        return None
    digits = "".join(char for char in shown if char.isdigit())
    if not (number.isdigit() and _IDENTIFIER.fullmatch(shown) and int(digits) == int(number)):
        return None
    return shown


def tells_date(shown: str, iso: str) -> bool:
    """Return whether what is shown of a date leaves no other date open; the first of a month needs no day."""
    if len(iso) != _DATE_CHARACTERS or "#" in shown:
        return False
    return iso[2:4] in shown and (iso.endswith("-01") or str(int(iso[8:])) in shown)
