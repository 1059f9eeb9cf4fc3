"""Word findings in Portuguese: sentences for a business user, and the objects in answers.

A sentence says what was seen, what was done, and what the person can do. This is the only module that
words findings; `{count}`, `{lines}` and `{preview}` are the finding's own, other fields its values.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from managed_tables.conversion.units import is_currency
from managed_tables.messages.findings import Finding, GroundCode, WarningCode
from managed_tables.messages.wording import choose_form, number
from managed_tables.schema import ColumnType

_SHOWN_LINES = 5  # numbers in a sentence; `lines` has more
_SHOWN_NAMES = 10  # of sheets or columns in a sentence

# `[linha|linhas]` is worded for one or for several.
_TEXTS: dict[WarningCode | GroundCode, str] = {
    WarningCode.AMBIGUOUS_MARK: (
        'Confira: "{example}" pode ser {taken} ou {other}. {Because}, lemos {taken}. Se não for isso, troque '
        "o separador decimal desta coluna"
    ),
    WarningCode.UNGROUPED_THOUSANDS: (
        'Confira: "{example}" pode ser {taken} ou {other}. Como outras linhas têm milhares sem separador, '
        "lemos {taken}. Se não for isso, troque o separador decimal desta coluna"
    ),
    WarningCode.AMBIGUOUS_DATES: (
        'Confira: "{example}" pode ser {day} ou {other_day}. Como a coluna "{proof}" só pode estar '
        "na ordem {order}, lemos {day}. Se não for isso, troque a ordem das datas desta coluna"
    ),
    WarningCode.TWO_DIGIT_YEARS: (
        '{count} [data tem|datas têm] o ano com dois algarismos: "{example}" foi lida como {day}. Se o '
        "século for outro, escreva os anos com quatro algarismos e envie de novo"
    ),
    WarningCode.MONTHS_AS_DATES: (
        'Há meses sem o dia: "{example}" foi lido como {day}, o primeiro dia do mês. Para manter como está '
        "no arquivo, escolha o tipo texto"
    ),
    WarningCode.ZEROS_LOST: (
        "Há valores com menos algarismos que um {name} (como {example}): os zeros do começo podem ter se "
        "perdido antes do envio. Se for o caso, exporte de novo com a coluna como texto"
    ),
    WarningCode.SHORTENED_NUMBERS: (
        "{count} [valor está|valores estão] em notação científica (como {example}): se "
        "[é um código|são códigos], uma planilha já trocou os últimos algarismos por zeros. Exporte de novo "
        "com a coluna como texto"
    ),
    WarningCode.DIGITS_LOST: (
        "{count} [número tem|números têm] mais de 15 dígitos: o Excel só guarda 15, e os demais podem ter se "
        "perdido. Em códigos, formate a coluna como texto na planilha, digite-os de novo e envie outra vez"
    ),
    WarningCode.ROUNDED_NUMBERS: (
        "{count} [número foi lido|números foram lidos] com algarismos de menos ({example} como {taken}). "
        "Confira os valores com mais de 15 algarismos"
    ),
    WarningCode.MOJIBAKE: (
        '{count} [texto tem|textos têm] letras trocadas, como "{example}": [foi gravado|foram gravados] em '
        "uma codificação e [lido|lidos] em outra antes do envio. Escolha outra codificação na leitura, ou "
        "exporte o arquivo de novo em UTF-8"
    ),
    WarningCode.INVALID_UTF8: (
        "{count} [linha tem|linhas têm] acentos gravados de outro modo que o resto do arquivo ({lines}) e "
        '[foi lida|foram lidas] como texto do Windows (como "{example}"). Confira os acentos [nela|nelas]; '
        "se estiverem errados, escolha outra codificação na leitura"
    ),
    WarningCode.BYTES_LOST: (
        "{count} [linha tem|linhas têm] caracteres que não puderam ser lidos e foram trocados por \ufffd "
        "({lines}). Exporte o arquivo de novo em UTF-8"
    ),
    WarningCode.NUL_REMOVED: (
        "{count} [linha tem|linhas têm] caracteres nulos (NUL), que foram removidos ({lines}). Confira os "
        "valores [nela|nelas]"
    ),
    WarningCode.REPAIRED_ROWS: (
        "{count} [linha|linhas] com aspas ou separadores irregulares [foi lida|foram lidas] da forma mais "
        "provável ({lines}). Confira os valores [nela|nelas]"
    ),
    WarningCode.LONG_ROWS: (
        "{count} [linha tem|linhas têm] mais células que a tabela ({lines}); o excedente ficou em colunas "
        "novas. Confira se algum valor não foi cortado em dois"
    ),
    WarningCode.SHORT_ROWS: (
        "{count} [linha tem|linhas têm] menos células que a tabela ({lines}); "
        "[foi completada|foram completadas] com vazios no fim. Confira se não falta um valor no meio "
        "[dela|delas]"
    ),
    WarningCode.NAMELESS_COLUMNS: (
        "As linhas têm mais células que o cabeçalho: {count} [coluna ficou|colunas ficaram] sem nome. "
        "Confira se algum valor não foi cortado em dois, e dê um nome [à coluna|às colunas]"
    ),
    WarningCode.MATCHED_BY_POSITION: (
        "Não há cabeçalho aqui: as colunas foram tomadas pela posição, como no que veio antes. Confira se a "
        "ordem é a mesma"
    ),
    WarningCode.ERROR_CELLS: (
        "{count} [célula|células] com erro da planilha (como #DIV/0! ou #N/D) "
        "[foi lida como vazia|foram lidas como vazias]. Se o valor importa, corrija a fórmula e envie de novo"
    ),
    WarningCode.UNCACHED_FORMULAS: (
        "{count} [fórmula|fórmulas] sem valor calculado [foi lida como vazia|foram lidas como vazias]. Abra "
        "o arquivo no Excel, salve-o e envie de novo"
    ),
    WarningCode.SURROUNDING_BLANKS: (
        '{count} [texto tem|textos têm] espaços antes ou depois (como "{example}"), que foram mantidos. Para '
        "tirá-los, escolha na leitura que os espaços sejam cortados"
    ),
    WarningCode.SUBTOTAL_LINES: (
        "{count} [linha parece um total e foi importada|linhas parecem totais e foram importadas] com as "
        "demais ({lines}). Para não somar duas vezes, indique na leitura que "
        "[ela não faz|elas não fazem] parte dos dados"
    ),
    WarningCode.GROUP_LINES: (
        "{count} [linha parece o título|linhas parecem títulos] das linhas que vêm depois e "
        '[foi importada|foram importadas] como [dado|dados] ({lines}): "{preview}". Se não '
        "[é um dado|são dados], indique na leitura que [ela não faz|elas não fazem] parte da tabela"
    ),
    WarningCode.JOINED_SHEETS: (
        "As linhas de {names} foram juntadas em uma só tabela. Para saber de onde cada linha veio, peça na "
        "leitura uma coluna com o nome da aba ou do arquivo"
    ),
    WarningCode.SAME_FILE: (
        "Este mesmo arquivo já foi importado {where} em {date} (envio {job}). Se foi engano, cancele este "
        "envio; se o confirmar, ele será importado outra vez"
    ),
    WarningCode.LINES_ABOVE: (
        "{count} [linha|linhas] acima da tabela não [foi importada|foram importadas] ({lines}). Se "
        "[faz|fazem] parte dos dados, indique na leitura onde a tabela começa"
    ),
    WarningCode.FOOTER: (
        'O rodapé abaixo da tabela não foi importado: "{preview}". Se faz parte dos dados, indique na '
        "leitura onde a tabela termina"
    ),
    WarningCode.REPEATED_HEADER: (
        "{count} [linha que repete|linhas que repetem] o cabeçalho não [foi importada|foram importadas] "
        "({lines}). Não é preciso fazer nada"
    ),
    WarningCode.SECTION_LINES: (
        "{count} [linha|linhas] acima de um cabeçalho repetido não [foi importada|foram importadas] "
        '({lines}): "{preview}". Se [faz|fazem] parte dos dados, indique na leitura a última linha da '
        "tabela: todas as linhas até ela serão importadas"
    ),
    WarningCode.SEPARATOR_LINES: (
        "{count} [linha|linhas] de traços não [foi importada|foram importadas] ({lines}). Não é preciso "
        "fazer nada"
    ),
    WarningCode.COMMENT_LINES: (
        "{count} [linha de comentário, que começa|linhas de comentário, que começam] com #, não "
        "[foi importada|foram importadas] ({lines}). Se [é um dado|são dados], tire o # e envie de novo"
    ),
    WarningCode.SHEETS_LEFT_OUT: (
        "[A aba|As abas] {names} não [foi importada|foram importadas]: nem todas as colunas são as mesmas "
        "({columns}). Para [importá-la, escolha-a|importá-las, escolha-as] na leitura, ou envie em outra "
        "tabela"
    ),
    WarningCode.EMPTY_SHEETS: (
        "[A aba|As abas] {names} só [tem|têm] cabeçalho, sem linhas, e não [foi importada|foram importadas]. "
        "Se [deveria|deveriam] ter linhas, confira a planilha e envie de novo"
    ),
    WarningCode.HIDDEN_SHEETS: (
        "[A aba|As abas] {names} [está oculta|estão ocultas] e não [foi importada|foram importadas]. Para "
        "[importá-la, escolha-a|importá-las, escolha-as] na leitura, ou [reexiba-a|reexiba-as] na planilha "
        "e envie de novo"
    ),
    WarningCode.HIDDEN_ROWS: (
        "{count} [linha oculta ou filtrada foi importada|linhas ocultas ou filtradas foram importadas] com "
        "as demais. Se não [deve entrar, apague-a|devem entrar, apague-as] na planilha e envie de novo"
    ),
    WarningCode.HIDDEN_COLUMNS: (
        "[A coluna|As colunas] {names} [está oculta|estão ocultas] na planilha e "
        "[foi importada|foram importadas] com as demais. Se não [deve|devem] entrar, "
        "[tire-a|tire-as] ao confirmar"
    ),
    WarningCode.NOT_A_TABLE: (
        'O arquivo não foi importado: é um texto corrido, e não uma tabela ("{preview}"). Se tem dados, '
        "exporte-os como CSV ou XLSX e envie de novo"
    ),
    WarningCode.MERGED_FILLED: (
        "{count} [célula mesclada|células mescladas] na vertical ({names}): o valor foi repetido nas linhas "
        "de baixo. Para deixá-las vazias, desligue o preenchimento na leitura"
    ),
    WarningCode.OTHER_TABLES: (
        "{count} [outra tabela|outras tabelas] da página HTML não [foi importada|foram importadas]. Para "
        "[importá-la|importá-las], envie cada uma em um arquivo"
    ),
    WarningCode.TABLE_APART: (
        'Outra tabela não foi importada ({lines}): "{preview}". Para importá-la, indique na leitura onde ela '
        "começa e termina, ou envie-a em outro arquivo"
    ),
    WarningCode.HEADER_ASSUMED: (
        'A primeira linha ("{preview}") foi lida como cabeçalho, mas todas as colunas são de texto. '
        "Se ela já é um dado, indique na leitura que não há cabeçalho"
    ),
    WarningCode.OTHER_HEADER: (
        "O cabeçalho é diferente do primeiro (colunas a mais: {new}; a menos: {missing}), e o que falta "
        "ficou vazio. Se as colunas são as mesmas, dê a elas os mesmos nomes e envie de novo"
    ),
    WarningCode.LABELS_CUT: (
        "{count} [coluna tem um nome|colunas têm nomes] com mais de {limit} caracteres, de que só o começo "
        "foi lido. Confira e, se preciso, dê outro nome ao confirmar"
    ),
    WarningCode.REJECTED_ROWS: (
        "Este é um arquivo de linhas rejeitadas: as colunas arquivo, aba, linha e motivo, no fim dele, não "
        "foram lidas. Se elas fazem parte dos seus dados, troque o nome de uma delas e envie de novo"
    ),
    WarningCode.WRAPPED_LINES: (
        "Cada linha inteira estava entre aspas e foi lida sem elas. Confira as colunas"
    ),
    WarningCode.MORE_WARNINGS: "Há mais {count} [aviso como este|avisos como estes]",
    GroundCode.CELLS_FIT: "{fits} de {count} [é {one}|são {many}]",
    GroundCode.DATE_ORDER: "na ordem {order}",
    GroundCode.DECIMAL_MARK: "com {mark} decimal",
    GroundCode.NULL_TOKENS: "{count} sem valor (em branco, NULL, N/A, - ou ...)",
    GroundCode.ZONE_TAKEN: "horários sem fuso foram lidos no de {zone}",
    GroundCode.PERCENT: "porcentagens: 87,5% é 0,875",
    GroundCode.UNIT: "todos em {name}",
    GroundCode.WRITTEN_DIFFERENTLY: (
        "mas há números iguais escritos de modos diferentes (como {example}): são códigos, e não quantidades"
    ),
    GroundCode.BARE_EXPONENTS: "mas a letra E no meio (como {example}) mostra que são códigos",
    GroundCode.PARENTHESES: "mas os parênteses (como {example}) não parecem um sinal de menos",
    GroundCode.LEADING_ZEROS: (
        "há zeros à esquerda (como {example}), que um número perderia: ficam como texto"
    ),
    GroundCode.MIXED_UNITS: "os números têm unidades ou moedas diferentes ({names}): ficam como texto",
    GroundCode.SOME_UNITS: "só alguns números têm unidade ou moeda ({names}): ficam como texto",
    GroundCode.UNKNOWN_UNIT: "os números vêm com {names}, que não é uma unidade conhecida: ficam como texto",
    GroundCode.TIMES_OF_DAY: "são horas do dia, para as quais não há um tipo: ficam como texto",
    GroundCode.STATED: "o tipo que o próprio arquivo dá: {one}",
    GroundCode.SHEET_NAMES: "o nome da aba de que cada linha veio",
    GroundCode.FILE_NAMES: "o nome do arquivo de que cada linha veio",
    GroundCode.CODE: "mas [é um código|são códigos] ({name}), e não [uma quantidade|quantidades]",
    GroundCode.LONE_LETTERS: (
        "só uma letra do par (s/n, t/f, y/n) aparece: pode ser um sexo, um tamanho ou uma sigla"
    ),
    GroundCode.NO_VALUES: "a coluna não tem valores",
    GroundCode.NO_COMMON_TYPE: "são textos",
    GroundCode.OTHER_MARK: "o mesmo sinal pode separar milhares ou decimais",
    GroundCode.COMPACT_DATES: "todos os valores podem ser datas, no formato aaaammdd",
    GroundCode.ALL_NUMBERS: "todos os valores são números",
    GroundCode.LETTERS: "a letra pode significar sim ou não",
    GroundCode.MISFITS: "{count} [valor não é {one}|valores não são {many}]",
}

TYPE_NAMES = {
    ColumnType.TEXT: "texto",
    ColumnType.INTEGER: "número inteiro",
    ColumnType.DECIMAL: "número decimal",
    ColumnType.BOOLEAN: "sim/não",
    ColumnType.DATE: "data",
    ColumnType.DATETIME: "data com hora",
}
_MANY = {
    ColumnType.TEXT: "textos",
    ColumnType.INTEGER: "números inteiros",
    ColumnType.DECIMAL: "números decimais",
    ColumnType.BOOLEAN: "sim/não",
    ColumnType.DATE: "datas",
    ColumnType.DATETIME: "datas com hora",
}
_MARKS = {",": "vírgula", ".": "ponto"}
_ORDERS = {"dmy": "dia/mês/ano", "mdy": "mês/dia/ano", "ymd": "ano-mês-dia"}
_MONTHS = (
    "janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
    "novembro", "dezembro",
)  # fmt: skip
_BECAUSE = {
    "columns": "Como outras colunas do arquivo usam {mark} decimal",
    "days": "Como as datas do arquivo estão na ordem dia/mês/ano",
    ";": "Como o arquivo usa ponto e vírgula entre as colunas",
    ",": "Como o arquivo usa vírgula entre as colunas",
    "\t": "Como o arquivo usa tabulação entre as colunas",
    "|": "Como o arquivo usa barras entre as colunas",
    "": "Como é o costume no Brasil",
}
_CURRENCY_NAMES = {"R$": "reais"}


def write_text(finding: Finding) -> str:
    """Return the sentence of a finding."""
    text = choose_form(_TEXTS[finding.code], _number_of(finding))
    return text.format_map(_fields(finding))


def write_texts(findings: Iterable[Finding]) -> str:
    """Return findings that belong together as one line of text."""
    return ", ".join(map(write_text, findings))


def _number_of(finding: Finding) -> int | None:
    """Return how many things the sentence speaks of."""
    fits, names = finding.values.get("fits"), finding.values.get("names")
    if finding.code is GroundCode.CELLS_FIT and isinstance(fits, int):
        return fits
    return len(names) if isinstance(names, list | tuple) else finding.count


def _fields(finding: Finding) -> dict[str, str]:
    fields = {name: _word(name, value) for name, value in finding.values.items()}
    fields["count"] = "" if finding.count is None else number(finding.count)
    fields["lines"] = _name_lines(finding.lines, finding.count)
    fields["preview"] = "; ".join(finding.preview)
    fields["columns"] = _enumerate(finding.columns)
    if "type" in finding.values:
        kind = ColumnType(str(finding.values["type"]))
        fields |= {"one": TYPE_NAMES[kind], "many": _MANY[kind]}
    if "because" in finding.values:
        fields["Because"] = _reason(str(finding.values["because"])).format(mark=fields["mark"])
    return fields


def _reason(because: str) -> str:
    """Return why a mark was taken as the decimal one; delimiters without a name decide nothing."""
    if is_currency(because):
        return f"Como são valores em {_CURRENCY_NAMES.get(because, because)}"
    return _BECAUSE.get(because, _BECAUSE[""])


def _word(name: str, value: Any) -> str:
    match name:
        case "mark":
            return _MARKS[value]
        case "order":
            return _ORDERS[value]
        case "names":
            return _enumerate(value)
        case "day" | "other_day":
            return _day_in_words(value)
    return number(value) if isinstance(value, int) else str(value)


def _day_in_words(day: str) -> str:
    """Return a day (`yyyy-mm-dd`, a time may follow) as nobody can misread it."""
    year, month, number = day[:10].split("-")
    return f"{int(number)} de {_MONTHS[int(month) - 1]} de {year}"


def _enumerate(names: Sequence[str]) -> str:
    more = " e outras" if len(names) > _SHOWN_NAMES else ""
    return ", ".join(names[:_SHOWN_NAMES]) + more


def _name_lines(lines: Sequence[int], count: int | None) -> str:
    shown = ", ".join(map(str, lines[:_SHOWN_LINES]))
    more = ", …" if (count or 0) > min(len(lines), _SHOWN_LINES) else ""
    return f"linha{'s' if (count or 0) > 1 else ''} {shown}{more}"
