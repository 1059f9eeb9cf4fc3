"""Errors of jobs tell a business user what to do next."""

import re

import pytest

from managed_tables import errors
from managed_tables.errors import ApiErrorKind, JobErrorKind

_KINDS = [value for value in vars(errors).values() if isinstance(value, JobErrorKind)]
_ANSWERS = [value for value in vars(errors).values() if isinstance(value, ApiErrorKind)]
# What a person meets where the request was well made: something else is in the way.
_IN_THE_WAY = (400, 409, 412, 413, 429, 503)
_NOTHING_TO_DO = {errors.HTTP_ERROR, errors.ORIGIN_NOT_ALLOWED, errors.NOT_UNDOABLE}
_VERBS = (
    "Abra|Apague|Ative|Compacte|Confira|Confirme|Corrija|Desfaça|Divida|Envie|Escolha|Exporte|Feche|Inclua|Leia"
    "|Peça|Ponha|Salve|Tente|Tire|Veja"
)
_NEXT_STEP = re.compile(rf"[.;] (?:{_VERBS})\b", re.IGNORECASE)


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.code)
def test_a_job_error_names_the_next_step(kind: JobErrorKind) -> None:
    """After what happened comes a sentence that begins with what the person can do."""
    assert _NEXT_STEP.search(kind.sentence), kind.sentence


@pytest.mark.parametrize("kind", _ANSWERS, ids=lambda kind: kind.code)
def test_an_answer_that_refuses_a_well_made_request_names_the_next_step(kind: ApiErrorKind) -> None:
    if kind.status in _IN_THE_WAY and kind not in _NOTHING_TO_DO:
        assert _NEXT_STEP.search(kind.sentence), kind.sentence


@pytest.mark.parametrize("kind", [*_KINDS, *_ANSWERS], ids=lambda kind: kind.code)
def test_sentences_speak_to_people(kind: ApiErrorKind | JobErrorKind) -> None:
    """Words of engineers are left to codes; the contract's own sentence is printed as it stands."""
    if kind is not errors.JOB_NOT_FOUND:
        assert not re.search(r"\b(?:job|sheet|sort|where|body|PostgreSQL)\b", kind.sentence), kind.sentence
