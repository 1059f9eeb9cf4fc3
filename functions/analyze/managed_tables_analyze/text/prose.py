"""Tell a text that people wrote for people from a table of one column."""

from collections.abc import Sequence
from pathlib import PurePosixPath

_TABLE_SUFFIXES = (".csv", ".tsv", ".tab")  # whoever names a file so means a table, of sentences too
_SENTENCE_WORDS = 5
_SENTENCES_SHARE = 0.5  # of the lines; the rest are titles and the ends of paragraphs
_SENTENCE_ENDS = (".", ":", ";", ",", "!", "?")


def is_prose(name: str, lines: Sequence[str]) -> bool:
    """Return whether the lines of a file that nothing cuts into columns are sentences."""
    if PurePosixPath(name).suffix.lower() in _TABLE_SUFFIXES:
        return False
    filled = [line.strip() for line in lines if line.strip()]
    sentences = [line for line in filled if len(line.split()) >= _SENTENCE_WORDS]
    ended = any(line.endswith(_SENTENCE_ENDS) for line in sentences)
    return bool(sentences) and ended and len(sentences) >= _SENTENCES_SHARE * len(filled)
