"""Next files by every kind of drift: what loads itself leaves the table as an oracle says that it must."""

import random
import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from drifts import Kind, bare
from drifts_of_bytes import KINDS
from reports import Reports, ask
from rows_client import RowsCompany
from series import REPORTS, WAYS, Month, Report, make_month_of
from tables_client import TableClient
from test_series import Score, loaded, texts

from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.statements import LoadTerms
from managed_tables.schema import ColumnType

SHARE_OF_HARMLESS = 0.95
FILES_OF_A_TABLE = 18
FEW = 18
_MOST_COLUMNS = 8
_NEVER_LEFT_OUT = ("money", "price", "code", "day")  # a drift may be of these alone
_SEEDS = 1_000  # from one table's months to the next one's


@dataclass
class Drifting:
    """A table that a person made of a random report's first months, and the files that follow them."""

    reports: Reports
    report: Report
    way: Mapping[str, object]
    seed: int
    chance: random.Random
    names: dict[str, str] = field(default_factory=dict)  # of the table, by the labels; "" where left out
    table_id: str = ""
    months: int = 0

    def make(self, number: int) -> Month:
        return make_month_of(self.report, self.way, self.seed, number)

    def load_first(self) -> bool:
        """Make the table, its columns named, typed and left out by chance; return whether it is right."""
        first = self.make(0)
        job_id = self.reports.wait(first.content(), name=f"vendas.{first.kind}")
        found = self.reports.analysis(job_id).inferred_schema.columns
        left_out = self._choose_left_out()
        columns, choices = [], {}
        for place, (label, one) in enumerate(zip(first.labels, found, strict=True)):
            name = f"{one.name}_x" if self.chance.random() < 0.3 else one.name
            self.names[bare(label)] = "" if place == left_out else name
            if place == left_out:
                continue
            is_text = one.type is ColumnType.INTEGER and self.chance.random() < 0.3
            kind = ColumnType.TEXT if is_text else one.type
            columns.append(one.column.model_copy(update={"name": name, "type": kind, "nullable": True}))
            choices[name] = ColumnChoice(source=one.name)
        self.reports.confirm(job_id, columns, LoadTerms(choices=choices))
        assert self.reports.insert(job_id) == "done"
        self.table_id = self.reports.job(job_id).user_table_id or ""
        self.months = 1
        table = TableClient(self.reports.company, self.table_id, self.reports.name)
        assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
        return self.is_right(job_id, first)

    def _choose_left_out(self) -> int | None:
        kinds = [*self.report.columns.values()]
        free = [place for place, kind in enumerate(kinds) if place and kind not in _NEVER_LEFT_OUT]
        return self.chance.choice(free) if free and self.chance.random() < 0.3 else None

    def is_right(self, job_id: str, month: Month) -> bool:
        """Return whether a job has loaded a month's rows, each value as it is."""
        order = [self.names[bare(label)] for label in month.labels]
        rows = [
            [value if name else None for value, name in zip(row, order, strict=True)]
            for row in month.rows
            if set(row) != {None}  # a line that is no row
        ]
        return loaded(self.reports, job_id, order) == texts(rows)

    def load(self, kind: Kind, score: Score) -> None:
        """Make the file of a drift, let it load where it does, and score it."""
        month = self.make(0 if kind.is_again else self.months)
        if kind.month:
            kind.month(month)
        content = month.content()
        content = kind.content(content, month) if kind.content else content
        about = f"{self.report.name} {self.seed}, {month.kind}, month {self.months}, {kind.name}"
        job_id = self.reports.wait(content, self.table_id, name=f"vendas.{month.kind}{kind.suffix}")
        itself = self.reports.job(job_id).confirms_itself
        proofs = {one.code: one.text for one in self.reports.analysis(job_id).proofs or () if not one.holds}
        score.counts["files"] += 1
        score.counts[f"files, {month.kind}"] += 1
        if kind.is_harmless is not None:
            what = "harmless" if kind.is_harmless else "harmful"
            score.add(what, is_right=itself is kind.is_harmless, about=f"{about}: {proofs}")
        if itself and kind.is_harmless is not False:
            assert self.reports.insert(job_id) == "done", about
            score.add("values", is_right=self.is_right(job_id, month), about=about)
            self.months += 1  # what is harmful does not come into the table


