"""Reports that come every month: what is harmless loads itself, what is harmful waits by a proof's name."""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pytest
import series
from reports import Reports, ask
from rows_client import RowsCompany
from series import Drift, Month, Value, drifts_of, make_month
from tables_client import TableClient

from managed_tables.documents.recipes import ProofCode
from managed_tables.documents.statements import LoadTerms

SHARE_OF_HARMLESS = 0.95
STOPPED_BY: dict[Drift, ProofCode] = {
    series.other_mark: "SAME_WRITING",
    series.other_order: "SAME_WRITING",
    series.thousands: "SAME_MEANING",
    series.words: "ALL_FIT",
    series.missing: "SAME_COLUMNS",
    series.renamed: "SAME_COLUMNS",
    series.added: "SAME_COLUMNS",
    series.emptied: "SAME_MEANING",
    series.cut: "SAME_MEANING",
}


@dataclass
class Score:
    """What became of all months."""

    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def add(self, what: str, *, is_right: bool, about: str) -> None:
        """Count a month, and keep what went wrong."""
        self.counts[what] += 1
        self.counts[f"{what}, right"] += is_right
        if not is_right:
            self.faults.append(f"{what}: {about}")


def texts(rows: Sequence[Sequence[Value]]) -> list[tuple[str | None, ...]]:
    """Return rows as PostgreSQL's texts say their values."""

    def text(value: Value) -> str | None:
        if isinstance(value, Decimal):
            return f"{value.normalize():f}"
        return value.isoformat() if isinstance(value, date) else None if value is None else str(value)

    return sorted((tuple(map(text, row)) for row in rows), key=repr)


def loaded(reports: Reports, job_id: str, names: Sequence[str]) -> list[tuple[str | None, ...]]:
    """Return the rows that a job has loaded, as texts without the zeros at the end of decimals."""
    services, company_id = reports.company.services, reports.company.company.company_id
    shown = ", ".join(
        f"CASE WHEN pg_typeof({name}) = 'numeric'::regtype THEN trim_scale({name}::text::numeric)::text"
        f" ELSE {name}::text END"
        if name
        else "NULL"
        for name in names
    )
    with services.open_company(services.provisioning.require(company_id)) as connection:
        found = connection.execute(
            f'SELECT {shown} FROM "{reports.name}", managed_tables.applied_jobs'  # noqa: S608 - own SQL
            f" WHERE job_id = '{job_id}' AND id BETWEEN first_id AND last_id".encode()
        ).fetchall()
    return sorted(found, key=repr)


@dataclass
class Follower:
    """Follows one series: a person reads its first month, and nobody the others."""

    reports: Reports
    series: int
    score: Score

    def run(self, months: int) -> None:
        first = make_month(self.series, 0)
        table = self.load_first(first)
        names = dict(
            zip(map(str.casefold, first.labels), (one["name"] for one in table.get()["columns"]), strict=True)
        )
        for number, (drift, is_harmful) in enumerate(drifts_of(self.series)[:months], start=1):
            month = make_month(self.series, number)
            if drift is not None:
                drift(month)
            about = f"series {self.series}, month {number}, {drift.__name__ if drift else 'plain'}"
            job_id = self.reports.wait(month.content(), table.table_id, name=f"vendas.{month.kind}")
            itself = self.reports.job(job_id).confirms_itself
            open_proofs = {
                one.code: one.text for one in self.reports.analysis(job_id).proofs or () if not one.holds
            }
            if drift is not None and is_harmful:
                is_stopped = not itself and STOPPED_BY[drift] in open_proofs
                self.score.add("harmful", is_right=is_stopped, about=f"{about}: {open_proofs}")
                continue
            self.score.add("harmless", is_right=itself, about=f"{about}: {open_proofs}")
            if itself:
                assert self.reports.insert(job_id) == "done", about
                order = [names[label.casefold()] for label in month.labels]
                is_right = loaded(self.reports, job_id, order) == texts(month.rows)
                self.score.add("values", is_right=is_right, about=about)

    def load_first(self, month: Month) -> TableClient:
        """Load a month as a person does, and let the next ones confirm themselves."""
        job_id = self.reports.wait(month.content(), name=f"vendas.{month.kind}")
        columns = [
            one.column.model_copy(update={"nullable": True})
            for one in self.reports.analysis(job_id).inferred_schema.columns
        ]
        self.reports.confirm(job_id, columns, LoadTerms())
        assert self.reports.insert(job_id) == "done"
        table = TableClient(
            self.reports.company, self.reports.job(job_id).user_table_id or "", self.reports.name
        )
        assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
        assert loaded(self.reports, job_id, [one.name for one in columns]) == texts(month.rows)
        return table


def test_monthly_reports_load_themselves_unless_they_drift_harmfully(
    loading_company: RowsCompany, pytestconfig: pytest.Config
) -> None:
    """Few months of a few series; all fifty by `make test-series`, which prints the score."""
    is_whole = pytestconfig.getoption("--series")
    score = Score()
    for number in range(50) if is_whole else (0, 41):
        Follower(Reports(loading_company, f"serie_{secrets.token_hex(5)}"), number, score).run(
            11 if is_whole else 4
        )
    print(dict(score.counts), *score.faults, sep="\n")
    assert score.counts["harmful, right"] == score.counts["harmful"], score.faults
    assert score.counts["values, right"] == score.counts["values"], score.faults
    assert score.counts["harmless, right"] >= SHARE_OF_HARMLESS * score.counts["harmless"], score.faults
