"""Compose the query of an export, every value as its format's text, and write the formats of texts alone.

Those are CSV, for programs (rfc4180) or as Excel in Brazil opens it (excel-br), and JSON lines. PostgreSQL
writes the texts, in the transaction's time zone: numbers keep every digit and no value of a million rows is
made anew here.
"""

import csv
import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from psycopg import sql

from managed_tables.conditions.composition import condition_sql
from managed_tables.databases.statements import compose
from managed_tables.formulas import FORMULA, GUARD
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column, ColumnType
from managed_tables_export.destination import ExportObject
from managed_tables_export.snapshot import ExportSource

TABLE = sql.Identifier("$table")
_BOM = b"\xef\xbb\xbf"  # by which Excel knows UTF-8
# CSV whose quote and delimiter JSON escapes: no line needs quoting, and each goes out as it is.
_JSON_LINES = sql.SQL(r"(FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')")

# Of each type, the SQL of a value's text; `{v}` is the value.
Texts = Mapping[ColumnType, str]

# A time that leaves the years 1 to 9999 by the zone's clock is in UTC. One that a change of clocks repeats
# says its offset: without one it would come back as the later.
_HAS_YEAR = "({v} BETWEEN '0001-01-02' AND '9999-12-30' OR extract(year FROM {v}) BETWEEN 1 AND 9999)"
_CLOCK = f"CASE WHEN {_HAS_YEAR} THEN {{v}}::timestamp ELSE {{v}} AT TIME ZONE 'UTC' END"
_IS_PLAIN = f"{_HAS_YEAR} AND {{v}}::timestamp::timestamptz = {{v}}"
_OFFSET = f"CASE WHEN {_IS_PLAIN} THEN '' WHEN {_HAS_YEAR} THEN to_char({{v}}, 'TZH:TZM') ELSE 'Z' END"

_ISO_TEXTS: Texts = {
    ColumnType.TEXT: "{v}",
    ColumnType.INTEGER: "{v}",
    ColumnType.DECIMAL: "{v}",
    ColumnType.BOOLEAN: "{v}::text",
    ColumnType.DATE: "{v}",
    ColumnType.DATETIME: "replace(replace({v}::text, ' ', 'T'), '+00', 'Z')",
}
_BRAZILIAN_TEXTS: Texts = {
    ColumnType.TEXT: "{v}",
    ColumnType.INTEGER: "{v}",
    ColumnType.DECIMAL: "replace({v}::text, '.', ',')",
    ColumnType.BOOLEAN: "CASE {v} WHEN true THEN 'VERDADEIRO' WHEN false THEN 'FALSO' END",
    ColumnType.DATE: "to_char({v}, 'DD/MM/YYYY')",
    ColumnType.DATETIME: f"rtrim(rtrim(to_char({_CLOCK},'DD/MM/YYYY HH24:MI:SS,US'),'0'),',') || {_OFFSET}",
}
# What a cell of a workbook cannot hold as a number begins with an apostrophe: it is written as text. Texts
# of up to 15 digits are always a double's own; the first days of 1900 are others to Excel.
_NUMBER = "CASE WHEN {fits} THEN {v}::text ELSE '''' || {v}::text END"
CELL_TEXTS: Texts = {
    ColumnType.TEXT: "{v}",
    ColumnType.INTEGER: _NUMBER.replace("{fits}", "abs({v}::numeric) <= 9007199254740992"),
    ColumnType.DECIMAL: _NUMBER.replace(
        "{fits}",
        "length({v}::text) <= 15 OR CASE WHEN abs({v}) < 1e300 AND scale({v}) <= 300"
        " THEN {v}::float8::text::numeric = {v} END",
    ),
    ColumnType.BOOLEAN: "{v}::int",
    ColumnType.DATE: (
        "CASE WHEN {v} >= '1900-03-01' THEN ({v} - date '1899-12-30')::text ELSE '''' || {v} END"
    ),
    ColumnType.DATETIME: (
        f"CASE WHEN {{v}}::timestamp >= '1900-03-01' AND {_IS_PLAIN}"
        " AND date_trunc('milliseconds', {v}) = {v}"
        " THEN round(extract(epoch FROM {v}::timestamp - timestamp '1899-12-30') / 86400, 11)::text"
        f" ELSE '''' || to_char({_CLOCK}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US') || {_OFFSET} END"
    ),
}


def select_texts(source: ExportSource, texts: Texts, *, safe: bool) -> sql.Composed:
    """Return the SELECT of the selection's texts; with `safe` none begins as a formula does."""

    def field(column: Column) -> sql.Composed:
        if safe and column.type is ColumnType.TEXT:
            form = "CASE WHEN {v} ~ {formula} THEN '''' || {v} ELSE {v} END"
            return sql.SQL(form).format(v=value(column), formula=sql.Literal(FORMULA))
        return sql.SQL(texts[column.type]).format(v=value(column))

    return select_fields(source, field)


def select_fields(source: ExportSource, field: Callable[[Column], sql.Composed]) -> sql.Composed:
    """Return the SELECT of the selection's rows in its order, each column as `field` composes it."""
    sorts = [*source.selection.sorts, (ID_COLUMN, False)]  # ties by insertion
    return compose(
        "SELECT {} FROM {} AS {} WHERE {} ORDER BY {}",
        list(map(field, source.selection.columns)),
        source.table,
        TABLE,
        condition_sql(source.selection.condition, TABLE),
        [
            compose("{}.{:i} {} NULLS LAST", TABLE, name, sql.SQL("DESC" if descending else "ASC"))
            for name, descending in sorts
        ],
    )


def _json_field(column: Column) -> sql.Composed:
    """Return a column as JSON lines have it, under its name."""
    text = sql.SQL(_ISO_TEXTS[ColumnType.DATETIME] if column.type is ColumnType.DATETIME else "{v}")
    return sql.SQL("{} AS {}").format(text.format(v=value(column)), sql.Identifier(column.name))


def value(column: Column) -> sql.Composed:
    """Return the column of the table that is exported."""
    return compose("{}.{:i}", TABLE, column.name)


def write_csv(source: ExportSource, destination: ExportObject, _folder: Path) -> int:
    """Write the rows as CSV and return how many; lines end with CRLF, as RFC 4180 has them."""
    is_local = source.request.dialect == "excel-br"
    source.set_zone(source.zone if is_local else "UTC")
    texts, delimiter = (_BRAZILIAN_TEXTS, ";") if is_local else (_ISO_TEXTS, ",")
    query = select_texts(source, texts, safe=source.request.formula_safe)
    labels = [column.display_name if is_local else column.name for column in source.selection.columns]
    if source.request.formula_safe:
        labels = [GUARD + label if re.match(FORMULA, label) else label for label in labels]
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter).writerow(labels)
    destination.write((_BOM if is_local else b"") + line.getvalue().encode())
    options = sql.SQL("(FORMAT csv, DELIMITER {})").format(delimiter)
    return source.write(query, options, destination, line_end=b"\r\n")


def write_json_lines(source: ExportSource, destination: ExportObject, _folder: Path) -> int:
    """Write the rows as JSON lines and return how many."""
    source.set_zone("UTC")
    fields = select_fields(source, _json_field)
    query = sql.SQL('SELECT row_to_json("$row")::text FROM ({}) AS "$row"').format(fields)
    return source.write(query, _JSON_LINES, destination)
