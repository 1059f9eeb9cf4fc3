"""What a workbook has that people change and send back: a token, names of columns, lists to choose from.

It has ids in a hidden column, by which its rows are found again, and no protection: Excel does not sort
locked cells. Its base, the ids and cells as they went out, stays here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from openpyxl import Workbook
from openpyxl.packaging.custom import StringProperty
from openpyxl.utils import absolute_coordinate, get_column_letter, quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table, TableStyleInfo

from managed_tables.documents.workbooks import SIGNATURE, Base, BaseColumn, format_of_column, token_of
from managed_tables.identifiers import ID_COLUMN
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.constraints import find_values
from managed_tables_export.snapshot import ExportSource

LAST_ROW = 1_048_576  # of a sheet
TEXT_FORMAT = "@"  # a program does not make numbers or dates of what is typed there
_MAX_LABEL_CHARACTERS = 255  # of the header of a table of Excel's
_MAX_CHOICES = 1_000  # in a list that somebody looks through
_LISTS = "mt_listas"
_TABLE = "mt_tabela"


def labels_of(columns: Sequence[Column], base_id: str) -> list[str]:
    """Return the header's texts: different whatever their case, as a table of Excel's wants them."""
    taken: set[str] = set()
    labels = []
    for column in columns:
        whole = " ".join(column.display_name.split())[:_MAX_LABEL_CHARACTERS].strip() or column.name
        label, number = (token_of(base_id) if column.name == ID_COLUMN else whole), 1
        while label.casefold() in taken:
            number += 1
            end = f" ({number})"
            label = whole[: _MAX_LABEL_CHARACTERS - len(end)] + end
        taken.add(label.casefold())
        labels.append(label)
    return labels


def make_base(source: ExportSource, expires_at: str) -> Base:
    """Return what says of which table and columns the base is."""
    columns = zip(
        source.selection.columns, labels_of(source.selection.columns, source.base_id or ""), strict=True
    )
    return Base(
        table_id=source.table_id,
        columns=[
            BaseColumn(name=column.name, label=label, type=column.type)
            for column, label in columns
            if column.name != ID_COLUMN
        ],
        expires_at=expires_at,
    )


def sign(workbook: Any, base_id: str) -> None:
    """Put the base's token where programs keep it; its third place is the header of the ids."""
    token = token_of(base_id)
    workbook.custom_doc_props.append(StringProperty(name=SIGNATURE, value=token))
    name = SIGNATURE.replace("-", "_")
    workbook.defined_names[name] = DefinedName(name, attr_text=f'"{token}"', hidden=True)


def name_column(cell: Any, column: Column) -> None:
    """Let a cell of the header carry the name of its column, wherever it is moved and however renamed."""
    cell.number_format = format_of_column(column.name)


def add_table(sheet: Any, width: int, last_line: int) -> None:
    """Make the rows one table of Excel's, which sorts and filters all columns together."""
    table = Table(displayName=_TABLE, ref=f"A1:{get_column_letter(width)}{max(2, last_line)}")
    table.tableStyleInfo = TableStyleInfo(name="TableStyleLight1", showRowStripes=True)
    sheet.add_table(table)


@dataclass(frozen=True)
class Choices:
    """The values that a column may have; whether it may have no others."""

    values: Sequence[str | int | Decimal | bool]
    is_strict: bool


def find_choices(source: ExportSource) -> dict[str, Choices]:
    """Return the lists of columns, by name: those of their rules, or of their type; of few values alone."""
    found = ((column.name, _find_choices(source, column)) for column in source.selection.columns)
    return {name: choices for name, choices in found if choices is not None}


def add_choices(
    workbook: Workbook, sheet: Any, columns: Sequence[Column], choices: Mapping[str, Choices]
) -> None:
    """Give columns their lists, on a hidden sheet: Excel takes 255 characters of one that is written out."""
    if not choices:
        return
    lists: Any = workbook.create_sheet(f"{_LISTS}_2" if sheet.title == _LISTS else _LISTS)
    lists.sheet_state = "hidden"
    places = {column.name: get_column_letter(place) for place, column in enumerate(columns, start=1)}
    for number, (name, one) in enumerate(choices.items(), start=1):
        letter = get_column_letter(number)
        for line, value in enumerate(one.values, start=1):
            cell = lists.cell(line, number, value)
            if isinstance(value, str):
                cell.data_type, cell.number_format = "s", TEXT_FORMAT
        area = absolute_coordinate(f"{letter}1:{letter}{len(one.values)}")
        style: Literal["stop", "warning"] = "stop" if one.is_strict else "warning"
        formula = f"{quote_sheetname(lists.title)}!{area}"
        validation = DataValidation("list", formula1=formula, allow_blank=True, errorStyle=style)
        validation.showErrorMessage = True
        validation.add(f"{places[name]}2:{places[name]}{LAST_ROW}")
        sheet.add_data_validation(validation)


def _find_choices(source: ExportSource, column: Column) -> Choices | None:
    if column.type is ColumnType.BOOLEAN:
        return Choices((True, False), is_strict=False)
    if column.type is not ColumnType.TEXT and not column.type.is_number:
        return None
    for rule in source.rules:
        if rule.kind in ("list", "in_table") and rule.columns == (column.name,):
            values = rule.values or _referred_values(source, rule, column)
            if 0 < len(values) <= _MAX_CHOICES:
                return Choices(values, rule.refuses)
    return None


def _referred_values(source: ExportSource, rule: Rule, column: Column) -> Sequence[str | Decimal]:
    found = find_values(source.connection, rule, _MAX_CHOICES + 1)
    return sorted(map(Decimal, found)) if column.type.is_number else sorted(found)
