"""Plan a load: the staged object's columns, their confirmed types, and the SQL that converts them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from duckdb import DuckDBPyConnection

from managed_tables.catalog.tables import Rules
from managed_tables.conversion.columns import EMPTY_CELL, Conversion, Formats, build_conversion, explain
from managed_tables.conversion.sql_text import choose, literal
from managed_tables.details import Fault
from managed_tables.documents.analyses import AnalysisDocument, StagedColumn
from managed_tables.documents.pictures import LoadMemory, Picture
from managed_tables.documents.recipes import Recalled, StoredRecipe
from managed_tables.documents.repairs import (
    Repair,
    Texts,
    is_at,
    is_repaired,
    original,
    repaired,
    texts_of,
    with_cells,
)
from managed_tables.documents.statements import USUAL_TERMS, LoadTerms
from managed_tables.documents.workbooks import BaseColumn
from managed_tables.jobs.pictures import MAX_COLUMNS_SEEN, Looked, take_picture
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.rules.compiling import is_broken
from managed_tables.rules.engines import Cell, Duckdb
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column

NO_BASE = "o que saiu na exportação já não está guardado"
_ROWS_SEEN = 200_000  # of a load that analyze has not looked at, evenly: the more, the longer the load takes
REPEATED_KEYS = "repeated_keys"  # a table of the converter: rows that repeat a key, and why they stay out
RULE_VALUES = "rule_values"  # another: values of other tables that rules refer to
MISFIT = "managed-tables: a value does not fit"  # the message of the error that stops a conversion


@dataclass(frozen=True)
class LoadedColumn:
    """A column of the table and the cells that fill it."""

    column: Column
    cell: str  # the SQL of the cell to convert
    formats: Formats
    number: int = 0  # of the staged object's column
    made: str = ""  # the SQL that makes it, where it is no column of the staged object
    zone: str | None = None  # of times without one, if it is not the session's
    is_proven: bool = False  # every cell that is not NULL is known to convert
    repairs: Texts = field(default_factory=dict)  # of its original texts
    cells: tuple[Repair, ...] = ()  # that repairs name one by one

    @property
    def is_put_right(self) -> bool:
        """Whether repairs act on it."""
        return bool(self.repairs or self.cells)

    @property
    def text(self) -> str:
        """The SQL of the cells' original text, as repairs know it."""
        return original(f"c{self.number}", self.repairs, is_workbook=self.formats.workbook)

    @property
    def is_repaired(self) -> str:
        """The test that a repair of its text acts on a cell."""
        if not self.repairs:
            return "false"
        return is_repaired(f"c{self.number}", self.repairs, is_workbook=self.formats.workbook)

    def named_cells(self, files: Sequence[str]) -> str:
        """Return the test that a repair names the cell of a row."""
        return " OR ".join(is_at(one, files) for one in self.cells) or "false"

    @property
    def conversion(self) -> Conversion:
        """The expressions that convert the cells."""
        return build_conversion(self.cell, self.column.type, self.formats)

    def value(self) -> str:
        """Return the SQL of the typed value, NULL for an empty cell; a cell that does not fit stops it."""
        conversion = self.conversion
        stop = f"error(concat({literal(MISFIT)}, ' ', {ROW_NUMBER}))"
        if_empty = "NULL" if self.column.nullable else stop
        if self.is_proven:
            return choose((f"{self.cell} IS NULL", if_empty), otherwise=conversion.typed)
        return choose(
            (f"{self.cell} IS NULL", if_empty),
            (conversion.converts + f" AND {self.cell} <> ''", conversion.typed),
            (conversion.empty, if_empty),
            otherwise=stop,
        )

    def is_misfit(self) -> str:
        """Return the test that the cell cannot be loaded; never NULL."""
        if self.is_proven:
            return "false" if self.column.nullable else f"{self.cell} IS NULL"
        return self.conversion.refuses(self.cell, nullable=self.column.nullable)

    def fault_of(self, value: str | None, *, is_empty: bool) -> Fault:
        """Return why a cell that is a misfit cannot be loaded."""
        return EMPTY_CELL if is_empty else explain(value or "", self.column.type, self.formats)

    def typed(self) -> str:
        """Return the SQL of the typed value, NULL for a cell that is empty or does not fit."""
        conversion = self.conversion
        if self.is_proven:
            return choose((f"{self.cell} IS NULL", "NULL"), otherwise=conversion.typed)
        empty = f"{self.cell} IS NULL OR {self.cell} = ''"
        return choose((empty, "NULL"), (conversion.converts, conversion.typed), otherwise="NULL")


@dataclass(frozen=True)
class BaseRows:
    """What went out of a table to be changed, on disk: ids and cells, and which columns they are."""

    path: Path
    columns: Sequence[BaseColumn]


