"""Grids of the layout's tests, written as one text: `/` ends a row, `;` a cell, an empty cell is None."""

from managed_tables_reader.layout.grid import GridRow, make_grid


def grid_of(text: str) -> list[GridRow]:
    """Return the rows of a grid."""
    lines = enumerate(text.split("/"), start=1)
    return make_grid(
        (number, number, [cell or None for cell in line.split(";")], None) for number, line in lines
    )
