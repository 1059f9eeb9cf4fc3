"""What a dialect is: how the characters of a text file are cut into records and cells."""

from dataclasses import dataclass

QUOTE = '"'
BACKSLASH = "\\"
NO_QUOTE = "\ufdd2"  # a noncharacter, which no text holds: nothing is quoted


@dataclass(frozen=True)
class Dialect:
    """The delimiter (of any length; empty for a single column), the quote and the escape (empty for none).

    A doubled quote inside quotes is one quote; `escape` is `\\` where the file writes `\\"` instead.
    """

    delimiter: str = ","
    quote: str = QUOTE
    escape: str = ""

    def split(self, text: str) -> list[str]:
        """Cut text without quotes into cells."""
        return text.split(self.delimiter) if self.delimiter else [text]
