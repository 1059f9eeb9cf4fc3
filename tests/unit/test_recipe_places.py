"""Where a file's columns went before, told by their labels alone."""

from typing import Any

import pytest

from managed_tables.documents.recipes import find_places

LONG = "Percentual de participação da unidade no faturamento consolidado, "
RECIPE: dict[str, Any] = {
    "tables": [{"labels": ["Produto", "Preço (R$)", "Preço", "Obs.", "#", "Qtd", "Qtd", LONG + "maio"]}],
    "columns": [
        {"source": "Produto", "name": "produto", "null_tokens": ["n/d"], "decimal_mark": ","},
        {"source": "Preço (R$)", "name": "preco"},
        {"source": "Qtd", "name": "qtd"},
        {"source": "Qtd", "name": "qtd_2"},
        {"source": LONG + "maio", "name": "parte"},
    ],
}


def names(*labels: str) -> list[str | None]:
    """Return the column that each label feeds, "-" where it is left out, None where it is new."""
    return [place and (place.name or "-") for place in find_places(RECIPE, labels)]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["PRECO  (r$)", " produto"], ["preco", "produto"]),
        (["Preço", "Obs.", "#"], ["-", "-", "-"]),
        (["Loja", "%", "Obs"], [None, None, None]),
        (["Qtd", "Qtd"], [None, None]),
        (["Qtd"], [None]),
        (["Produto", "PRODUTO"], [None, None]),
        ([LONG + "junho"], [None]),
        ([LONG + "maio"], ["parte"]),
    ],
)
def test_labels_tell_where_columns_went(labels: list[str], found: list[str | None]) -> None:
    assert names(*labels) == found


def test_what_was_chosen_holds_again_and_marks_do_not() -> None:
    [place] = find_places(RECIPE, ["Produto"])
    assert place is not None
    assert (place.choice.null_tokens, place.choice.decimal_mark) == (("n/d",), None)
    assert find_places(None, ["Produto"]) == [None]