class Place(NamedTuple):
    """Where a row stands, and what was asked of its cells."""

    file: str
    sheet: str | None
    line: int
    cells: list[str | None]


def find_places(
    converter: DuckDBPyConnection,
    rows: str,
    cells: Sequence[str],
    files: Sequence[str],
    numbers: Iterable[int],
) -> dict[int, Place]:
    """Return the places of rows by their numbers, in order; `rows` and `cells` are SQL."""
    found = converter.execute(
        f"SELECT {ROW_NUMBER}, file, sheet, line, {', '.join(cells)} FROM {rows}"  # noqa: S608 - own SQL
        f" WHERE {ROW_NUMBER} IN ({', '.join(map(str, numbers)) or 'NULL'}) ORDER BY {ROW_NUMBER}"
    ).fetchall()
    return {number: Place(files[file], sheet, line, texts) for number, file, sheet, line, *texts in found}


class RepairCounts(NamedTuple):
    """On how many cells repairs act: by column and original text, and in all, with those named one by one."""

    texts: Mapping[str, Mapping[str, int]]
    total: int


@dataclass(frozen=True)
class LoadPlan:
    """A staged object on disk and what to load of it; `files` are the names that its rows refer to."""

    staged: Path
    columns: tuple[LoadedColumn, ...]
    files: tuple[str, ...]
    row_count: int
    timezone: str  # of times without one, where no column has its own
    labels: tuple[str, ...] = ()  # of all the staged object's columns
    skips_misfits: bool = False
    skips_repeated: bool = False  # the rows of REPEATED_KEYS too
    recipe: StoredRecipe | None = None  # what is to be remembered of the load
    memory: LoadMemory | None = None  # the same, of its columns and rows
    recalled: Recalled | None = None  # of a load that nobody confirmed: what must still hold
    rules: Rules = ()  # that refuse rows, of columns that are loaded
    repaired: int = 0  # cells of the rows that load
    base: BaseRows | None = None  # of a workbook that has come back
    mark: str = ""  # the SQL of its rows' ids

    def left_out(self, connection: DuckDBPyConnection) -> list[str]:
        """Return the ids of the rows of a workbook that do not load."""
        if not self.skips_misfits:
            return []
        query = f"SELECT {self.mark} FROM {self.rows} WHERE ({self.has_misfit}) AND {self.mark} IS NOT NULL"  # noqa: S608
        return [found for (found,) in connection.execute(query).fetchall()]

    @cached_property
    def judged(self) -> list[tuple[Rule, LoadedColumn, str]]:
        """Each rule that judges a row alone, or by RULE_VALUES, its first column, and when it is broken."""
        own = {loaded.column.name: loaded for loaded in self.columns}
        return [
            (rule, own[rule.columns[0]], self._broken(rule, own))
            for rule in self.rules
            if rule.kind != "unique" and own.keys() >= set(rule.columns)
        ]

    def _broken(self, rule: Rule, own: Mapping[str, LoadedColumn]) -> str:
        cells = {name: Cell(f"({own[name].typed()})", own[name].column.type) for name in rule.columns}
        if rule.kind == "in_table":
            cell = cells[rule.columns[0]].sql
            known = f"SELECT value FROM {RULE_VALUES} WHERE rule = {literal(rule.id)}"  # noqa: S608 - own SQL
            return f"({cell} IS NOT NULL AND CAST({cell} AS VARCHAR) NOT IN ({known}))"
        today = datetime.now(ZoneInfo(self.timezone)).date()
        return is_broken(rule, cells, Duckdb(self.timezone, today))

    @property
    def rows(self) -> str:
        """The SQL relation of the staged object's rows, with their numbers and what cells are made into."""
        staged = staged_rows(self.staged)
        made = [f"{column.made} AS {column.cell}" for column in self.columns if column.made]
        return f"(SELECT *, {', '.join(made)} FROM {staged})" if made else staged  # noqa: S608 - own SQL

    @property
    def has_misfit(self) -> str:
        """The test that a row has a value that cannot be loaded, or a key that is there already."""
        tests = [f"({column.is_misfit()})" for column in self.columns]
        tests += [test for _, _, test in self.judged]
        if self.skips_repeated:
            tests.append(f"{ROW_NUMBER} IN (SELECT number FROM {REPEATED_KEYS})")  # noqa: S608 - own SQL
        return " OR ".join(tests)

    def select_rows(self, columns: Sequence[LoadedColumn]) -> str:
        """Return the query of the rows: the number, then the values of these columns, `v0`, `v1`, …."""
        values = [f"{column.value()} AS v{place}" for place, column in enumerate(columns)]
        kept = f" WHERE NOT ({self.has_misfit})" if self.skips_misfits else ""
        return f"SELECT {', '.join([ROW_NUMBER, *values])} FROM {self.rows}{kept}"  # noqa: S608 - own SQL


