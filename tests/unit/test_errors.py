"""Errors of jobs tell a business user what to do next."""

import re

import pytest

from managed_tables import errors
from managed_tables.errors import JobErrorKind

_KINDS = [value for value in vars(errors).values() if isinstance(value, JobErrorKind)]
_VERBS = (
    "Abra|Apague|Ative|Compacte|Confira|Confirme|Corrija|Divida|Envie|Escolha|Exporte|Feche|Inclua|Ponha|Salve|Tente"
    "|Tire"
)
_NEXT_STEP = re.compile(rf"[.;] (?:{_VERBS})\b", re.IGNORECASE)


@pytest.mark.parametrize("kind", _KINDS, ids=lambda kind: kind.code)
def test_a_job_error_names_the_next_step(kind: JobErrorKind) -> None:
    """After what happened comes a sentence that begins with what the person can do."""
    assert _NEXT_STEP.search(kind.sentence), kind.sentence
