export interface Place {
  row: number;
  column: number;
}

/** Return where a key leads from `place`, or null where it is no key of movement; with Ctrl to the end that way. */
export function move(
  place: Place,
  key: string,
  control: boolean,
  bounds: { rows: number; columns: number; page: number },
): Place | null {
  const [lastRow, lastColumn] = [bounds.rows - 1, bounds.columns - 1];
  const to = (down: number, right: number): Place => ({
    row: Math.min(Math.max(down, -1), lastRow),
    column: Math.min(Math.max(right, 0), lastColumn),
  });
  const { row, column } = place;
  const places: Record<string, Place> = {
    ArrowUp: to(control ? 0 : row - 1, column),
    ArrowDown: to(control ? lastRow : row + 1, column),
    ArrowLeft: to(row, control ? 0 : column - 1),
    ArrowRight: to(row, control ? lastColumn : column + 1),
    PageUp: to(Math.max(row - bounds.page, 0), column),
    PageDown: to(row + bounds.page, column),
    Home: to(control ? 0 : row, 0),
    End: to(control ? lastRow : row, lastColumn),
  };
  return places[key] ?? null;
}

/** A block of cells, both ends within it. */
export interface Range {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Return the block between two cells, whichever comes first. */
export function rangeOf(anchor: Place, active: Place): Range {
  return {
    top: Math.min(anchor.row, active.row),
    bottom: Math.max(anchor.row, active.row),
    left: Math.min(anchor.column, active.column),
    right: Math.max(anchor.column, active.column),
  };
}

export function isInRange({ top, bottom, left, right }: Range, row: number, column: number): boolean {
  return row >= top && row <= bottom && column >= left && column <= right;
}

export function isOneCell({ top, bottom, left, right }: Range): boolean {
  return top === bottom && left === right;
}

/**
 * Return what stands in each cell when `cells` are pasted into `range`: from its first cell on, beyond it where there
 * are more of them; one cell alone fills the whole range, as in a spreadsheet.
 */
export function spread(cells: readonly (readonly string[])[], range: Range): readonly (readonly string[])[] {
  const only = cells.length === 1 && cells[0]?.length === 1 ? cells[0][0] : undefined;
  if (only === undefined) return cells;
  const row = Array<string>(range.right - range.left + 1).fill(only);
  return Array<string[]>(range.bottom - range.top + 1).fill(row);
}
