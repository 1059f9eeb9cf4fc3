"""Say where a row comes from: the load that last wrote it, and its cells as they stand in the file."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from managed_tables.aws.storage import JobDocuments
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.jobs import Jobs
from managed_tables.clock import timestamp
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.confirmations import ConfirmedDocument
from managed_tables.errors import STORAGE_UNAVAILABLE, ApiError
from managed_tables.ids import row_number
from managed_tables.jobs.staged_rows import Origin
from managed_tables_api.rows.history.history_models import OriginCell, RowOriginAnswer
from managed_tables_api.rows.history.row_history import LOADED, PRESENT, UPSERTED, Names, RowHistory
from managed_tables_api.rows.running import Definition

ReadPlace = Callable[[JobRecord, int], Origin | None]


@dataclass(frozen=True)
class RowOrigins:
    """Finds the origins of rows; `read_place` reads the staged object, for which it takes DuckDB."""

    history: RowHistory
    jobs: Jobs
    documents: JobDocuments
    read_place: ReadPlace

    def find(self, company_id: str, table_id: str, row_id: str) -> RowOriginAnswer:
        """Return the origin of a row; raises TABLE_NOT_FOUND and ROW_NOT_FOUND."""
        definition, change = self.history.find_load(company_id, table_id, row_id)
        is_load = change.action in (LOADED, UPSERTED)
        origin = RowOriginAnswer(
            kind="upload" if is_load else "api",
            job_id=change.job_id,
            file=None,
            sheet=None,
            line=None,
            at=None if change.action == PRESENT else timestamp(change.at),
            user_id=change.user_id,
            available=False,
            cells=[],
        )
        job = self.jobs.find(company_id, change.job_id or "") if is_load else None
        if job is None or change.staged_id is None:
            return origin
        analysis, confirmed = self.documents.find_analysis(job), self.documents.find_confirmed(job)
        place = self.read_place(job, row_number(UUID(change.staged_id)))
        if analysis is None or confirmed is None or place is None:
            return origin
        names = self.history.names_since(definition, change.change_id)
        cells = list(_cells(definition, analysis, confirmed, names, place["cells"]))
        return origin.model_copy(update={**place, "available": True, "cells": cells})


def _cells(
    definition: Definition,
    analysis: AnalysisDocument,
    confirmed: ConfirmedDocument,
    names: Names,
    texts: list[str | None],
) -> Iterator[OriginCell]:
    """Yield the cell of each column of now that the load has filled."""
    inferred = analysis.inferred_schema.columns
    places = {column.name: place for place, column in enumerate(analysis.columns)}
    for column in confirmed.columns:
        place = places.get(confirmed.terms.source(column.name))
        name = names.now(column.name)
        if place is not None and name in definition.by_name:
            label = inferred[place].source or inferred[place].display_name
            yield OriginCell(column=name, source=label, text=texts[place])


def remote_places(client: Callable[[], Any], function: str) -> ReadPlace:
    """Return the way to ask the function that loads, which has DuckDB; raises STORAGE_UNAVAILABLE."""

    def read_place(job: JobRecord, number: int) -> Origin | None:
        from botocore.exceptions import BotoCoreError, ClientError

        event = {"company_id": job.company_id, "job_id": job.job_id, "origin_of": number}
        try:
            answer = client().invoke(FunctionName=function, Payload=json.dumps(event).encode())
        except (BotoCoreError, ClientError) as error:
            raise ApiError(STORAGE_UNAVAILABLE) from error
        payload = json.loads(answer["Payload"].read())
        if "origin" not in payload:
            raise ApiError(STORAGE_UNAVAILABLE)
        place: Origin | None = payload["origin"]
        return place

    return read_place
