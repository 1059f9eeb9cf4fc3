"""Names: what is valid in SQL, and what labels become."""

import pytest

from managed_tables.errors import ApiError
from managed_tables.identifiers import (
    MAX_IDENTIFIER_BYTES,
    is_identifier,
    make_column_names,
    suggest_table_name,
)
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.definitions import check_columns, check_texts
from managed_tables.uploads import MIME_TYPES


@pytest.mark.parametrize("name", ["produto", "_x", "a1", "user", "a" * 63])
def test_the_contracts_regex_is_accepted(name: str) -> None:
    assert is_identifier(name)


def test_labels_become_snake_case_without_accents() -> None:
    assert make_column_names(["Preço Médio (R$)", "", "2024", "id", "ID", "xmin"]) == [
        "preco_medio_r",
        "coluna_2",
        "_2024",
        "id_original",
        "id_original_2",
        "xmin_original",
    ]


def test_long_labels_stay_distinct_within_63_bytes() -> None:
    names = make_column_names(["x" * 300, "x" * 300 + "y"])
    assert len(set(names)) == 2
    assert all(len(name) <= MAX_IDENTIFIER_BYTES for name in names)


def test_a_table_name_comes_from_the_file_name_and_is_free() -> None:
    assert suggest_table_name("dir/Vendas Março.csv", {"vendas_marco"}) == "vendas_marco_2"
    assert suggest_table_name("pg_dump.csv", set()) == "tabela_pg_dump"
    assert suggest_table_name("😀.csv", set()) == "tabela"


@pytest.mark.parametrize("extension", MIME_TYPES)
def test_a_suggested_name_drops_the_extension_of_accepted_files(extension: str) -> None:
    assert suggest_table_name(f"Vendas.{extension}", set()) == "vendas"


@pytest.mark.parametrize(
    "text", [" ", "\u202e\u2066", "\u200b\u200d\ufeff", "\u3164", "\u2800\ufe0f", "\x01\x7f\x85"]
)
def test_a_label_or_a_title_that_nobody_sees_is_refused(text: str) -> None:
    column = Column(name="a", display_name=text, type=ColumnType.TEXT, nullable=True)
    with pytest.raises(ApiError) as refused:
        check_columns([column])
    assert [one["code"] for one in refused.value.details] == ["REQUIRED"]
    with pytest.raises(ApiError, match="visível"):
        check_texts(text, None)


@pytest.mark.parametrize("text", ["a", "م\u200f", "👨\u200d👩", "ㅤa", "(R$)", "数"])
def test_a_label_or_a_title_that_is_seen_is_taken(text: str) -> None:
    check_columns([Column(name="a", display_name=text, type=ColumnType.TEXT, nullable=True)])
    check_texts(text, None)
