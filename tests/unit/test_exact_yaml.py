"""YAML is read as the JSON that it stands for, and what goes beyond JSON is refused by its line."""

from decimal import Decimal

import pytest

from managed_tables_api.http.exact_yaml import InvalidYaml, loads


def test_values_are_those_of_json() -> None:
    """Blocks, flows and quotes; numbers are exact."""
    text = "a: [1, 1.50, -2e3, true, null, ~]\nb:\n  - c: 'x'\n    d: \"y\\n\"\n  - |\n    z\ne:\nf: {}\n"
    assert loads(text.encode()) == {
        "a": [1, Decimal("1.50"), Decimal("-2E+3"), True, None, None],
        "b": [{"c": "x", "d": "y\n"}, "z\n"],
        "e": None,
        "f": {},
    }


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "on",
        "1.0.0",
        "v3.1.0",
        "2026-01-31",
        "12:30",
        "010",
        "0x1F",
        "1_000",
        ".5",
        "+1",
        "'1'",
        '"true"',
    ],
)
def test_a_scalar_that_json_does_not_know_is_a_text(text: str) -> None:
    """What other readers make a date, a Boolean or a number of base 60 of stays as it is written."""
    assert loads(f"a: {text}".encode()) == {"a": text.strip("'\"")}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: !!python/object/apply:os.system [x]", "tags (!) não são aceitas na linha 1, coluna 4"),
        ("a: !!str 1", "tags (!) não são aceitas na linha 1, coluna 4"),
        ("!x : 1", "tags (!) não são aceitas na linha 1, coluna 1"),
        ("a: &x [1]\nb: [*x, *x]", "âncoras e referências (& e *) não são aceitas na linha 1, coluna 4"),
        ("--- {}\n--- {}", "o texto tem mais de um documento na linha 2, coluna 1"),
        ("a: 1\na: 2", "a mesma chave aparece duas vezes na linha 2, coluna 1"),
        ("? [1]\n: 2", "uma chave deve ser um texto na linha 1, coluna 3"),
        ("{a: " * 70 + "1" + "}" * 70, "aninhamento profundo demais na linha 1, coluna 261"),
        ("[" * 100_000, "YAML malformado na linha 1, coluna 1001"),
        ("a: b: c", "YAML malformado na linha 1, coluna 5"),
        ('a: "\\uD800"', "YAML malformado na linha 1, coluna 7"),
        ("a: \0", "o YAML contém um caractere inválido"),
    ],
    ids=lambda one: one[:20],
)  # fmt: skip
def test_what_goes_beyond_json_is_refused_by_its_place(text: str, reason: str) -> None:
    with pytest.raises(InvalidYaml) as refused:
        loads(text.encode())
    assert str(refused.value) == reason


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    with pytest.raises(InvalidYaml, match="byte 3"):
        loads(b"a: \xff")
