"""Errors tell a business user what to do next."""

import re

import pytest

from managed_tables import errors
from managed_tables.errors import ApiErrorKind, JobErrorKind

_KINDS = [value for value in vars(errors).values() if isinstance(value, JobErrorKind)]
_ANSWERS = [value for value in vars(errors).values() if isinstance(value, ApiErrorKind)]
# Statuses of valid requests that something else prevents
_IN_THE_WAY = (400, 409, 412, 413, 429, 503)
_NOTHING_TO_DO = {errors.HTTP_ERROR, errors.ORIGIN_NOT_ALLOWED, errors.NOT_UNDOABLE}
_VERBS = (
    "Abra|Apague|Ative|Compacte|Confira|Confirme|Corrija|Desfaça|Divida|Envie|Escolha|Exporte|Feche|Inclua|Leia"
    "|Peça|Ponha|Salve|Tente|Tire|Veja"
)
_NEXT_STEP = re.compile(rf"[.;] (?:{_VERBS})\b", re.IGNORECASE)


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.code)
def test_a_job_error_names_the_next_step(kind: JobErrorKind) -> None:
    """What happened is followed by a sentence or clause that starts with what the person can do."""
    assert _NEXT_STEP.search(kind.sentence), kind.sentence


@pytest.mark.parametrize("kind", _ANSWERS, ids=lambda kind: kind.code)
def test_an_error_that_refuses_a_valid_request_names_the_next_step(kind: ApiErrorKind) -> None:
    if kind.status in _IN_THE_WAY and kind not in _NOTHING_TO_DO:
        assert _NEXT_STEP.search(kind.sentence), kind.sentence


@pytest.mark.parametrize("kind", [*_KINDS, *_ANSWERS], ids=lambda kind: kind.code)
def test_sentences_avoid_technical_words(kind: ApiErrorKind | JobErrorKind) -> None:
    """Technical words are for codes; the contract's own sentence is printed unchanged."""
    sentence = re.sub(r"\{\w+\}", "", kind.sentence)
    if kind is not errors.JOB_NOT_FOUND:
        words = r"\b(?:job|sheet|sort|where|body|status|indexes|per_page|permission|PostgreSQL)\b"
        assert not re.search(words, sentence), sentence
