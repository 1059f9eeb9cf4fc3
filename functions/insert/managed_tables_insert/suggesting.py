"""What may be put in the place of values of a column: always the same, at most three, each of them fits."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion.sql_text import literal
from managed_tables.details import Fault
from managed_tables.documents.repairs import original
from managed_tables.rules.rule import Rule
from managed_tables.rules.saying import fault_of
from managed_tables.schema import ColumnType
from managed_tables_insert.plan import RULE_VALUES, LoadedColumn, LoadPlan

MAX_SUGGESTIONS = 3
SAME_TEXT = "é o mesmo texto, escrito de outro jeito"
_LETTERS = "difere em uma ou duas letras"
_OTHER_MARK = "é o número com o outro separador decimal"
_OTHER_ORDER = "é a data com o dia e o mês trocados"
_NOTHING = "quer dizer que não há valor"

_FREQUENT = 3  # rows that a value is in before another is taken for it
_MOST_FREQUENT = 5_000  # of a column, that a value is compared with
_SHORTEST, _SHORT = 4, 8  # letters of a text in which none may differ, and one alone
_NOTHINGS = frozenset({
    "na", "nd", "ni", "sd", "si", "nc", "null", "none", "nil", "nan", "vazio", "nenhum", "naoinformado",
    "naoseaplica", "naoconsta", "naodisponivel", "seminformacao", "semdados", "semvalor", "adefinir",
    "ignorado",
})  # fmt: skip
_DAY = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})(\2[0-9]{2,4}.*)", re.DOTALL)
_SWAPPED = str.maketrans(",.", ".,")

Suggestion = dict[str, Any]  # `to`, or `empty`, and `reason`


def text_of(loaded: LoadedColumn) -> str:
    """Return the SQL of a column's original text, `""` where it is empty."""
    return original(f"c{loaded.number}", {"": None}, is_workbook=loaded.formats.workbook)


@dataclass(frozen=True)
class Outcomes:
    """Judges texts as cells of one column of a plan, by its type and by the rules of it alone."""

    converter: DuckDBPyConnection
    plan: LoadPlan
    number: int

    @cached_property
    def loaded(self) -> LoadedColumn:
        """The column, whose cells are any texts."""
        return replace(self.plan.columns[self.number], is_proven=False)

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """The rules of this column alone."""
        name = self.loaded.column.name
        return tuple(rule for rule in self.plan.rules if [*rule.columns] == [name])

    def faults(self, texts: Sequence[str | None]) -> list[Fault | None]:
        """Return for each text why it does not fit; None where it does."""
        if not texts:
            return []
        loaded = self.loaded
        refusing = tuple(rule for rule in self.rules if rule.refuses)
        judged = replace(self.plan, columns=(loaded,), rules=refusing).judged
        made = f", {loaded.made} AS {loaded.cell}" if loaded.made else ""
        tests = ", ".join([loaded.is_misfit(), loaded.conversion.empty, *(test for _, _, test in judged)])
        source = f"(SELECT *{made} FROM (SELECT unnest($1::VARCHAR[]) AS c{loaded.number}))"  # noqa: S608
        found = self.converter.execute(f"SELECT {tests} FROM {source}", [list(texts)])  # noqa: S608 - own SQL
        judging = [rule for rule, _, _ in judged]
        return [self._fault(*one, judging) for one in zip(texts, found.fetchall(), strict=True)]

    def _fault(self, text: str | None, flags: Sequence[bool], rules: Sequence[Rule]) -> Fault | None:
        is_misfit, is_empty, *broken = flags
        if is_misfit:
            return self.loaded.fault_of(text, is_empty=is_empty or text is None)
        return next(
            (fault_of(rule) for rule, is_broken in zip(rules, broken, strict=True) if is_broken), None
        )


