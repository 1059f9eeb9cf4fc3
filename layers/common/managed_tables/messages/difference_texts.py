"""Word in Portuguese how a file differs from what its table remembers."""

from typing import Any

from managed_tables.messages.wording import choose_form

_TEXTS: dict[str, str] = {
    "HEADER_MOVED": "O cabeçalho estava na linha {before} e agora está na linha {after}; ele foi seguido",
    "COLUMNS_REORDERED": "As colunas vieram em outra ordem; cada uma foi para onde ia antes",
    "ENCODING_CHANGED": "As letras agora são gravadas de outro modo (outra codificação); foram lidas assim",
    "DELIMITER_CHANGED": "As células agora são separadas por {after}, e não por {before}; foram lidas assim",
    "SHEET_RENAMED": 'A aba "{before}" agora se chama "{after}"; ela foi lida no lugar da outra',
    "COLUMN_NEW": 'A coluna "{after}" é nova neste arquivo (como {example}). Escolha se ela entra na tabela',
    "COLUMN_MISSING": (
        'A coluna "{before}", que preenchia {column}, não veio neste arquivo. Sem ela, {column} fica vazia'
    ),
    "COLUMN_RENAMED": (
        'A coluna "{before}" não veio, e "{after}" parece ser ela com outro nome (como {example}). Confirme '
        "se ela preenche {column}"
    ),
    "VALUES_CHANGED": "Os valores de {column} estão longe dos que a tabela tem: {what}. Confira",
    "ROWS_CHANGED": (
        "O arquivo tem {after} linhas, e os anteriores tinham de {least} a {most}. Confira se é ele mesmo"
    ),
    "MARK_CHANGED": (
        'Em {column}, o separador decimal era "{before}" e agora é "{after}" (como {example}). Confira antes '
        "de importar"
    ),
    "DATE_ORDER_CHANGED": (
        "Em {column}, as datas vinham na ordem {before} e agora vêm na ordem {after} (como {example}). "
        "Confira antes de importar"
    ),
    "TYPE_CHANGED": (
        "{column} recebe {before}, e {count} [valor deste arquivo não é|valores deste arquivo não são] isso "
        "(como {example}). Corrija o arquivo, ou escolha outra coluna"
    ),
    "REQUIRED_MISSING": (
        'A tabela exige {column}, e nenhuma coluna deste arquivo a preenche (antes era "{before}"). Indique '
        "qual, ou envie o arquivo com ela"
    ),
}
_EXAMPLE_CHARACTERS = 60
_NOTHING = "nada"
_WORDS = {
    "dmy": "dia/mês/ano",
    "mdy": "mês/dia/ano",
    "ymd": "ano-mês-dia",
    ",": "vírgula",
    ";": "ponto e vírgula",
    "\t": "tabulação",
    "|": "barra vertical",
    " ": "espaço",
}
_WORDED = ("DELIMITER_CHANGED", "DATE_ORDER_CHANGED")  # before and after are signs, not what people say


def word_difference(code: str, **values: Any) -> str:
    """Return the sentence; `values` are what it names, a missing example is worded as an empty cell."""
    shown = {name: _NOTHING if value in (None, "") else value for name, value in values.items()}
    if code in _WORDED:
        shown |= {name: _WORDS.get(shown[name], shown[name]) for name in ("before", "after")}
    example = values.get("example")
    shown["example"] = f'"{str(example)[:_EXAMPLE_CHARACTERS]}"' if example else "uma célula vazia"
    return choose_form(_TEXTS[code], values.get("count")).format_map(shown)
