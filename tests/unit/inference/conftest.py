"""Shared by the tests of inference: the columns inferred from rows."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from staged_objects import Rows, open_session, write_staged

from managed_tables_analyze.inference.explanation import JudgedColumn
from managed_tables_analyze.inference.inferring import infer_columns

Infer = Callable[..., list[JudgedColumn]]


@pytest.fixture
def infer(tmp_path: Path) -> Infer:
    """Infer the columns of rows: `infer(rows, labels=…, delimiter=…, is_workbook=…)`."""

    def run(rows: Rows, **options: Any) -> list[JudgedColumn]:
        staged = write_staged(tmp_path / "staged.parquet", rows)
        labels = options.pop("labels", [f"Rótulo {number}" for number in range(len(rows[0]))])
        with open_session() as connection:
            return infer_columns(connection, staged, labels, ["vendas.csv"], **options)

    return run
