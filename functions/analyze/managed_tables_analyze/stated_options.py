"""Turn the options of a command line into overrides for every table."""

import argparse
import codecs
from dataclasses import dataclass, field, replace

from managed_tables_reader.rows.reading import UNSTATED, AllOverrides, Overrides, Unstated

_SIGNS = {"tab": "\t", "\\t": "\t", "espaço": " ", "nenhum": ""}


@dataclass(frozen=True)
class SameOverrides(AllOverrides):
    """What is stated about every file and sheet alike or, if a sheet is named, about that one alone."""

    table: Overrides = field(default_factory=lambda: Overrides(0))

    def of(self, file: int, sheet: str | None = None) -> Overrides:
        """Return the statement about one file or sheet."""
        if sheet is None or self.table.sheet is None:
            return replace(self.table, file=file, sheet=sheet)
        if sheet == self.table.sheet:
            return replace(self.table, file=file, include=True)
        return Overrides(file, sheet, include=False)


def add_stated_options(parser: argparse.ArgumentParser) -> None:
    """Add the options by which a person states what is known about a file."""
    stated = parser.add_argument_group("o que já se sabe do arquivo")
    stated.add_argument("--delimiter", metavar="SINAL", help="separador das colunas; tab, espaço ou nenhum")
    stated.add_argument(
        "--encoding", type=_encoding, metavar="NOME", help="codificação, como utf-8 ou cp1252"
    )
    stated.add_argument(
        "--header-line", type=_line, metavar="LINHA", help="linha do cabeçalho; 0 se não há nenhum"
    )
    stated.add_argument("--first-line", type=_line, metavar="LINHA", help="primeira linha de dados")
    stated.add_argument("--last-line", type=_line, metavar="LINHA", help="última linha de dados")
    stated.add_argument("--sheet", metavar="ABA", help="a aba a ler, e nenhuma outra")


def overrides_of(options: argparse.Namespace) -> SameOverrides:
    """Return what the options state."""
    header: int | Unstated | None = UNSTATED if options.header_line is None else options.header_line or None
    delimiter = options.delimiter
    return SameOverrides(
        table=Overrides(
            0,
            options.sheet,
            encoding=options.encoding,
            delimiter=_SIGNS.get(delimiter, delimiter),
            header_line=header,
            first_line=options.first_line,
            last_line=options.last_line,
        )
    )


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
        "".encode(name)  # codecs of bytes, such as base64, are not encodings
    except LookupError as error:
        raise argparse.ArgumentTypeError(f"{name} não é uma codificação") from error
    return name


def _line(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} não é uma linha")
    return number
