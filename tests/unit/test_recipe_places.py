"""Where a file's columns went before, told by their labels alone."""

import pytest

from managed_tables.documents.recipes import LoadRecipe, RecipeColumn, RecipeTable, find_former_columns

LONG = "Percentual de participação da unidade no faturamento consolidado, "
LABELS = ["Produto", "Preço (R$)", "Preço", "Obs.", "#", "Qtd", "Qtd", LONG + "maio"]
RECIPE = LoadRecipe.model_construct(
    tables=[RecipeTable.model_construct(labels=LABELS)],
    columns=[
        RecipeColumn(source="Produto", name="produto", null_tokens=("n/d",), decimal_mark=","),
        RecipeColumn(source="Preço (R$)", name="preco"),
        RecipeColumn(source="Qtd", name="qtd"),
        RecipeColumn(source="Qtd", name="qtd_2"),
        RecipeColumn(source=LONG + "maio", name="parte"),
    ],
)


def names(*labels: str) -> list[str | None]:
    """Return the column that each label feeds, "-" where it is left out, None where it is new."""
    return [one and (one.name or "-") for one in find_former_columns(RECIPE, labels)]


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        (["PRECO  (r$)", " produto"], ["preco", "produto"]),
        (["Preço", "Obs.", "#"], ["-", "-", "-"]),
        (["Loja", "%", "Obs"], [None, None, None]),
        (["Qtd", "Produto", "QTD"], ["qtd", "produto", "qtd_2"]),
        (["Qtd"], [None]),
        (["Produto", "PRODUTO"], [None, None]),
        ([LONG + "junho"], [None]),
        ([LONG + "maio"], ["parte"]),
    ],
)
def test_labels_tell_where_columns_went(labels: list[str], found: list[str | None]) -> None:
    assert names(*labels) == found


def test_what_was_chosen_holds_again_and_marks_do_not() -> None:
    [found] = find_former_columns(RECIPE, ["Produto"])
    assert found is not None
    assert (found.choice.null_tokens, found.choice.decimal_mark) == (("n/d",), None)
    assert find_former_columns(None, ["Produto"]) == [None]
