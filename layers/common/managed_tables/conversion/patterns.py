"""Write the patterns of values as JSON, for the console: `python -m managed_tables.conversion.patterns`.

It reads what a person types as files are read. Of two patterns of numbers, that of a decimal comma is tried
first.
"""

import json

from managed_tables.conversion import times
from managed_tables.conversion.columns import ERROR_VALUES, FALSE, NULL_TOKENS, TRUE
from managed_tables.conversion.numbers import decimal_pattern, integer_pattern
from managed_tables.conversion.times import NUMBERED_NAMES, Shape, days_pattern


def patterns() -> dict[str, str | list[str]]:
    """Return the patterns by their names; each is of a whole text."""
    return {
        "empty": f"(?:{NULL_TOKENS}|{ERROR_VALUES})?",
        "emptyDay": times.EMPTY_DAY,
        "true": f"{TRUE}|1",
        "false": f"{FALSE}|0",
        "integer": [integer_pattern(mark, plain_blanks=True) for mark in ",."],
        "decimal": [decimal_pattern(mark, plain_blanks=True) for mark in ",."],
        "compactDay": days_pattern("dmy", Shape.COMPACT),
        "day": days_pattern("dmy", Shape.WRITTEN),
        "midnight": times.MIDNIGHT,
        "time": times.TIME,
        "months": NUMBERED_NAMES,
    }


if __name__ == "__main__":
    print(json.dumps(patterns(), indent=2))
