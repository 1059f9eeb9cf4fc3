export interface Place {
  row: number;
  column: number;
}

export interface Bounds {
  rows: number;
  columns: number;
  page: number;
}

/** Return where a key leads from `place`, or null where it is no key of movement; with Ctrl to the end that way. */
export function move(place: Place, key: string, control: boolean, bounds: Bounds): Place | null {
  const [lastRow, lastColumn] = [bounds.rows - 1, bounds.columns - 1];
  const to = (row: number, column: number): Place => ({
    row: Math.min(Math.max(row, -1), lastRow),
    column: Math.min(Math.max(column, 0), lastColumn),
  });
  switch (key) {
    case "ArrowUp":
      return to(control ? 0 : place.row - 1, place.column);
    case "ArrowDown":
      return to(control ? lastRow : place.row + 1, place.column);
    case "ArrowLeft":
      return to(place.row, control ? 0 : place.column - 1);
    case "ArrowRight":
      return to(place.row, control ? lastColumn : place.column + 1);
    case "PageUp":
      return to(Math.max(place.row - bounds.page, 0), place.column);
    case "PageDown":
      return to(place.row + bounds.page, place.column);
    case "Home":
      return to(control ? 0 : place.row, 0);
    case "End":
      return to(control ? lastRow : place.row, lastColumn);
    default:
      return null;
  }
}
