"""Turn what a table remembers into what the search for the reading and the inference know beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from managed_tables.documents.recipes import FormerColumn, Recalled, RecipeTable
from managed_tables.identifiers import fold_label
from managed_tables_analyze.inference.inferring import Kept
from managed_tables_reader.rows.reading import NO_ORIGINS, AllOverrides, Known, beginning

_OVERRIDDEN = ("encoding", "delimiter", "quote", "fill_merged", "trim")


def recalled_overrides(overrides: AllOverrides, recalled: Recalled | None) -> AllOverrides:
    """Return the overrides with what the table remembers: beside it, since a person does not state it now."""
    if recalled is None:
        return overrides
    origins = recalled.found.origins
    if origins is not None and overrides.origins == NO_ORIGINS:
        overrides = replace(overrides, origins=origins)
    return replace(overrides, timezone=overrides.timezone or recalled.recipe.timezone, known=_known(recalled))


def _known(recalled: Recalled) -> Mapping[str | None, Known]:
    """Return what is known of each sheet by its folded name; None for those of another name."""
    tables = recalled.recipe.tables
    by_sheet: dict[str | None, Known] = {
        fold_label(table.sheet or ""): _known_table(recalled, table) for table in reversed(tables)
    }
    if tables:
        by_sheet[None] = by_sheet[fold_label(tables[0].sheet or "")]
    for sheet in recalled.found.left_out:
        by_sheet[fold_label(sheet)] = replace(by_sheet.get(None, Known()), stated=(("include", False),))
    return by_sheet


def _known_table(recalled: Recalled, table: RecipeTable) -> Known:
    stated = [(name, getattr(table, name)) for name in _OVERRIDDEN if name in table.stated]
    if "header_lines" in table.stated and not table.header_lines:
        stated.append(("header_line", None))
    texts = table.skip_texts if "skip_texts" in table.stated else ()
    return Known(
        labels=recalled.labels if table.labels else frozenset(),
        header_lines=max(1, table.header_lines),
        encoding=table.encoding,
        delimiter=table.delimiter,
        stated=tuple(stated),
        skip_texts=frozenset(filter(None, map(beginning, texts))),
    )


def kept_formats(former_columns: Sequence[FormerColumn | None]) -> Kept:
    """Return the marks and orders that columns had before."""
    kept = [(column, one.kept) for column, one in enumerate(former_columns) if one and one.kept]
    marks = {column: one.decimal_mark for column, one in kept if one.decimal_mark}
    orders = {column: one.date_order for column, one in kept if one.date_order}
    return Kept(marks, orders)
