"""Find for each confirmed column the inferred one that feeds it and the table's one that it fills.

What was inferred may be sent back as it was answered: `name` is then the inferred name, `source` the column's
own label, and `table_column` the table's column that the plan leads to; null for a new column, and for
one that the recipe leaves out.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from managed_tables.conversion.columns import ColumnChoice
from managed_tables.details import UNKNOWN_COLUMN, Detail, Fault, detail
from managed_tables.documents.analyses import AnalysisDocument, InferredColumn
from managed_tables.documents.repairs import Repairs
from managed_tables.documents.statements import WantedSchema
from managed_tables.identifiers import make_distinct
from managed_tables.schema import Column
from managed_tables.tables import definitions

_NOT_INFERRED = Fault("UNKNOWN_COLUMN", "não está entre as colunas inferidas")
_NOT_LOADED = Fault("UNKNOWN_COLUMN", "não está entre as colunas que são importadas")
_GONE = Fault(
    "UNKNOWN_COLUMN", "a tabela não tem mais esta coluna; leia os arquivos de novo, ou escolha outra"
)
_RENAMED = Fault(
    "UNKNOWN_COLUMN",
    "uma coluna da tabela passou a ter este nome depois da leitura; leia os arquivos de novo",
)


@dataclass(frozen=True)
class _Sent:
    """A column as it was sent; `inferred` are all, by name, and `own` the names of the table's columns.

    `before` are the names that the table had when the files were read, `renamed` those that may be another
    column's since.
    """

    wanted: WantedSchema
    sent: Column
    inferred: Mapping[str, InferredColumn]
    own: Collection[str]
    before: Collection[str]
    renamed: Collection[str]

    @property
    def stated(self) -> ColumnChoice:
        """How it is to be filled, as it was sent."""
        return self.wanted.terms.choice(self.sent.name)

    @property
    def is_answered(self) -> bool:
        """Whether it is sent under its inferred name, from no other column of the file."""
        given = self.inferred.get(self.sent.name)
        return given is not None and self.stated.source in (None, given.source)

    def is_left_out(self, names: Collection[str]) -> bool:
        """Return whether it is sent as it was answered, and is one of these, which the recipe leaves out."""
        given = self.inferred.get(self.sent.name)
        is_as_answered = given is not None and self._is_stated_new and self.stated.source == given.source
        return is_as_answered and self.sent.name in names

    @cached_property
    def source(self) -> InferredColumn | None:
        """The inferred column that feeds it: its own, the one named, or the one so labelled."""
        if self.is_answered:
            return self.inferred[self.sent.name]
        named = self.inferred.get(self.stated.source or "")
        labelled = (one for one in self.inferred.values() if one.source == self.stated.source is not None)
        return named or next(labelled, None)

    @property
    def target(self) -> str | None:
        """The table's column that it is led to by what was sent, else by the plan; None: its name says."""
        if not self.is_answered or not self.own or self.source is None:
            return None
        if self.sent.name in self.wanted.targets:
            return self.wanted.targets[self.sent.name]
        return self.source.table_column.name if self.source.table_column else None

    @property
    def name(self) -> str:
        """Its name in the table; a new column leaves those that are there alone."""
        is_new = self.is_answered and self._is_stated_new
        return self.target or (make_distinct(self.sent.name, self.own) if is_new else self.sent.name)

    @property
    def _is_stated_new(self) -> bool:
        return self.wanted.targets.get(self.sent.name, "") is None

    @property
    def _is_gone(self) -> bool:
        """Whether it is sent for a column that the table had when the files were read, and has no more."""
        return self.name in self.before and self.name not in self.own and not self._is_stated_new

    @property
    def column(self) -> Column:
        """The column without a format that belongs to the type that it was inferred with."""
        shown, source = self.sent.format, self.source
        is_left = source and shown and shown.suits(source.type) and not shown.suits(self.sent.type)
        return self.sent.model_copy(update={"format": None}) if is_left else self.sent

    @property
    def choice(self) -> ColumnChoice:
        """How it is filled: from where, and without a mark or an order that its type has not."""
        source = self.source.name if self.source and self.source.name != self.name else None
        changes: dict[str, str | None] = {"source": source}
        if self.source and self.source.type != self.sent.type:
            changes |= {} if self.sent.type.is_number else {"decimal_mark": None}
            changes |= {} if self.sent.type.is_time else {"date_order": None}
        return self.stated.model_copy(update=changes)

    def faults(self, index: int) -> Iterator[Detail]:
        """Yield what it names and nobody has: a column of the file, or one of the table."""
        if self.source is None:
            field = "name" if self.stated.source is None else "source"
            yield definitions.column_fault(index, self.sent.name, _NOT_INFERRED, field=field)
        elif self.target is not None and self.target not in self.own:
            yield definitions.column_fault(index, self.target, UNKNOWN_COLUMN, field="table_column")
        elif self._is_gone:
            yield definitions.column_fault(index, self.name, _GONE, field="name")
        elif self.name in self.renamed and self.name in self.own:
            yield definitions.column_fault(index, self.name, _RENAMED, field="name")


def _resolve_repairs(repairs: Repairs | None, sent: Sequence[_Sent]) -> Repairs | None:
    """Return the repairs under the names of the table; each may name a column as it was sent, or inferred.

    Raises INVALID_SCHEMA.
    """
    if repairs is None:
        return None
    names = {one.source.name: one.name for one in sent if one.source}
    names |= {one.sent.name: one.name for one in sent} | {one.name: one.name for one in sent}
    definitions.raise_faults(
        [
            detail("body", _NOT_LOADED, path=f"repairs[{place}].column", column=repair["column"])
            for place, repair in enumerate(repairs)
            if repair["column"] not in names
        ]
    )
    return tuple({**repair, "column": names[repair["column"]]} for repair in repairs)


def resolve_columns(
    wanted: WantedSchema, analysis: AnalysisDocument, own: Collection[str], renamed: Collection[str] = ()
) -> WantedSchema:
    """Return what is wanted under the names of the table, with each source as an inferred name.

    `own` names the table's columns; a table that is yet to be made has none. `renamed` are names that may be
    another column's than when the files were read. Raises INVALID_SCHEMA.
    """
    by_name, before = {one.name: one for one in analysis.inferred_schema.columns}, analysis.table_columns
    sent = [_Sent(wanted, column, by_name, own, before, renamed) for column in wanted.columns]
    definitions.check_columns([one.column for one in sent])
    definitions.raise_faults([fault for index, one in enumerate(sent) for fault in one.faults(index)])
    sent = [one for one in sent if not one.is_left_out(analysis.left_out)]
    columns = [one.column.model_copy(update={"name": one.name}) for one in sent]
    definitions.check_columns(columns)  # two may lead to one
    stated = {one.name: one.choice for one in sent if one.choice != ColumnChoice()}
    repairs = _resolve_repairs(wanted.terms.repairs, sent)
    terms = wanted.terms.model_copy(update={"choices": stated, "repairs": repairs})
    return wanted.model_copy(update={"columns": columns, "terms": terms, "targets": {}})
