"""Merge a workbook that has come back: cell by cell, against its base and the table as it is now.

Three sides meet in PostgreSQL, which compares them by their types: the workbook's rows, staged as any load's;
the base, ids and cells as they went out; and the table. *Mine* is what the workbook changed of its base, not
counting what programs do to a cell that nobody touched; *theirs* is what the table has changed of it since.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, LiteralString
from uuid import UUID

from psycopg import sql

from managed_tables import errors
from managed_tables.catalog.job_records import LoadResult
from managed_tables.catalog.tables import Applied
from managed_tables.conversion.sql_text import identifier, literal
from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.databases.statements import compose, execute
from managed_tables.details import MAX_ERROR_DETAILS, Detail, Fault, row_detail
from managed_tables.documents import workbooks as documents
from managed_tables.documents.statements import ConflictChoice, Conflicts
from managed_tables.errors import JobError
from managed_tables.history import recorded_rows, row_cells
from managed_tables.identifiers import ID_COLUMN
from managed_tables.kept_rows import KEPT_AS, keep_values
from managed_tables.rules.compiling import is_broken_in
from managed_tables.rules.rule import Rule
from managed_tables.rules.saying import fault_of
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.tables.physical import default_value, physical_name
from managed_tables_insert.plan import BaseRows
from managed_tables_insert.transfer import STAGED, Transfer, translated_refusals

ROW_MARK = "$row"  # of a staged row: the id that the workbook has for it
_COPY_CHUNK = 1 << 20
_LOCK = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"
_FINAL = '"$final"'

_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_FEWEST_MOVED = 2  # rows with another's values that betray a sort without the ids
_SURELY_MOVED = 10

# What programs do to a cell that nobody touched: `{s}` is the workbook's, `{b}` what went out, or stands.
_LINES = r"replace(replace(coalesce({0}, ''), E'\r\n', E'\n'), E'\r', E'\n')"
_IS_BLANK = r"coalesce({0}, '') ~ '^\s*$'"
# The number went out as one, and a sheet holds 15 digits of it, which PostgreSQL's own cast keeps as well.
_SAME_DOUBLE = (
    "(length({b}::text) <= 15 OR {b}::float8::text::numeric = {b})"
    " AND length(ltrim({s}::text, '-0.')) <= 18 AND {s}::float8::numeric = {b}::float8::numeric"
)
_FLOAT_BOUND = "abs({b}) < 1e300 AND abs({s}) < 1e300 AND scale({b}) <= 300 AND scale({s}) <= 300"
_ALIKE: Mapping[ColumnType, str] = {
    ColumnType.TEXT: f"{_LINES.format('{s}')} = {_LINES.format('{b}')}"
    f" OR ({_IS_BLANK.format('{s}')} AND {_IS_BLANK.format('{b}')})",
    ColumnType.DECIMAL: f"coalesce(CASE WHEN {_FLOAT_BOUND} THEN {_SAME_DOUBLE} END, false)",
    ColumnType.DATETIME: "coalesce(date_trunc('milliseconds', {b}) = {b}"
    " AND {s} BETWEEN {b} - interval '1 millisecond' AND {b} + interval '1 millisecond', false)",
}


@dataclass(frozen=True)
class RefusedRow:
    """A row of the workbook that does not go in as it is: its id among the staged, and why."""

    staged_id: UUID
    column: str
    fault: Fault
    rule: Rule | None = None


@dataclass(frozen=True)
class Merge:
    """The staged rows of a workbook on their way into a table, in a transaction of the caller's."""

    transfer: Transfer  # of the columns that are merged, and ROW_MARK
    table_id: str
    table: Applied
    base: BaseRows
    left_out: Sequence[str]  # ids of rows that are not staged, which are not absent therefore

    @property
    def connection(self) -> PgConnection:
        """The connection whose transaction loads."""
        return self.transfer.connection

    @property
    def place(self) -> sql.Identifier:
        """The table's name in SQL."""
        return physical_name(self.table.display_name)

    @cached_property
    def columns(self) -> list[Column]:
        """The table's columns that are merged."""
        named = set(self.transfer.names)
        return [column for column in self.table.columns if column.name in named]

    @cached_property
    def base_columns(self) -> list[Column]:
        """The table's columns of which the base has the cells."""
        types = {column.name: column.type for column in self.base.columns}
        return [column for column in self.table.columns if types.get(column.name) is column.type]

    def compare(self) -> None:
        """Find what the workbook changes; raises JobError where its ids are no longer those of its rows.

        `$placed` are the staged rows with the base's row of each, if there is one; `$changed` those that
        differ from it, by the numbers of their columns: changed here, and of these changed by others, too.
        """
        self.transfer.stage_like(self.place, ROW_MARK)
        self._bring_base()
        execute(
            self.connection,
            'CREATE TEMPORARY TABLE "$placed" ON COMMIT DROP AS SELECT s.id AS sid, b.id AS rid,'
            " b.id IS NOT NULL AND row_number() OVER (PARTITION BY b.id ORDER BY s.id) > 1 AS is_copy"
            ' FROM {} AS s LEFT JOIN "$base" AS b ON b.id ='
            " CASE WHEN lower(btrim(s.{mark:i})) ~ {uuid} THEN lower(btrim(s.{mark:i}))::uuid END",
            STAGED,
            mark=ROW_MARK,
            uuid=_UUID,
        )
        self._run('CREATE INDEX ON "$placed" (rid)')
        self._run('ANALYZE "$placed"')
        execute(self.connection, "ANALYZE {} (id)", STAGED)
        self._compare_cells()
        self._refuse_moved()

    def decide(self, conflicts: Conflicts | None) -> None:
        """Make `$final`, the rows as they are to stand, `$sid` being the staged row of each.

        Where none is stated of a conflict, theirs stands: whether that may be is the caller's to ask.
        """
        taken = self._stands_mine(conflicts)
        self._run(
            'CREATE TEMPORARY TABLE "$apply" ON COMMIT DROP AS SELECT sid, rid, is_gone, ARRAY('  # noqa: S608
            "SELECT unnest(mine) EXCEPT SELECT unnest(same) EXCEPT SELECT n FROM unnest(clash) AS n"
            f' WHERE NOT ({taken}) ORDER BY 1) AS cells FROM "$changed"'
        )
        written = {column.name: number for number, column in enumerate(self.columns)}
        parts = {
            "names": [column.name for column in self.table.columns],
            "staged": STAGED,
            "table": self.place,
            "changed": [
                self._cell(column, written, self._other_of_table(column)) for column in self.table.columns
            ],
            "revived": [
                self._cell(column, written, self._other_of_base(column)) for column in self.table.columns
            ],
            "made": [
                self._of_staged(column) if column.name in written else self._default(column)
                for column in self.table.columns
            ],
        }
        execute(
            self.connection,
            'CREATE TEMPORARY TABLE "$final" (id, {names:i}, "$sid", "$kind", "$cells") ON COMMIT DROP AS'
            " SELECT t.id, {changed}, a.sid, 'changed'::text, a.cells FROM \"$apply\" AS a"
            " JOIN {staged} AS s ON s.id = a.sid JOIN {table} AS t ON t.id = a.rid WHERE a.cells <> '{{}}'"
            " UNION ALL SELECT a.rid, {revived}, a.sid, 'revived', a.cells FROM \"$apply\" AS a"
            ' JOIN {staged} AS s ON s.id = a.sid JOIN "$base" AS b ON b.id = a.rid'
            " WHERE a.is_gone AND a.cells <> '{{}}'"
            " UNION ALL SELECT s.id, {made}, s.id, 'made', NULL FROM {staged} AS s"
            ' JOIN "$placed" AS p ON p.sid = s.id WHERE p.rid IS NULL OR p.is_copy',
            **parts,
        )
        self._run('CREATE INDEX ON "$final" (id)')
        self._run('ANALYZE "$final"')

    def find_refused(self) -> list[RefusedRow]:
        """Return why rows of `$final` do not go in: empty cells, the table's rules, its key."""
        found: list[RefusedRow] = []
        for column in self.table.columns:
            if not column.nullable:
                fault = Fault("REQUIRED", "vazio em uma coluna que não aceita vazios")
                found += self._refused(f"f.{identifier(column.name)} IS NULL", column.name, fault)
        by_name = {column.name: column for column in self.table.columns}
        place, zone = self.place.as_string(), self.transfer.plan.timezone
        for rule in filter(lambda rule: rule.refuses, self.table.rules):
            test = is_broken_in(rule, by_name, "f", place, zone, are_its_own=False)
            if rule.kind == "unique":
                test = self._is_repeated(rule.columns, are_empty_equal=False)
            found += self._refused(test, rule.columns[0], fault_of(rule), rule)
        if self.table.key:
            names = ", ".join(self.table.key)
            fault = Fault("DUPLICATE_KEY", f"a tabela fica com outra linha com esta chave ({names})")
            found += self._refused(
                self._is_repeated(self.table.key, are_empty_equal=True), self.table.key[0], fault
            )
        return sorted(found, key=lambda one: one.staged_id.int)

    def leave_out(self, rows: Sequence[RefusedRow]) -> None:
        """Take rows out of `$final`: nothing of them goes in."""
        ids = [one.staged_id for one in rows]
        self.connection.execute('DELETE FROM "$final" WHERE "$sid" = ANY(%s)', [ids])

    def details(self, rows: Sequence[RefusedRow]) -> list[Detail]:
        """Return a detail about each of the first rows."""
        shown = rows[:MAX_ERROR_DETAILS]
        places = self.transfer.find_places({one.staged_id for one in shown})
        details = []
        for one in shown:
            place, named = places[one.staged_id], {"rule": one.rule.id} if one.rule else {}
            names = self.transfer.names
            value = place.cells[names.index(one.column)] if one.column in names else None
            details.append(
                row_detail(
                    one.fault, place.file, place.sheet, place.line, column=one.column, value=value, **named
                )
            )
        return details

    def apply(self, job_id: str, *, delete_absent: bool) -> LoadResult:
        """Write `$final`, keeping what stood there before; delete rows that are absent, where that is asked.

        Rows that others have changed since they went out are not deleted.
        """
        deleted = self._find_absent() if delete_absent else compose("SELECT NULL::uuid AS id WHERE false")
        self._keep_before(job_id, deleted)
        with translated_refusals():
            removed = self._run_count(
                compose("DELETE FROM {} AS t USING ({}) AS gone WHERE t.id = gone.id", self.place, deleted)
            )
            changed = self._update()
            revived, made = self._insert("revived"), self._insert("made")
        staged = fetch_number(self.connection, compose('SELECT count(*) FROM "$placed"'))
        written = made + revived + changed
        return LoadResult(
            inserted=made + revived, updated=changed, unchanged=staged - written, deleted=removed
        )

    def lock(self) -> None:
        """Keep writers out until the transaction ends."""
        execute(self.connection, _LOCK, self.place)

    def count_open(self, conflicts: Conflicts | None) -> int:
        """Return how many conflicts nobody has decided."""
        if isinstance(conflicts, str):
            return 0
        stated = " OR ".join(self._is_meant(one) for one in conflicts or ()) or "false"
        query = f'SELECT count(*) FROM "$changed" AS c, unnest(clash) AS n WHERE NOT ({stated})'  # noqa: S608
        return fetch_number(self.connection, sql.Composed([sql.SQL(query)]))

    def describe(
        self, refused: Sequence[RefusedRow], more: Sequence[documents.RefusedRow]
    ) -> documents.MergePlan:
        """Return the plan as people see it; `more` are refused rows that were not staged."""
        counts = self.connection.execute(
            "SELECT count(*) FILTER (WHERE \"$kind\" = 'made'), count(*) FILTER (WHERE \"$kind\" <> 'made'),"
            ' coalesce(sum(cardinality("$cells")), 0)::bigint FROM "$final"'
        ).fetchone()
        inserted, updated, cells = counts or (0, 0, 0)
        placed = self.connection.execute(
            "SELECT count(*) FILTER (WHERE rid IS NOT NULL AND NOT is_copy), count(*) FILTER (WHERE is_copy)"
            ' FROM "$placed"'
        ).fetchone()
        known, copied = placed or (0, 0)
        kept_out = fetch_number(
            self.connection,
            sql.SQL(
                'SELECT count(*) FROM "$placed" AS p WHERE rid IS NOT NULL AND NOT is_copy AND sid = ANY({}) '
                'AND NOT EXISTS (SELECT FROM "$final" AS f WHERE f."$sid" = p.sid)'
            ).format([one.staged_id for one in refused]),
        )
        contested = fetch_number(
            self.connection,
            "SELECT count(*) FROM \"$changed\" AS c WHERE clash <> '{}'"
            ' AND NOT EXISTS (SELECT FROM "$final" AS f WHERE f."$sid" = c.sid)',
        )
        places = self.transfer.find_places({one.staged_id for one in refused[: documents.MAX_REFUSED_SHOWN]})
        shown = [
            documents.RefusedRow(
                line=places[one.staged_id].line,
                column=one.column,
                code=one.fault.code,
                reason=one.fault.reason,
            )
            for one in refused[: documents.MAX_REFUSED_SHOWN]
        ]
        total = fetch_number(
            self.connection, 'SELECT coalesce(sum(cardinality(clash)), 0)::bigint FROM "$changed"'
        )
        return documents.MergePlan(
            inserted=inserted,
            updated=updated,
            cells=cells,
            unchanged=max(0, known - updated - contested - kept_out),
            absent=fetch_number(
                self.connection,
                compose("SELECT count(*) FROM ({}) AS absent", self._find_absent(changed=True)),
            ),
            copied=copied,
            conflicts_total=total,
            conflicts=list(self._conflicts()) if total else [],
            refused=sorted([*more, *shown], key=lambda one: one.line)[: documents.MAX_REFUSED_SHOWN],
            refused_total=len({one.staged_id for one in refused}) + len({one.line for one in more}),
            changes=list(self._changes()),
        )

    def _run(self, statement: LiteralString) -> None:
        self.connection.execute(statement)

    def _run_count(self, statement: sql.Composed) -> int:
        return self.connection.execute(statement).rowcount

    def _bring_base(self) -> None:
        """Copy what went out into `$base`, typed as the table is."""
        names = [column.name for column in self.base_columns]
        execute(
            self.connection,
            'CREATE TEMPORARY TABLE "$base" ON COMMIT DROP AS SELECT {:i} FROM {} WITH NO DATA',
            [ID_COLUMN, *names],
            self.place,
        )
        target = self.base.path.with_suffix(".csv")
        cells = ", ".join(f"CAST({identifier(name)} AS VARCHAR)" for name in (ID_COLUMN, *names))
        source = f"read_parquet({literal(str(self.base.path))})"
        self.transfer.converter.execute(
            f"COPY (SELECT {cells} FROM {source}) TO {literal(str(target))}"  # noqa: S608 - own SQL
            " (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '\"', ESCAPE '\"', NULLSTR '\\N',"
            " FORCE_QUOTE *)"
        )
        statement = sql.SQL("COPY \"$base\" FROM STDIN (FORMAT csv, NULL '\\N')")
        with (
            self.connection.cursor() as cursor,
            target.open("rb") as file,
            cursor.copy(statement) as copy,
        ):
            while chunk := file.read(_COPY_CHUNK):
                copy.write(chunk)
        target.unlink()
        self._run('ALTER TABLE "$base" ADD PRIMARY KEY (id)')
        self._run('ANALYZE "$base" (id)')

    def _compare_cells(self) -> None:
        numbered = list(enumerate(self.columns))
        mine = [
            self._number(number, f"NOT ({self._is_alike(column, 's', 'b')})") for number, column in numbered
        ]
        same = [self._number(number, self._is_alike(column, "s", "t")) for number, column in numbered]
        theirs = [
            self._number(number, f"t.id IS NULL OR t.{one} IS DISTINCT FROM b.{one}")
            for number, column in numbered
            if (one := identifier(column.name))
        ]
        listed = {
            side: [compose("{}.{:i}", sql.SQL(side), column.name) for column in self.columns] for side in "sb"
        }
        if not self.columns:
            listed = {side: [compose("NULL::int")] for side in "sb"}
        execute(
            self.connection,
            'CREATE TEMPORARY TABLE "$changed" ON COMMIT DROP AS SELECT sid, rid, is_gone, mine,'
            " CASE WHEN is_gone THEN '{{}}'"
            " ELSE ARRAY(SELECT unnest(mine) INTERSECT SELECT unnest(same)) END AS same,"
            " CASE WHEN is_gone THEN mine ELSE ARRAY(SELECT unnest(mine) INTERSECT SELECT unnest(theirs)"
            " EXCEPT SELECT unnest(same) ORDER BY 1) END AS clash"
            " FROM (SELECT p.sid, p.rid, t.id IS NULL AS is_gone,"
            " array_remove(ARRAY[{mine}]::int[], NULL) AS mine,"
            " array_remove(ARRAY[{same}]::int[], NULL) AS same,"
            " array_remove(ARRAY[{theirs}]::int[], NULL) AS theirs"
            ' FROM "$placed" AS p JOIN {staged} AS s ON s.id = p.sid JOIN "$base" AS b ON b.id = p.rid'
            " LEFT JOIN {table} AS t ON t.id = p.rid"
            " WHERE NOT p.is_copy AND ROW({s}) IS DISTINCT FROM ROW({b}) OFFSET 0) AS compared"
            " WHERE mine <> '{{}}'",
            mine=mine,
            same=same,
            theirs=theirs,
            staged=STAGED,
            table=self.place,
            s=listed["s"],
            b=listed["b"],
        )
        self._run('ANALYZE "$changed" (sid, rid)')

    @staticmethod
    def _number(number: int, test: str) -> sql.SQL:
        return sql.SQL(f"CASE WHEN {test} THEN {number} END")

    @staticmethod
    def _is_alike(column: Column, one: str, other: str) -> str:
        """Return the test that two sides' cells are alike, as a workbook writes them."""
        name = identifier(column.name)
        s, b = f"{one}.{name}", f"{other}.{name}"
        also = _ALIKE.get(column.type)
        return f"{s} IS NOT DISTINCT FROM {b}" + (f" OR {also.format(s=s, b=b)}" if also else "")

    def _refuse_moved(self) -> None:
        """Raise JobError where many rows have, whole, the values of others: the ids stayed behind."""
        if not self.columns:
            return
        form = (
            'CREATE TEMPORARY TABLE "$moved" ON COMMIT DROP AS SELECT c.sid, c.rid, o.id AS other,'
            ' cardinality(c.mine) AS cells FROM "$changed" AS c JOIN {staged} AS s ON s.id = c.sid'
            " JOIN (SELECT md5(ROW({own})::text) AS digest, min(id::text)::uuid AS id"
            ' FROM "$base" AS b GROUP BY 1 HAVING count(*) = 1) AS o ON o.digest = md5(ROW({cells})::text)'
            ' WHERE o.id <> c.rid AND (EXISTS (SELECT FROM "$changed" AS d WHERE d.rid = o.id)'
            ' OR NOT EXISTS (SELECT FROM "$placed" AS p WHERE p.rid = o.id))'
        )
        own, cells = ([_as_one(column, side) for column in self.columns] for side in ("b", "s"))
        execute(self.connection, form, staged=STAGED, own=own, cells=cells)
        moved, widest = self.connection.execute(
            'SELECT count(*), coalesce(max(cells), 0) FROM "$moved"'
        ).fetchone() or (0, 0)
        changed = fetch_number(self.connection, 'SELECT count(*) FROM "$changed"')
        is_sure = moved >= _SURELY_MOVED or widest > 1
        if moved < _FEWEST_MOVED or 2 * moved < changed or not is_sure:
            return
        rows = self.connection.execute(
            'SELECT sid, rid FROM "$moved" ORDER BY sid LIMIT %s', [MAX_ERROR_DETAILS]
        ).fetchall()
        places = self.transfer.find_places({sid for sid, _ in rows})
        fault = Fault("ROW_CHANGED", "a linha tem os valores de outra, e o id é desta")
        details = [row_detail(fault, *places[sid][:3], value=str(rid)) for sid, rid in rows]
        raise JobError(errors.IDS_MISALIGNED, details, moved, count=moved)

    def _cell(self, column: Column, written: Mapping[str, int], other: sql.Composable) -> sql.Composable:
        """Return a cell as it is to stand: the workbook's where that is applied, else the other's."""
        if column.name not in written:
            return other
        form = "CASE WHEN {} = ANY(a.cells) THEN s.{:i} ELSE {} END"
        return compose(form, written[column.name], column.name, other)

    @staticmethod
    def _other_of_table(column: Column) -> sql.Composable:
        return compose("t.{:i}", column.name)

    def _other_of_base(self, column: Column) -> sql.Composable:
        return compose("b.{:i}", column.name) if column in self.base_columns else self._default(column)

    @staticmethod
    def _of_staged(column: Column) -> sql.Composable:
        return compose("s.{:i}", column.name)

    def _default(self, column: Column) -> sql.Composable:
        return compose(
            "({})::{}",
            default_value(column, self.transfer.plan.timezone),
            sql.SQL(POSTGRES_TYPES[column.type]),
        )

    def _refused(
        self, test: str, column: str, fault: Fault, rule: Rule | None = None
    ) -> Iterator[RefusedRow]:
        query = f'SELECT f."$sid" FROM {_FINAL} AS f WHERE {test} ORDER BY 1'  # noqa: S608 - own SQL
        for (staged_id,) in self.connection.execute(query.encode()).fetchall():
            yield RefusedRow(staged_id, column, fault, rule)

    def _is_repeated(self, names: Sequence[str], *, are_empty_equal: bool) -> str:
        """Return the test that another row has the values as all rows are to stand."""
        execute(self.connection, 'CREATE INDEX ON "$final" ({:i})', list(names))
        nullable = {column.name for column in self.table.columns if column.nullable}
        same = " AND ".join(
            f"(o.{one} = f.{one} OR (o.{one} IS NULL AND f.{one} IS NULL))"
            if are_empty_equal and name in nullable
            else f"o.{one} = f.{one}"
            for name in names
            if (one := identifier(name))
        )
        return (
            f"(EXISTS (SELECT FROM {_FINAL} AS o WHERE {same} AND o.id <> f.id)"  # noqa: S608 - own SQL
            f" OR EXISTS (SELECT FROM {self.place.as_string()} AS o WHERE {same} AND o.id <> f.id"
            f" AND NOT EXISTS (SELECT FROM {_FINAL} AS w WHERE w.id = o.id)))"
        )

    def _find_absent(self, *, changed: bool = False) -> sql.Composed:
        """Return the query of the rows that are not in the workbook: all, or those that nobody changed."""
        own = [column.name for column in self.base_columns]
        differ = compose("false")
        if own and not changed:
            differ = compose(
                "ROW({}) IS DISTINCT FROM ROW({})",
                [compose("t.{:i}", name) for name in own],
                [compose("b.{:i}", name) for name in own],
            )
        return compose(
            'SELECT b.id FROM "$base" AS b JOIN {} AS t ON t.id = b.id WHERE NOT EXISTS'
            ' (SELECT FROM "$placed" AS p WHERE p.rid = b.id) AND b.id::text <> ALL({}::text[]) AND NOT ({})',
            self.place,
            [sql.Literal([one.strip().lower() for one in self.left_out])],
            differ,
        )

    def _keep_before(self, job_id: str, deleted: sql.Composed) -> None:
        """Keep what the rows are before the load, and how each is to be taken back."""
        names = [column.name for column in self.table.columns]
        kept = compose(
            "SELECT t.id, {own}, 'changed'::text AS {kind:i} FROM {table} AS t"
            ' JOIN "$final" AS f ON f.id = t.id'
            " WHERE f.\"$kind\" = 'changed' UNION ALL SELECT t.id, {own}, 'deleted' FROM {table} AS t"
            " JOIN ({deleted}) AS gone ON gone.id = t.id UNION ALL SELECT f.id, {nothing}, 'revived'"
            ' FROM "$final" AS f WHERE f."$kind" = \'revived\'',
            own=[compose("t.{:i}", name) for name in names],
            nothing=[sql.SQL(f"NULL::{POSTGRES_TYPES[column.type]}") for column in self.table.columns],
            table=self.place,
            deleted=deleted,
            kind=KEPT_AS,
        )
        keep_values(self.connection, job_id, kept)

    def _update(self) -> int:
        rows = self.connection.execute(
            'SELECT DISTINCT unnest("$cells") FROM "$final" WHERE "$kind" = \'changed\''
        ).fetchall()
        names = [self.columns[number].name for (number,) in sorted(rows)]
        if not names:
            return 0
        form = 'UPDATE {} AS t SET {} FROM "$final" AS f WHERE t.id = f.id AND f."$kind" = \'changed\''
        return self._run_count(
            compose(form, self.place, [compose("{:i} = f.{:i}", name, name) for name in names])
        )

    def _insert(self, kind: str) -> int:
        """Insert rows of a kind; those that come back say so in their history, others by their load."""
        parts = {
            "table": self.place,
            "row": sql.Identifier("$row"),
            "names": [ID_COLUMN, *(column.name for column in self.table.columns)],
            "kind": kind,
        }
        form: LiteralString = (
            'INSERT INTO {table} AS {row} ({names:i}) SELECT {names:i} FROM "$final" WHERE "$kind" = {kind}'
        )
        if kind == "made":
            return execute(self.connection, form + " ORDER BY id", **parts).rowcount
        statement = compose(
            f"WITH back AS ({form} RETURNING id, {{cells}}), {{recorded}} SELECT FROM back",
            cells=row_cells(sql.Identifier("$row")),
            recorded=recorded_rows(sql.SQL("back"), "restore"),
            **parts,
        )
        return self.connection.execute(statement, {"table_id": self.table_id}).rowcount

    def _stands_mine(self, conflicts: Conflicts | None) -> str:
        """Return the test that mine stands of the conflict `n` of a row."""
        if conflicts is None or isinstance(conflicts, str):
            return "true" if conflicts == "mine" else "false"
        return " OR ".join(self._is_meant(one) for one in conflicts if one.take == "mine") or "false"

    def _is_meant(self, choice: ConflictChoice) -> str:
        names = [column.name for column in self.columns]
        if choice.column not in names:
            return "false"
        return f"(rid::text = {literal(choice.row_id.lower())} AND n = {names.index(choice.column)})"

    def _conflicts(self) -> Iterator[documents.MergeConflict]:
        """Yield the first conflicts, in the workbook's order, with who made the other change last."""
        found = self._cells("clash")
        places = self.transfer.find_places({sid for *_, sid in found})
        for rid, number, is_gone, base, theirs, mine, by, at, sid in found:
            column = self.columns[number]
            yield documents.MergeConflict(
                row_id=str(rid),
                line=places[sid].line,
                column=column.name,
                base=_scalar(column, base),
                theirs=_scalar(column, theirs),
                mine=_scalar(column, mine),
                is_deleted=is_gone,
                by=by,
                at=at,
            )

    def _changes(self) -> Iterator[documents.MergeChange]:
        """Yield the first cells that change without a conflict."""
        found = list(self._cells("mine - same - clash"))
        places = self.transfer.find_places({sid for *_, sid in found})
        for rid, number, _, _, theirs, mine, _, _, sid in found:
            column = self.columns[number]
            yield documents.MergeChange(
                row_id=str(rid),
                line=places[sid].line,
                column=column.name,
                before=_scalar(column, theirs),
                after=_scalar(column, mine),
            )

    def _cells(self, kind: str) -> list[Any]:
        """Return cells of a kind: row, column, whether it is gone, the texts of all sides, who and when."""
        chosen = "unnest(c.clash)"
        if kind != "clash":
            chosen = "(SELECT unnest(c.mine) EXCEPT SELECT unnest(c.same) EXCEPT SELECT unnest(c.clash))"
        texts = {
            side: 'CASE c."$n" '
            + " ".join(
                f"WHEN {number} THEN {_text(column, side)}" for number, column in enumerate(self.columns)
            )
            + " END"
            for side in "sbt"
        }
        listed = ", ".join(literal(column.name) for column in self.columns)
        names = f'(ARRAY[{listed}])[c."$n" + 1]'
        query = (  # noqa: S608 - own SQL
            'SELECT c.rid, c."$n", c.is_gone, {b}, {t}, {s}, h.user_id, h.at, c.sid'
            ' FROM (SELECT c.sid, c.rid, c.is_gone, chosen."$n" FROM "$changed" AS c,'
            ' LATERAL {chosen} AS chosen("$n") ORDER BY c.sid, 4 LIMIT {limit}) AS c'
            ' JOIN {staged} AS s ON s.id = c.sid JOIN "$base" AS b ON b.id = c.rid'
            " LEFT JOIN {table} AS t ON t.id = c.rid LEFT JOIN LATERAL (SELECT h.user_id,"
            " managed_tables.datetime_text(h.changed_at) AS at FROM managed_tables.row_history AS h"
            " WHERE h.table_id = {table_id} AND h.row_id = c.rid AND"
            " (h.action = 'delete' AND c.is_gone OR managed_tables.exist(h.after, {names}))"
            " ORDER BY h.change_id DESC LIMIT 1) AS h ON {asks} ORDER BY c.sid, 2"
        ).format(
            **texts,
            chosen=chosen,
            limit=documents.MAX_CONFLICTS_SHOWN,
            staged=STAGED.as_string(),
            table=self.place.as_string(),
            table_id=literal(self.table_id),
            names=names,
            asks="true" if kind == "clash" else "false",
        )
        return self.connection.execute(query.encode()).fetchall()


def _as_one(column: Column, side: str) -> sql.Composed:
    """Return a cell as it is the same on all sides, however it is written."""
    cell = f"{side}.{identifier(column.name)}"
    forms = {
        ColumnType.TEXT: f"nullif(btrim({_LINES.format(cell)}), '')",
        ColumnType.DECIMAL: f"trim_scale({cell})",
        ColumnType.DATETIME: f"date_trunc('milliseconds', {cell} + interval '0.5 milliseconds')",
    }
    return sql.Composed([sql.SQL(forms.get(column.type, cell))])


def _text(column: Column, side: str) -> str:
    cell = f"{side}.{identifier(column.name)}"
    return f"managed_tables.datetime_text({cell})" if column.type is ColumnType.DATETIME else f"{cell}::text"


def _scalar(column: Column, text: str | None) -> Any:
    """Return a cell as rows are answered."""
    if text is None:
        return None
    match column.type:
        case ColumnType.INTEGER:
            return int(text)
        case ColumnType.DECIMAL:
            return Decimal(text)
        case ColumnType.BOOLEAN:
            return text == "true"
        case _:
            return text
