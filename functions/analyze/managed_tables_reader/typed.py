"""Infer the types of a table's columns and give its rows in them: with the extra `infer`, by DuckDB.

The inference is the product's own (`managed_tables_analyze.inference`), over every cell.
"""

from copy import deepcopy
from dataclasses import replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from managed_tables.conversion.columns import build_conversion
from managed_tables.conversion.sql_text import choose, identifier
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.messages.findings import Finding
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.explanation import JudgedColumn
from managed_tables_analyze.inference.inferring import infer_columns
from managed_tables_analyze.staging.combination import CombinedTable
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_analyze.staging.told_rows import find_told_rows
from managed_tables_reader.rows.parts import Part

_MAX_DIGITS = 38  # of DuckDB's and Arrow's decimals; what has more stays text
_CASTS = {ColumnType.DATE: "DATE", ColumnType.DATETIME: "TIMESTAMPTZ"}
_TYPED = (ColumnType.INTEGER, ColumnType.BOOLEAN)


class ArrowStream:
    """Rows of a table as an Arrow stream, by the PyCapsule interface; it can be taken several times."""

    def __init__(self, rows: "TypedRows", select: str) -> None:
        self._rows, self._select = rows, select

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        cursor = self._rows.connection.cursor()  # one that another stream is not being read from
        cursor.execute("SET TimeZone = 'UTC'")
        return cursor.sql(self._select).__arrow_c_stream__(requested_schema)


class TypedRows:
    """A part's rows, staged for DuckDB, with what is inferred of their columns."""

    def __init__(
        self, part: Part, name: str, folder: "TemporaryDirectory[str]", delimiter: str | None
    ) -> None:
        self._within = folder  # where the part's rows are
        self._folder = TemporaryDirectory(dir=folder.name)
        self._delimiter = delimiter
        self._opened = open_duckdb(Path(self._folder.name))
        self.connection = self._opened.__enter__()
        self._table = CombinedTable(Path(self._folder.name), self.connection, files=[name])
        # Staging adds to what is said of a part, and leaves a last row of sums out by itself.
        own = replace(
            part, file=0, expected_rows=None, findings=[*part.findings], extent=deepcopy(part.extent)
        )
        self._table.add(own)
        self._staged = Path(self._folder.name) / "staged.parquet"
        self._table.finish(self._staged)

    @property
    def _labels(self) -> list[str]:
        """The columns' labels, an identifier for one that has none."""
        return [label or name for label, name in zip(self._table.labels, self._table.names, strict=True)]

    @cached_property
    def columns(self) -> list[JudgedColumn]:
        """What is inferred of each column."""
        table = self._table
        return infer_columns(
            self.connection,
            self._staged,
            self._labels,
            table.files,
            names=table.names,
            delimiter=self._delimiter,
            is_workbook=table.is_workbook,
            keeps_texts=table.keeps_texts,
            types=table.types,
            reader_findings=table.findings,
        )

    @property
    def types(self) -> list[str]:
        """The types of the columns."""
        return [column.type.value for column in self.columns]

    @property
    def findings(self) -> list[Finding]:
        """What all values show: rows like totals or labels of others, and what is doubtful in a column."""
        kinds = [column.type for column in self.columns]
        told = find_told_rows(self.connection, self._staged, kinds, self._table.files, 0)
        return [*told, *chain.from_iterable(column.findings for column in self.columns)]

    def stream(self) -> ArrowStream:
        """Return the rows in their types, columns under labels, or identifiers where two are alike."""
        labels = self._labels
        named = labels if len({label.lower() for label in labels}) == len(labels) else self._table.names
        cells = [
            f"{self._value(place, column)} AS {identifier(name)}"
            for place, (column, name) in enumerate(zip(self.columns, named, strict=True))
        ]
        source = staged_rows(self._staged)
        return ArrowStream(self, f"SELECT {', '.join(cells)} FROM {source} ORDER BY {ROW_NUMBER}")  # noqa: S608

    def _value(self, place: int, column: JudgedColumn) -> str:
        """Return the SQL of a cell's value in the column's type."""
        conversion = build_conversion(f"c{place}", column.type, column.formats)
        value = conversion.typed if column.type in _TYPED else conversion.value
        text = choose((conversion.empty, "NULL"), (conversion.converts, value), otherwise="NULL")
        if column.type is ColumnType.DECIMAL:
            return self._decimal(text)
        return f"TRY_CAST({text} AS {_CASTS[column.type]})" if column.type in _CASTS else text

    def _decimal(self, text: str) -> str:
        """Return the SQL of a decimal with the column's digits; a text where they are too many."""
        source = f"(SELECT {text} AS v FROM {staged_rows(self._staged)})"  # noqa: S608 - own SQL
        whole, scale, odd = (
            "max(length(regexp_extract(v, '^-?([0-9]+)', 1)))",
            "max(length(regexp_extract(v, '[.]([0-9]+)$', 1)))",
            "bool_or(NOT regexp_full_match(v, '-?[0-9]+([.][0-9]+)?'))",
        )
        query = f"SELECT {whole}, {scale}, {odd} FROM {source} WHERE v IS NOT NULL"  # noqa: S608
        found: Any = self.connection.execute(query).fetchone()
        digits, decimals, is_odd = found[0] or 1, found[1] or 0, found[2]
        if is_odd or digits + decimals > _MAX_DIGITS:
            return text
        return f"TRY_CAST({text} AS DECIMAL({max(1, digits + decimals)}, {decimals}))"
