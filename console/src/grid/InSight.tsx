import type { ReactNode } from "react";
import type { GridParts } from "./control";
import type { GridColumn } from "./view";

type InSightProps = GridParts & { children: (column: GridColumn, index: number) => ReactNode };

/** The cells of a row that are in sight: those that stay at the left, a gap for what was scrolled away, the others. */
export function InSight({ columns, port: { columns: shown }, children }: InSightProps) {
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
