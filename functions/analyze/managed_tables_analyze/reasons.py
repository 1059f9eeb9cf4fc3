"""The reasons of a reading: a stable code, and the sentence that a business user reads."""

from managed_tables_analyze.reading import Reason

SHEET_HIDDEN = Reason("SHEET_HIDDEN", "A aba está oculta na planilha. Se quiser importá-la, inclua-a")
SHEET_EMPTY = Reason("SHEET_EMPTY", "A aba está vazia")
SHEET_WITHOUT_ROWS = Reason("SHEET_WITHOUT_ROWS", "A aba só tem o cabeçalho, sem linhas abaixo dele")
SHEET_DIFFERS = Reason(
    "SHEET_DIFFERS", "As colunas desta aba são outras que as da primeira. Se quiser importá-la, inclua-a"
)

_DELIMITERS = {
    ",": "vírgula",
    ";": "ponto e vírgula",
    "\t": "tabulação",
    "|": "barra vertical",
    " ": "espaço",
    ":": "dois-pontos",
}


def encoding_detected(name: str) -> Reason:
    """Return which encoding the letters of the file are read by."""
    return Reason("ENCODING_DETECTED", f"As letras do arquivo foram lidas como {name}")


def delimiter_detected(delimiter: str) -> Reason:
    """Return what parts the cells of a line."""
    if not delimiter:
        return Reason("SINGLE_COLUMN", "Nada separa as células: cada linha é uma célula só")
    shown = _DELIMITERS.get(delimiter.strip(" ") or " ", f'"{delimiter}"')
    return Reason("DELIMITER_DETECTED", f"As células de uma linha são separadas por {shown}")


def header_detected(line: int | None) -> Reason:
    """Return which line names the columns."""
    if line is None:
        return Reason("NO_HEADER", "Nenhuma linha dá nome às colunas: elas foram numeradas")
    return Reason("HEADER_DETECTED", f"A linha {line} dá nome às colunas")
