import type { ReactNode } from "react";
import type { GridColumn, GridParts } from "./types";

interface InSightProps extends Pick<GridParts, "columns" | "shown"> {
  children: (column: GridColumn, index: number) => ReactNode;
}

/** The cells of a row that are in sight: those that stay at the left, a gap for what was scrolled away, the others. */
export function InSight({ columns, shown, children }: InSightProps): ReactNode {
  return (
    <>
      {columns.slice(0, shown.frozen).map(children)}
      <div className="mt-grid-spacer" style={{ width: shown.offset }} />
      {columns.slice(shown.first, shown.end).map((column, place) => children(column, shown.first + place))}
    </>
  );
}

/** Return the style of a cell, and the class of one that stays where it is. */
export function cellPlace({ width, left }: GridColumn): { style: { width: number; left?: string }; frozen: string } {
  return left === null
    ? { style: { width }, frozen: "" }
    : { style: { width, left: `calc(4.5rem + ${left}px)` }, frozen: " mt-frozen" };
}
