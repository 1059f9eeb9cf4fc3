"""Find where a loaded row stands in the files of its job, by the staged object, which knows each line."""

import tempfile
from pathlib import Path

from managed_tables.aws.storage import ObjectMissing
from managed_tables.catalog.job_records import JobRecord
from managed_tables.jobs.staged_rows import ROW_NUMBER, Origin, staged_rows
from managed_tables.object_keys import STAGED_OBJECT
from managed_tables.wiring.services import Services
from managed_tables_insert.job import open_converter


def find_origin(services: Services, job: JobRecord, number: int) -> Origin | None:
    """Return where the row of this number, from 0, stands; None once it is gone."""
    analysis = services.job_documents.find_analysis(job)
    if analysis is None or job.staged_key is None:
        return None
    with tempfile.TemporaryDirectory() as folder, open_converter(Path(folder)) as converter:
        staged = Path(folder) / STAGED_OBJECT
        try:
            services.storage.download(job.staged_key, staged)
        except ObjectMissing:
            return None
        cells = ", ".join(f"c{place}" for place in range(len(analysis.columns)))
        row = converter.execute(
            f"SELECT file, sheet, line, {cells} FROM {staged_rows(staged)}"  # noqa: S608 - own SQL
            f" WHERE {ROW_NUMBER} = {number}"
        ).fetchone()
    if row is None:
        return None
    file, sheet, line, *texts = row
    return {"file": analysis.files[file], "sheet": sheet, "line": line, "cells": texts}
