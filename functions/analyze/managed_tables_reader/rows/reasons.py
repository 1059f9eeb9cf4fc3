"""How a table was read, and the reasons: a stable code, and the sentence that a business user reads."""

from managed_tables.documents.analyses import ReadingReason, TableReading
from managed_tables.documents.recipes import TableKind
from managed_tables.messages.findings import ReasonCode
from managed_tables.wording import DELIMITER_NAMES
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.reading import Overrides


def _reason(code: ReasonCode, text: str) -> ReadingReason:
    return ReadingReason(code=code, text=text)


SHEET_HIDDEN = _reason("SHEET_HIDDEN", "A aba está oculta na planilha. Se quiser importá-la, inclua-a")
EXCLUDED = _reason("EXCLUDED", "Você deixou esta parte fora da importação")
PROSE = _reason("PROSE", "É um texto corrido, e não uma tabela. Se quiser importá-lo, inclua-o")
SHEET_EMPTY = _reason("SHEET_EMPTY", "A aba está vazia")
SHEET_WITHOUT_ROWS = _reason("SHEET_WITHOUT_ROWS", "A aba só tem o cabeçalho, sem linhas abaixo dele")
SHEET_DIFFERS = _reason(
    "SHEET_DIFFERS", "As colunas desta aba são outras que as da primeira. Se quiser importá-la, inclua-a"
)
OF_RECORDS = _reason("HEADER_DETECTED", "Os nomes dos campos do arquivo dão nome às colunas")

_FIELDS = {
    "include": "se é importada",
    "encoding": "codificação",
    "delimiter": "separador",
    "quote": "aspas",
    "header_line": "linha do cabeçalho",
    "header_lines": "linhas do cabeçalho",
    "first_line": "primeira linha dos dados",
    "last_line": "última linha dos dados",
    "skip_lines": "linhas ignoradas",
    "fill_merged": "células mescladas",
    "trim": "espaços nas pontas",
}
_ENCODINGS = {
    "utf-8": "a maioria dos programas (UTF-8)",
    "cp1252": "o Windows em português (Windows-1252)",
    "cp850": "o DOS (código 850)",
    "mac_roman": "o Mac OS antigo (Mac Roman)",
    "utf-16-le": "o Excel em “Texto Unicode” (UTF-16)",
    "utf-16-be": "o Excel em “Texto Unicode” (UTF-16)",
}


def reading_of(
    part: Part, name: str, kind: TableKind, why: list[ReadingReason], **cut: str | None
) -> TableReading:
    """Return how a part was read from the file of this name; `cut` says how a text was cut."""
    place = {"file": part.file, "sheet": part.sheet, "include": True, "kind": kind, "name": name}
    uncut = dict.fromkeys(("encoding", "delimiter", "quote", "escape"))
    return TableReading.read(place | uncut | cut | part.places | {"reasons": why})


def of_text(
    encoding: str, delimiter: str, header_line: int | None, overrides: Overrides
) -> list[ReadingReason]:
    """Return why a text file was read as it was: what was detected, and what was stated."""
    letters = f"As letras do arquivo foram lidas como as que {_ENCODINGS.get(encoding, encoding)} grava"
    detected = {"encoding": _reason("ENCODING_DETECTED", letters), "delimiter": _of_delimiter(delimiter)}
    reasons = [reason for name, reason in detected.items() if name not in overrides.stated]
    return [*reasons, *of_header(header_line, overrides)]


def _of_delimiter(delimiter: str) -> ReadingReason:
    if not delimiter:
        return _reason("SINGLE_COLUMN", "Nada separa as células: cada linha é uma célula só")
    shown = DELIMITER_NAMES.get(delimiter.strip(" ") or " ", f'"{delimiter}"')
    return _reason("DELIMITER_DETECTED", f"As células de uma linha são separadas por {shown}")


def of_header(line: int | None, overrides: Overrides) -> list[ReadingReason]:
    """Return why the header is where it is, and which parts of the table were stated."""
    detected = _reason("HEADER_DETECTED", f"A linha {line} dá nome às colunas")
    if line is None:
        detected = _reason("NO_HEADER", "Nenhuma linha dá nome às colunas: elas foram numeradas")
    reasons = [] if "header_line" in overrides.stated else [detected]
    fields = ", ".join(text for name, text in _FIELDS.items() if name in overrides.stated)
    return [*reasons, _reason("STATED", f"Definido por você: {fields}")] if fields else reasons
