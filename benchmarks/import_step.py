"""One step of an import in a process of its own, so that its peak memory is its own: prints its seconds
and the processor's, PostgreSQL's included.

`python -m benchmarks.import_step analyze FOLDER FILE`, `… insert FOLDER DSN`, `… copy FILE DSN` (what
`psql \\copy` of the clean file takes, the key made by the database), `… calamine FILE`.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
from python_calamine import CalamineWorkbook

from benchmarks.files import COLUMNS
from benchmarks.processor import Clock, Spent
from managed_tables import exact_json
from managed_tables.catalog.job_records import JobRecord
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.ids import new_record_id
from managed_tables_analyze.analysis import analyze
from managed_tables_insert.converter import open_converter
from managed_tables_insert.loading import Load
from managed_tables_insert.plan import make_plan
from managed_tables_reader.reading_files import SourceFile

_CHUNK_BYTES = 262_144


def analyze_file(folder: str, file: str) -> Spent:
    """Analyze a file into `folder`, as functions/analyze does between its download and its upload."""
    clock = Clock()
    path = Path(file)
    found = analyze([SourceFile(path, path.name)], Path(folder), ZoneInfo("UTC"))
    Path(folder, "analysis.json").write_bytes(exact_json.dumps(found.document.as_json()))
    return clock.spent()


def insert_rows(folder: str, dsn: str) -> Spent:
    """Load the staged object of `folder` into a new table, as functions/insert does after its download."""
    clock = Clock()
    analysis = AnalysisDocument.read(exact_json.loads(Path(folder, "analysis.json").read_bytes()))
    columns = [one.column for one in analysis.inferred_schema.columns]
    job = JobRecord("", new_record_id(), "", "create", "inserting", (), "", "", "")
    confirmed = ConfirmedDocument(display_name=f"t_{job.job_id}", columns=columns, table_id=job.job_id)
    with psycopg.connect(dsn, autocommit=True) as connection, open_converter(Path(folder)) as converter:
        plan = make_plan(Path(folder, "staged.parquet"), analysis, columns, "UTC")
        Load(connection, converter, job, confirmed).run(plan, lambda _: None)
        return clock.spent(connection)


def copy_file(file: str, dsn: str) -> Spent:
    """COPY a clean file into an equivalent table whose ids the database makes."""
    clock = Clock()
    definitions = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    with psycopg.connect(dsn) as connection:
        make_id = "uuidv7()" if connection.info.server_version >= 180_000 else "gen_random_uuid()"
        connection.execute("DROP TABLE IF EXISTS baseline")
        connection.execute(f"CREATE TABLE baseline (id uuid DEFAULT {make_id} PRIMARY KEY, {definitions})")
        statement = f"COPY baseline ({', '.join(COLUMNS)}) FROM STDIN (FORMAT csv, HEADER)"
        with connection.cursor().copy(statement) as copy, Path(file).open("rb") as source:
            while chunk := source.read(_CHUNK_BYTES):
                copy.write(chunk)
        connection.commit()
        return clock.spent(connection)


def read_calamine(file: str) -> Spent:
    """Read every cell of a workbook's first sheet."""
    clock = Clock()
    sheet = CalamineWorkbook.from_path(file).get_sheet_by_index(0)
    for _ in sheet.iter_rows():
        pass
    return clock.spent()


_STEPS: dict[str, Callable[..., Spent]] = {
    "analyze": analyze_file,
    "insert": insert_rows,
    "copy": copy_file,
    "calamine": read_calamine,
}


def main() -> None:
    """Run the step of the command line and print its seconds, and the processor's."""
    step, *arguments = sys.argv[1:]
    print(*_STEPS[step](*arguments))


if __name__ == "__main__":
    main()
