import type { Place } from "./keys";

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
