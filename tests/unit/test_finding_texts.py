"""Findings are data; their sentences for business users are written in one place."""

import re
from typing import get_args

import pytest

from managed_tables.documents.analyses import MAX_WARNINGS_BYTES, FileWarning, listed_warnings
from managed_tables.messages.findings import WARNING_CODES, Finding, GroundCode, WarningCode, about_lines
from managed_tables.messages.sentences import word_difference, write_text
from managed_tables.schema import ColumnType
from managed_tables.wording import choose_sentence

_VALUES = {
    "example": "1.500",
    "limit": 500,
    "taken": "1500",
    "other": "1,5",
    "mark": ",",
    "order": "dmy",
    "because": ";",
    "name": "CPF",
    "what": "totais e grupos",
    "names": ["Capa", "Notas"],
    "new": 1,
    "missing": 2,
    "fits": 3,
    "type": ColumnType.DATE,
    "zone": "America/Sao_Paulo",
    "day": "2024-02-01",
    "other_day": "2024-01-02",
    "proof": "envio",
    "where": "nesta tabela",
    "why": "a exportação já não está guardada, ou é de outra tabela",
    "date": "25/11/2026",
    "job": "0" * 24,
}


@pytest.mark.parametrize(
    ("because", "reason"),
    [
        ("R$", "Como são valores em reais"),
        ("US$", "Como são valores em US$"),
        (";", "Como o arquivo usa ponto e vírgula entre as colunas"),
        ("columns", "Como outras colunas do arquivo usam vírgula decimal"),
        ("^", "Como é o costume no Brasil"),
    ],
)
def test_the_reason_for_a_decimal_mark_is_what_decided_it(because: str, reason: str) -> None:
    assert f" {reason}, lemos 1500." in write_text(Finding("AMBIGUOUS_MARK", _VALUES | {"because": because}))


@pytest.mark.parametrize("code", [*WARNING_CODES, *get_args(GroundCode)])
@pytest.mark.parametrize("count", [1, 1_234])
def test_every_code_has_a_sentence_for_one_and_for_many(code: WarningCode, count: int) -> None:
    """It has no template syntax left in it, and no technical English words."""
    text = write_text(Finding(code, _VALUES, count, lines=(4, 9), preview=("Total 10",)))
    assert text
    assert not re.search(r"[{}|]", text)
    assert not re.search(r"\b(?:sheet|workbook|parse|NULL byte|encoding)\b", text)


def test_a_warning_says_what_was_seen_what_was_done_and_what_to_do() -> None:
    text = write_text(Finding("AMBIGUOUS_MARK", _VALUES))
    assert text == (
        'Confira: "1.500" pode ser 1500 ou 1,5. Como o arquivo usa ponto e vírgula entre as colunas, lemos '
        "1500. Se não for isso, troque o separador decimal desta coluna"
    )


def test_a_required_column_names_what_fed_it_where_something_did() -> None:
    """Nothing is said of before where no file fed it."""
    fed, unfed = (word_difference("REQUIRED_MISSING", column="dia", before=one) for one in ("Data", None))
    assert '(antes era "Data")' in fed
    assert unfed.startswith("A tabela exige dia, e nenhuma coluna deste arquivo a preenche. Indique")


def test_one_value_that_does_not_fit_is_one() -> None:
    one, many = (choose_sentence("VALUES_DO_NOT_FIT", count) for count in (1, 2))
    assert one.startswith("{count} valor não cabe em")
    assert many.startswith("{count} valores não cabem em")


def test_a_warning_has_the_keys_that_apply() -> None:
    finding = about_lines("SHORT_ROWS", list(range(1, 31))).at("a.csv")
    warning = FileWarning.of(finding).as_json()
    assert {key: warning[key] for key in warning if key != "text"} == {
        "code": "SHORT_ROWS",
        "may_change_a_value": True,
        "file": "a.csv",
        "lines": list(range(1, 21)),
        "count": 30,
    }
    assert "30 linhas têm menos células" in warning["text"]
    assert "linhas 1, 2, 3, 4, 5, …" in warning["text"]


def test_text_from_the_file_is_not_read_as_template_syntax() -> None:
    finding = Finding("FOOTER", preview=("[a|b] {count}",))
    assert "[a|b] {count}" in write_text(finding)


def test_warnings_that_may_change_a_value_come_first() -> None:
    found = listed_warnings([Finding("FOOTER"), Finding("LINES_ABOVE"), Finding("NUL_REMOVED")])
    assert [warning.code for warning in found] == ["NUL_REMOVED", "FOOTER", "LINES_ABOVE"]


def test_warnings_beyond_the_size_limit_are_counted() -> None:
    found = [Finding("FOOTER", preview=("x" * 1_000,))] * (MAX_WARNINGS_BYTES // 1_000)
    listed = listed_warnings(found)
    assert listed[-1].as_json() == {
        "code": "MORE_WARNINGS",
        "text": f"Há mais {len(found) - len(listed) + 1} avisos como estes",
        "count": len(found) - len(listed) + 1,
    }
