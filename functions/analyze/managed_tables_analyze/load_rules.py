"""Find which rules of a load its files break: how many rows, which keys, and whether the total is the sum."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.recipes import LoadRule, Recalled
from managed_tables.schema import ColumnType
from managed_tables.wording import number
from managed_tables_analyze.append_plan import FedColumn
from managed_tables_analyze.rule_checks import typed_cells

_TOTAL = re.compile(r"\btotal", re.IGNORECASE)
_NUMBER = re.compile(r"-?[0-9][0-9.,]*")
_ROUNDED = Decimal("0.01")  # a total is written to the cent
_SHOWN_KEYS = 3


@dataclass(frozen=True)
class LoadRules:
    """What a table's recipe demands of every load, and what its files hold."""

    document: AnalysisDocument
    recalled: Recalled
    fed: Mapping[str, FedColumn]  # by the names of the table's columns
    key: Sequence[str]

    def broken(self) -> Iterator[tuple[str | None, str]]:
        """Yield each broken rule: the column that it is of, if of one, and what is wrong, in words."""
        for rule in self.recalled.recipe.load_rules:
            what = {
                "rows_within": self._rows_within,
                "keeps_keys": self._keeps_keys,
                "total_is_sum": self._total_is_sum,
            }[rule.kind](rule)
            if what:
                yield rule.column, what

    def _rows_within(self, rule: LoadRule) -> str | None:
        loads, rows = self.recalled.loads, self.document.row_count
        if not loads or rule.percent is None or abs(rows - loads[0]) * 100 <= rule.percent * loads[0]:
            return None
        now, before, most = number(rows), number(loads[0]), number(float(rule.percent))
        return f"são {now} linhas, e o envio anterior tinha {before}: a diferença passa de {most}%"

    def _keeps_keys(self, _: LoadRule) -> str | None:
        known = self.recalled.keys
        if known is None or not self.key or not self.fed.keys() >= set(self.key):
            return None
        first = self.fed[self.key[0]]
        cells = ", ".join(f"CAST(({typed_cells(self.fed[name])}) AS VARCHAR)" for name in self.key)
        missing = first.connection.execute(
            f"SELECT count(*) OVER (), key FROM (SELECT unnest($1::VARCHAR[]) AS key EXCEPT"  # noqa: S608
            f" SELECT concat_ws(chr(31), {cells}) FROM {first.rows}) ORDER BY key LIMIT {_SHOWN_KEYS}",
            [known],
        ).fetchall()
        if not missing:
            return None
        shown = ", ".join(key.replace("\x1f", " / ") for _, key in missing)
        return f"faltam no arquivo {number(missing[0][0])} chaves da tabela: {shown}"

    def _total_is_sum(self, rule: LoadRule) -> str | None:
        one = self.fed.get(rule.column or "")
        if one is None or one.table is None or not one.table.type.is_number:
            return None
        if not (totals := self._totals()):
            return None
        kind = "BIGINT" if one.table.type is ColumnType.INTEGER else "DECIMAL(38, 6)"
        found = one.connection.execute(
            f"SELECT sum(TRY_CAST(({typed_cells(one)}) AS {kind})) FROM {one.rows}"  # noqa: S608
        ).fetchone()
        total = Decimal(found[0] or 0) if found else Decimal(0)
        if any(abs(value - total) < _ROUNDED for value in totals):
            return None
        return f"a soma da coluna é {number(float(total))}, e o total do arquivo é outro"

    def _totals(self) -> list[Decimal]:
        """Return the numbers of what stands below the table as its total."""
        footers = (warning.preview for warning in self.document.warnings if warning.code == "FOOTER")
        texts = [text for preview in footers for text in preview if _TOTAL.search(text)]
        return [value for text in texts for value in _numbers(text)]


def _numbers(text: str) -> Iterator[Decimal]:
    """Yield the numbers of a text, read with either decimal mark."""
    for word in _NUMBER.findall(text):
        for thousands, mark in ((".", ","), (",", ".")):
            try:
                yield Decimal(word.replace(thousands, "").replace(mark, "."))
            except InvalidOperation:
                continue