class Suggesting:
    """What may be put in the place of values of one column of a plan."""

    def __init__(self, converter: DuckDBPyConnection, plan: LoadPlan, number: int) -> None:
        self._converter, self._plan = converter, plan
        self._outcomes = Outcomes(converter, plan, number)

    def suggest(self, texts: Mapping[int, str]) -> Iterator[tuple[int, list[Suggestion]]]:
        """Yield the suggestions for each text that has some, by its place."""
        offered = [(at, *one) for at, text in texts.items() for one in self._offered(text)]
        faults = self._outcomes.faults([to for _, to, _ in offered])
        kept: dict[int, dict[str | None, str]] = {}
        for (at, to, reason), fault in zip(offered, faults, strict=True):
            if fault is None and to != texts[at]:
                kept.setdefault(at, {}).setdefault(to, reason)
        for at, reasons in kept.items():
            yield at, [_suggestion(*one) for one in list(reasons.items())[:MAX_SUGGESTIONS]]

    def _offered(self, text: str) -> Iterator[tuple[str | None, str]]:
        """Yield what the text may mean, and why; not all of it fits."""
        kind, words = self._outcomes.loaded.column.type, _words(text)
        if kind in (ColumnType.TEXT, ColumnType.BOOLEAN):
            yield from ((to, SAME_TEXT) for key in keys_of(text) for to in self._by_key.get(key, ()))
            yield from ((to, _LETTERS) for to in self._nearest(text))
        elif kind.is_number:
            yield text.translate(_SWAPPED), _OTHER_MARK
        elif day := _DAY.fullmatch(text.strip()):
            yield f"{day[3]}{day[2]}{day[1]}{day[4]}", _OTHER_ORDER
        if not words or "".join(words) in _NOTHINGS:
            yield None, _NOTHING

    @cached_property
    def _targets(self) -> list[str]:
        """The texts that a value may be meant for: those of the column's lists, else its frequent ones."""
        listed: dict[str, None] = {}
        for rule in self._outcomes.rules:
            if rule.kind == "list":
                listed |= dict.fromkeys(map(str, rule.values or ()))
            if rule.kind == "in_table":
                query = f"SELECT value FROM {RULE_VALUES} WHERE rule = {literal(rule.id)}"  # noqa: S608
                listed |= dict.fromkeys(value for (value,) in self._converter.execute(query).fetchall())
        return list(listed) or self._frequent()

    def _frequent(self) -> list[str]:
        """Return the column's most frequent texts that fit and keep its rules."""
        loaded = self._plan.columns[self._outcomes.number]
        judged = [test for _, one, test in self._plan.judged if one.column.name == loaded.column.name]
        fits = " AND ".join(f"NOT ({test})" for test in (loaded.is_misfit(), *judged))
        found = self._converter.execute(
            f"SELECT {text_of(loaded)} FROM {self._plan.rows} WHERE {fits} AND {text_of(loaded)} <> ''"  # noqa: S608
            f" GROUP BY 1 HAVING count(*) >= {_FREQUENT} ORDER BY count(*) DESC, 1 LIMIT {_MOST_FREQUENT}"
        )
        return [text for (text,) in found.fetchall()]

    @cached_property
    def _by_key(self) -> dict[Any, list[str]]:
        known: dict[Any, list[str]] = {}
        for target in self._targets:
            for key in keys_of(target):
                known.setdefault(key, []).append(target)
        return known

    def _nearest(self, text: str) -> list[str]:
        """Return the one target that is one or two letters away; none where there are two."""
        own, most = _fold(text), 2
        if len(own) < _SHORTEST:
            return []
        if len(own) < _SHORT:
            most = 1
        found = self._converter.execute(
            "SELECT DISTINCT target FROM"
            " (SELECT unnest($1::VARCHAR[]) AS target, unnest($2::VARCHAR[]) AS folded)"
            " WHERE abs(length(folded) - length($3)) <= $4 AND damerau_levenshtein(folded, $3) <= $4",
            [self._targets, self._folded, own, most],
        )
        digits = _DIGITS.findall(text)
        near = [target for (target,) in found.fetchall() if _DIGITS.findall(target) == digits]
        return near if len(near) == 1 else []

    @cached_property
    def _folded(self) -> list[str]:
        return [*map(_fold, self._targets)]


_DIGITS = re.compile("[0-9]+")


def _suggestion(to: str | None, reason: str) -> Suggestion:
    return {"empty": True, "reason": reason} if to is None else {"to": to, "reason": reason}


def _words(text: str) -> list[str]:
    """Return the words, small and without accents."""
    letters = (one for one in unicodedata.normalize("NFKD", text) if not unicodedata.combining(one))
    return re.findall(r"[^\W_]+", "".join(letters).casefold())


def _fold(text: str) -> str:
    return " ".join(_words(text))


def keys_of(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return what texts share that differ in case, accents, blanks, punctuation or the order of words.

    Numbers in a text are its own: `1.5` and `15`, `A 12-3` and `A 1-23` share nothing.
    """
    words, digits = _words(text), _DIGITS.findall(text)
    if not any(map(str.isalpha, "".join(words))):
        return []
    keys = ("".join(words), tuple(digits)), ("".join(sorted(words)), tuple(sorted(digits)))
    return list(dict.fromkeys(keys))