def _make_report(chance: random.Random) -> Report:
    """Return a report of the known ones, or of columns of all of them."""
    known = chance.choice(REPORTS)
    if chance.random() < 0.5:
        return known
    every = {label: kind for one in REPORTS for label, kind in one.columns.items()}
    amounts = [label for label, kind in every.items() if kind == "money"]
    others = [label for label, kind in every.items() if kind not in ("money", "price")]
    labels = [*chance.sample(others, chance.randint(2, _MOST_COLUMNS - 2)), chance.choice(amounts)]
    chance.shuffle(labels)
    return Report("sortido", known.above, {label: every[label] for label in labels}, known.below)


def _start(company: RowsCompany, chance: random.Random, wanted: Kind) -> Drifting:
    """Return a random table whose files can have the wanted drift."""
    reports = Reports(company, f"desvio_{secrets.token_hex(5)}")
    while True:
        report, way, seed = _make_report(chance), chance.choice(WAYS), _SEEDS * chance.randrange(10**6)
        made = Drifting(reports, report, way, seed, chance)
        if wanted.fits(made.make(0)):
            return made


def _by_need(seen: Counter[str], kinds: Sequence[Kind], chance: random.Random) -> list[Kind]:
    """Return the kinds that were seen least first, and of these those that few tables can have."""
    return sorted(kinds, key=lambda one: (seen[one.name], one.only != "xlsx", not one.needs, chance.random()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Divide many files between two processes."""
    files = metafunc.config.getoption("--drift")
    metafunc.parametrize("part", (0, 1) if files else (0,))


def test_no_file_loads_itself_otherwise_than_an_oracle_says(
    loading_company: RowsCompany, pytestconfig: pytest.Config, part: int
) -> None:
    """A seeded few here; by `make test-drift` as many as FILES= says, which prints the score."""
    files, seed = pytestconfig.getoption("--drift"), pytestconfig.getoption("--drift-seed")
    left, parts = (files // 2, 2) if files else (FEW, 1)
    chance, score = random.Random(f"{seed} {part}"), Score()  # noqa: S311 - no secret
    seen = Counter({one.name: int(at % parts != part) for at, one in enumerate(KINDS)})  # others' come last
    before = Counter(seen)
    while left > 0:
        wanted = _by_need(seen, KINDS, chance)[0]
        drifting = _start(loading_company, chance, wanted)
        is_right = drifting.load_first()
        score.counts["tables"] += 1
        if not is_right:  # a fault of the reading, which a person would have mended
            score.counts["tables, read otherwise"] += 1
            continue
        fitting = [one for one in KINDS if one.fits(drifting.make(0))]
        for kind in _by_need(seen, fitting, chance)[: min(left, FILES_OF_A_TABLE)]:
            drifting.load(kind, score)
            seen[kind.name] += 1
            left -= 1
        print(f"seed {seed}, part {part}: {dict(score.counts)}", *score.faults, sep="\n", flush=True)
    times = [(seen - before)[one.name] for one in KINDS]
    print(f"\nseed {seed}, part {part}: {dict(score.counts)}", *score.faults, sep="\n")
    print(f"{sum(map(bool, times))} of {len(KINDS)} kinds, each {min(times)} to {max(times)} times")
    assert score.counts["harmful, right"] == score.counts["harmful"], score.faults
    assert score.counts["values, right"] == score.counts["values"], score.faults
    assert score.counts["harmless, right"] >= SHARE_OF_HARMLESS * score.counts["harmless"], score.faults
