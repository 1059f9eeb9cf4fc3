"""Answer in the language that a request prefers: sentences are made in Portuguese, and said in English."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from starlette.datastructures import MutableHeaders

from managed_tables.documents.document import Document, saying
from managed_tables.messages.english import in_english

HEADER = "Accept-Language"
_RANGE = re.compile(
    r"\s*+(?P<language>[a-z]++|\*)(?:-[a-z\d-]*+)?\s*+(?:;\s*+q=(?P<quality>0(?:\.\d*+)?|1(?:\.0*+)?)\s*+)?"
)


class Language:
    """The language of an answer, and whether the answer has a sentence at all."""

    def __init__(self, accepted: str) -> None:
        self.name = "en" if _prefers_english(accepted) else "pt-BR"
        self._has_spoken = False

    def say(self, sentence: str) -> str:
        """Return a Portuguese sentence as it is to be answered."""
        self._has_spoken = True
        return in_english(sentence) if self.name == "en" else sentence

    def mark(self, headers: MutableHeaders) -> None:
        """Say in an answer's headers that it depends on the request's; one without a sentence does not."""
        if self._has_spoken:
            headers["Content-Language"] = self.name
            headers.add_vary_header(HEADER)


_current: ContextVar[Language | None] = ContextVar("language", default=None)


@contextmanager
def answering(accepted: str) -> Iterator[Language]:
    """Have the answer to a request in the language that it prefers; calls within it have the same."""
    language = _current.get() or Language(accepted)
    token = _current.set(language)
    try:
        yield language
    finally:
        _current.reset(token)


def say(sentence: str) -> str:
    """Return a Portuguese sentence in the language of this request."""
    language = _current.get()
    return language.say(sentence) if language else sentence


@contextmanager
def spoken() -> Iterator[None]:
    """Write the sentences of documents in the language of this request; what is stored stays Portuguese."""
    token = saying.set(say)
    try:
        yield
    finally:
        saying.reset(token)


def as_json(content: Any) -> Any:
    """Return what a route has made as JSON: a document as its object, in the language of this request."""
    with spoken():
        return content.as_json() if isinstance(content, Document) else content


def _prefers_english(accepted: str) -> bool:
    """Return whether English is preferred to Portuguese, for which `*` stands, too (RFC 9110, 12.5.4)."""
    ranges = [matched for text in accepted.lower().split(",") if (matched := _RANGE.fullmatch(text))]
    qualities = dict(sorted((each["language"], float(each["quality"] or 1)) for each in ranges))
    return qualities.get("en", 0) > qualities.get("pt", qualities.get("*", 0))
