"""The English of every sentence, and which language a request asks for."""

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from managed_tables import errors
from managed_tables.documents.recipes import DifferenceCode, ProofCode, RefutationCode
from managed_tables.messages.findings import WARNING_CODES, GroundCode
from managed_tables.messages.sentences import in_english
from managed_tables.wording import catalogue, choose_form
from managed_tables_analyze.inference.signs import CODE_WORDS
from managed_tables_api.http.answers import Reader

ROOT = Path(__file__).resolve().parents[2]
CODED, OTHERS = catalogue()["coded"], catalogue()["others"]
CATALOGUE = {one["pt"]: one["en"] for one in CODED.values()} | OTHERS
_HOLE = re.compile(r"\{(\w*)(?::(\w+))?\}")
_PORTUGUESE = re.compile(
    r"[à-öø-üÀ-ÖØ-Ü]|(?:^|(?<= ))(?:arquivos?|com|como|da|dados|das|de|demais|desconhecid[ao]|deve|dos|em"
    r"|falta|linhas?|malformado|mesm[ao]|na|nest[ae]|os|ou|outr[ao]s|para|parte|por|que|repetid[ao]|sem|tabelas?"
    r"|tem|tod[ao]s|uma?|vazio|vezes)(?=[ ;,.]|$)"
)
# By what files are read, and documentation: Portuguese, and no sentence of an answer.
_VOCABULARY = re.compile(
    r"layout/|(code_pages|conversion/times|signs|evidence|workbooks/formats|rows/sums|renamed_labels|told_rows|analyze/cli|api/openapi)\.py"
)
_DOCUMENTED = ("description", "json_schema_extra", "examples", "help", "title")
_NOT_ANSWERED = re.compile(
    "#núm!$|(na|nã|pç)$|Condições,|JWT com|Onde e por|Quantos são|Versão da linha,"
    "|(arquivo|linha|não|os|sim|tabela|vazio| e outras)$"  # vazio: among the values of a key, which are data
)
# Of values alone, or a sentence of which a value makes another one.
_PROOFS = (*get_args(ProofCode), *get_args(RefutationCode))
_MADE_OF_VALUES = re.compile(
    r'(corpo|display_name|mode|name|\{\})( \("\{\}"\))?:? \{\}|\{\}/\{\}/\{\}|.* \(como \{\} e \{\}\): .*'
    r"|O ZIP .*: \{\} \(\{\}\)\. .*"
)
_SAID = {
    "n": ("1.234,5", "1,234.5"),
    "s": ("número inteiro", "integer"),
    "l": ("texto, data", "text, date"),
    **dict.fromkeys("dw", ("10", "10")),
}
_DATA = st.lists(st.sampled_from(["Não há", "um texto", ": ", ", ", '"', " (", ") ", "{x}", "[a|b]", "\n"]))


def test_every_sentence_has_its_english_and_no_english_is_left_over() -> None:
    """They are looked for in the source: texts with Portuguese words, without those of documentation."""
    known = {_HOLE.sub("{}", portuguese) for portuguese in CATALOGUE}
    made, texts = set(), set()
    for path in (*ROOT.glob("functions/*/*/**/*.py"), *ROOT.glob("layers/**/*.py")):
        found = set(_texts(ast.parse(path.read_text("utf-8"))))
        texts |= found
        if not _VOCABULARY.search(str(path)):
            made |= {text for text in found if _PORTUGUESE.search(text)}
    assert {text for text in made - known if not _NOT_ANSWERED.match(text)} == set()
    others = {_HOLE.sub("{}", portuguese) for portuguese in OTHERS} - texts - {*CODE_WORDS.values()}
    assert {text for text in others if not _MADE_OF_VALUES.fullmatch(text)} == set()
    kinds = {one.named or one.code for one in vars(errors).values() if isinstance(one, errors.ErrorKind)}
    assert set(CODED) == {*WARNING_CODES, *get_args(GroundCode), *get_args(DifferenceCode), *_PROOFS, *kinds}


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a module, `{}` for what they name."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Expr(ast.Constant()):
                pass
            case ast.keyword(arg) if arg in _DOCUMENTED:
                pass
            case ast.Call(ast.Name("counted"), [_, ast.Constant(one), ast.Constant(many)]):
                yield f"{{}} [{one!s}|{many!s}]"
            case ast.Dict(keys, values):
                pairs = ((getattr(key, "value", ""), value) for key, value in zip(keys, values, strict=True))
                yield from _texts(ast.List([value for key, value in pairs if key not in _DOCUMENTED]))
            case ast.Constant(str(text)):
                yield _HOLE.sub("{}", text)
            case ast.JoinedStr(parts):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts)
                yield from _texts(ast.List([part for part in parts if isinstance(part, ast.FormattedValue)]))
            case _:
                yield from _texts(node)


def _made_and_said(portuguese: str, count: int, data: str) -> tuple[str, str]:
    """Return the sentence with values in its holes, and its English."""
    texts = choose_form(portuguese, count), choose_form(CATALOGUE[portuguese], count)
    values = {name: _SAID.get(kind, (data, data)) for name, kind in _HOLE.findall(texts[1])}
    made, said = (_HOLE.sub(lambda hole: values[hole[1]][n], text) for n, text in enumerate(texts))  # noqa: B023
    return made, said


def test_each_sentence_is_found_again_with_its_values() -> None:
    for portuguese, count in product(CATALOGUE, (1, 2)):
        made, said = _made_and_said(portuguese, count, "texto [a|b] {x}")
        assert in_english(made) == said


@given(st.sampled_from(list(CATALOGUE)), _DATA)
def test_what_a_user_wrote_stays(portuguese: str, data: list[str]) -> None:
    """A sentence that can be cut in two ways is left in Portuguese."""
    made, said = _made_and_said(portuguese, 2, "".join(data))
    assert in_english(made) in (made, said)


@pytest.mark.parametrize(
    ("portuguese", "said"),
    [
        (
            "2 de 1.234 são datas, na ordem dia/mês/ano; todos em kg",
            "2 of 1,234 are of type date, in the order day/month/year; all in kg",
        ),
        (
            "Envio inválido: a: b: c: deve ser uma lista com ao menos um item",
            "Invalid upload: a: b: c: must be a list with at least one item",
        ),
        *(
            (text, text)
            for text in ("de outra versão", ": " * 5_000, '"" não veio, e "' * 500, "a, " * 5_000)
        ),
    ],
)
def test_lists_and_sentences_in_sentences_are_said_and_the_unknown_stays(portuguese: str, said: str) -> None:
    assert in_english(portuguese) == said


@pytest.mark.parametrize("accepted", ["en", "en-US,en;q=0.9,pt;q=0.8", "fr, EN-gb; q=0.5", "en, *;q=0.5"])
def test_english_is_spoken_to_whoever_prefers_it(accepted: str) -> None:
    assert Reader(accepted).language == "en"


@pytest.mark.parametrize(
    "accepted", ["", "*", "de", "pt-BR,pt;q=0.9,en;q=0.8", "en;q=0.5, *", "en;q=0", "en;q=x", "a" * 50_000]
)
def test_portuguese_is_spoken_to_all_others(accepted: str) -> None:
    assert Reader(accepted).language == "pt-BR"