def leave_out_rows(
    converter: DuckDBPyConnection, plan: LoadPlan, numbers: Sequence[int], reasons: Sequence[str]
) -> LoadPlan:
    """Return the plan without these rows; why they stay out is in the converter's table REPEATED_KEYS."""
    converter.execute(f"CREATE TEMP TABLE IF NOT EXISTS {REPEATED_KEYS} (number BIGINT, reason VARCHAR)")
    converter.execute(
        f"INSERT INTO {REPEATED_KEYS} SELECT unnest($1::BIGINT[]), unnest($2::VARCHAR[])",
        [list(numbers), list(reasons)],
    )
    return replace(plan, skips_repeated=True)


def take_pictures(
    connection: DuckDBPyConnection, plan: LoadPlan, analysis: AnalysisDocument, terms: LoadTerms
) -> dict[str, Picture]:
    """Return the picture of each loaded column: analyze's own where it is loaded as analyze saw it."""
    step = plan.row_count // _ROWS_SEEN + 1
    rows = f"(SELECT * FROM {plan.rows} WHERE {ROW_NUMBER} % {step} = 0)"  # noqa: S608 - own SQL
    pictures: dict[str, Picture] = {}
    for loaded in plan.columns[:MAX_COLUMNS_SEEN]:
        seen, own = analysis.columns[loaded.number], loaded.column
        is_as_seen = (
            seen.formats == loaded.formats
            and not loaded.cells
            and loaded.repairs == texts_of(seen.repairs)
            and terms.choice(own.name).over(seen.choice)
            == seen.choice.model_copy(update={"source": terms.choice(own.name).source})
        )
        if seen.picture and is_as_seen and seen.picture.type == own.type:
            pictures[own.name] = seen.picture
        else:
            looked = Looked(loaded.cell, own.type, loaded.formats)
            pictures[own.name] = take_picture(connection, rows, looked)
    return pictures


def count_repairs(connection: DuckDBPyConnection, plan: LoadPlan) -> RepairCounts:
    """Return on how many cells of the rows that load each repair acts."""
    put_right = [column for column in plan.columns if column.is_put_right]
    loaded = f"NOT ({plan.has_misfit})" if put_right and plan.skips_misfits else "true"
    texts: dict[str, dict[str, int]] = {}
    total = 0
    for column in put_right:
        named = column.named_cells(plan.files)
        query = (
            f"SELECT CASE WHEN {named} THEN NULL ELSE {column.text} END, count(*) FROM {plan.rows}"  # noqa: S608
            f" WHERE ({named} OR {column.is_repaired}) AND {loaded} GROUP BY 1"
        )
        counts = dict(connection.execute(query).fetchall())
        total += sum(counts.values())
        texts[column.column.name] = {text: count for text, count in counts.items() if text is not None}
    return RepairCounts(texts, total)


def _repairs_of(name: str, staged: StagedColumn, terms: LoadTerms) -> tuple[Texts, tuple[Repair, ...]]:
    """Return what becomes of a column's texts, by the recipe if nothing is stated, and its single cells."""
    if terms.repairs is None:
        return texts_of(staged.repairs), ()
    cells = (one for one in terms.repairs if one["column"] == name and "line" in one)
    return texts_of(terms.repairs, name), tuple(cells)


def make_plan(
    staged: Path,
    analysis: AnalysisDocument,
    confirmed: Sequence[Column],
    timezone: str,
    terms: LoadTerms = USUAL_TERMS,
) -> LoadPlan:
    """Return the plan of loading the confirmed columns; `timezone` holds where the analysis names none."""
    known = {column.name: (number, column) for number, column in enumerate(analysis.columns)}
    types = [column.type for column in analysis.inferred_schema.columns]
    session_zone = analysis.reading.timezone if analysis.reading else timezone
    columns = []
    for place, column in enumerate(confirmed):
        number, analyzed = known[terms.source(column.name)]
        choice = terms.choice(column.name).over(analyzed.choice)
        formats = choice.formats(analyzed.formats)
        own = f"c{number}"
        texts, named = _repairs_of(column.name, analyzed, terms)
        mended = repaired(own, texts, is_workbook=formats.workbook)
        mended = with_cells(mended, named, analysis.files, is_workbook=formats.workbook)
        made = choice.rewritten(mended, column.type)
        cell, made = (own, "") if made == own else (f"x{place}", made)
        zone = None if formats.timezone == session_zone else formats.timezone
        is_as_inferred = column.type == types[number] and formats == analyzed.formats and not made
        is_proven = is_as_inferred and analyzed.proven
        columns.append(LoadedColumn(column, cell, formats, number, made, zone, is_proven, texts, named))
    return LoadPlan(
        staged,
        tuple(columns),
        tuple(analysis.files),
        analysis.row_count,
        session_zone,
        tuple(column.display_name for column in analysis.inferred_schema.columns),
        terms.on_misfit == "skip",
    )
