"""Cases of JSON: lists of objects, and an object a line."""

import gzip
from collections.abc import Iterator

import xlsx_writing as x
from case import Case, case

LINES = '{"id": 1, "nome": "Ana"}\n{"nome": "Bia", "id": 2}\n'
LIST = '[{"id": 1, "nome": "Ana"}, {"nome": "Bia", "id": 2}]'
COLUMNS = "id_original:integer nome:text"
ROWS = "1|Ana\n2|Bia"


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    known = {"labels": ["id", "nome"]}
    yield case("json/lines.jsonl", LINES, "an object a line", COLUMNS, ROWS, **known, lines=[1, 2])
    yield case("json/list.JSON", LIST, "a list", COLUMNS, ROWS, **known, lines=[1, 2])
    yield case("json/mark.JSON", "\ufeff" + LIST, "a byte order mark", COLUMNS, ROWS, **known)
    yield case("json/wide.JSON", LIST.encode("utf-16"), "UTF-16", COLUMNS, ROWS, **known)
    packed = gzip.compress(LINES.encode(), mtime=0)
    yield case("json/lines.jsonl.gz", packed, "gzipped", COLUMNS, ROWS, **known)
    yield case(
        "json/in.zip",
        x.zipped({"1.json": LIST, "2.jsonl.gz": packed}),
        "in a ZIP",
        COLUMNS,
        f"{ROWS}\n{ROWS}",
        **known,
    )
    yield case(
        "json/values.JSON",
        '[{"n": 12345678901234567890.12345678901234567890, "b": true, "i": 9007199254740993, "x": {"y":\n  [1.10]}},\n'
        ' {"n": 1.5e3, "b": false, "i": -0, "x": []}, {"z": "1.500", "n": null}, {"z": "abc"}]',
        "numbers with every digit, nested values as their JSON, fields that come late",
        "n:decimal? b:boolean? i:integer? x:text? z:text?",
        [
            ["12345678901234567890.1234567890123456789", "true", "9007199254740993", '{"y": [1.10]}', None],
            ["1500", "false", "0", "[]", None],
            [None, None, None, None, "1.500"],
            [None, None, None, None, "abc"],
        ],
    )
    for name, text, why, message in (
        ("numbers.JSON", "[1, 2]", "no objects", "linha 1 não tem um registro"),
        ("broken.jsonl", '{"a": 1}\n{"a": 2\n', "an object that ends too early", "não é um JSON válido"),
        ("comma.JSON", '[{"a": 1} {"a": 2}]', "a comma is missing", "linha 1 não é um JSON válido"),
        ("beyond.JSON", '[{"a": 1}]\n[]', "something after the list", "linha 2 não é um JSON válido"),
        ("twice.JSON", '[{"a": 1, "a": 2}]', "a field twice", "linha 1 tem um campo duas vezes"),
    ):
        yield case(f"json/{name}", text, why, error="FILE_NOT_TABULAR", message=message)
    yield case("json/empty.JSON", "[]", "no object", error="FILE_EMPTY")
