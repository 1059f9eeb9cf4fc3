"""Labels that are gone, and those that they may have become."""

import pytest

from managed_tables.identifiers import fold_label
from managed_tables_analyze.renamed_labels import MAX_COMPARED, Label, compare_labels

SURE = 0.8


def likeness(one: str, other: str) -> float:
    return Label(fold_label(one)).likeness(Label(fold_label(other)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Vlr. Total", "Valor Total (R$)"),
        ("Qtde", "Quantidade"),
        ("Dt. Nasc.", "Data de Nascimento"),
        ("DN", "Data de Nascimento"),
        ("Cód_Município", "CODIGO DO MUNICIPIO"),
        ("Obsevação", "Observação"),
    ],
)
def test_abbreviations_and_slips_are_alike_either_way(one: str, other: str) -> None:
    assert likeness(one, other) >= SURE
    assert likeness(other, one) >= SURE


@pytest.mark.parametrize(
    ("one", "other"),
    [("Valor Total", "Data Total"), ("Cidade", "Código"), ("P1", "P2"), ("%", "R$"), ("", "Valor")],
)
def test_other_labels_are_not(one: str, other: str) -> None:
    assert likeness(one, other) < SURE


def test_labels_of_surveys_are_compared_with_few_others_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparisons grow with the labels, also where all share their words and first letters."""
    counts: list[int] = []
    compare = Label.likeness

    def counting(self: Label, other: Label) -> float:
        counts[-1] += 1
        return compare(self, other)

    monkeypatch.setattr(Label, "likeness", counting)
    question = "Em uma escala de 1 a 5, quanto você concorda com a afirmação {} sobre o atendimento em {}?"
    for size in (375, 1_500):
        counts.append(0)
        before = [fold_label(question.format(f"n{number}", 2025)) for number in range(size)]
        after = [fold_label(question.format(f"n{number}", 2026)) for number in reversed(range(size))]
        pairs = list(compare_labels(before, after, {number: number for number in range(size)}))
        assert counts[-1] == len(pairs) <= size * (2 * MAX_COMPARED + 1)
        best = {old: max(pairs, key=lambda pair: (pair[1] == old, pair[0]))[2] for old in (0, 7, size - 1)}
        assert best == {old: size - 1 - old for old in best}
    assert counts[1] <= counts[0] * 4.1
