"""Next files by every kind of drift: what loads itself leaves the table as an oracle says that it must."""

import random
import secrets
from collections import Counter

import pytest
from drifts import KINDS, Kind, kinds_of
from reports import Reports
from rows_client import RowsCompany
from series import make_month
from test_series import Follower, Score, loaded, texts

SHARE_OF_HARMLESS = 0.95
FILES_OF_A_TABLE = 40
FEW = 16


def _load_one(follower: Follower, names: dict[str, str], table_id: str, kind: Kind, number: int) -> bool:
    """Make the file of a drift, let it load where it does, score it; return whether it is loaded."""
    reports, score = follower.reports, follower.score
    month = make_month(follower.series, 0 if kind.is_again else number)
    if kind.month:
        kind.month(month)
    content = kind.content(month.content()) if kind.content else month.content()
    about = f"series {follower.series}, file {number}, {kind.name}"
    job_id = reports.wait(content, table_id, name=f"vendas.{month.kind}{kind.suffix}")
    itself = reports.job(job_id).confirms_itself
    proofs = {one.code: one.text for one in reports.analysis(job_id).proofs or () if not one.holds}
    what = "harmless" if kind.is_harmless else "harmful"
    score.add(what, is_right=itself is kind.is_harmless, about=f"{about}: {proofs}")
    if itself and kind.is_harmless:
        assert reports.insert(job_id) == "done", about
        order = [names[label.strip().casefold()] for label in month.labels]
        score.add("values", is_right=loaded(reports, job_id, order) == texts(month.rows), about=about)
    return itself and kind.is_harmless


def test_no_file_loads_itself_otherwise_than_an_oracle_says(
    loading_company: RowsCompany, pytestconfig: pytest.Config
) -> None:
    """A seeded few here; by `make test-drift` as many as FILES= says, which prints the score."""
    left = pytestconfig.getoption("--drift") or FEW
    seed = pytestconfig.getoption("--drift-seed")
    chance, score, seen = random.Random(seed), Score(), Counter[str]()  # noqa: S311 - no secret
    while left > 0:
        follower = Follower(
            Reports(loading_company, f"desvio_{secrets.token_hex(5)}"), chance.randrange(50), score
        )
        first = make_month(follower.series, 0)
        table = follower.load_first(first)
        columns = [one["name"] for one in table.get()["columns"]]
        names = dict(zip(map(str.casefold, first.labels), columns, strict=True))
        kinds = kinds_of(first)
        chance.shuffle(kinds)
        month = 1  # the next one; what is harmful does not come into the table
        for kind in kinds[: min(left, FILES_OF_A_TABLE)]:
            month += _load_one(follower, names, table.table_id, kind, month)
            seen[kind.name] += 1
        left -= min(len(kinds), FILES_OF_A_TABLE)
    print(f"seed {seed}", dict(score.counts), f"{len(seen)} of {len(KINDS)} kinds", *score.faults, sep="\n")
    assert score.counts["harmful, right"] == score.counts["harmful"], score.faults
    assert score.counts["values, right"] == score.counts["values"], score.faults
    assert score.counts["harmless, right"] >= SHARE_OF_HARMLESS * score.counts["harmless"], score.faults
