import type { Cell, Column, RecordOfRow } from "../api/types";
import type { Cells } from "../table/columns";
import { formatCell, parseCell } from "../values/cells";

// Changes of rows as values: what a person wants, what a colleague did meanwhile, what would take it back.

/** Cells as they are written. */
export type Values = Record<string, Exclude<Cell, undefined>>;

/** What is to become of a row, and the row as the person saw it. */
export interface RowChange {
  id: string;
  base: Cells;
  changes: Values;
}

/** A cell that two people changed to different values. */
export interface Clash {
  id: string;
  column: string;
  mine: Cells[string];
  theirs: Cells[string];
}

export function versionOf(cells: Cells): string {
  return String(cells["_version"] ?? "");
}

/** Return the change upon the row as it is now, whose undo leads to what was seen, and the cells that are changed otherwise. */
export function meet(change: RowChange, now: RecordOfRow): { change: RowChange; clashes: Clash[] } {
  const clashes: Clash[] = [];
  const base: Record<string, Cells[string]> = { ...now };
  for (const [column, mine] of Object.entries(change.changes)) {
    const [seen = null, theirs = null] = [change.base[column], now[column]];
    if (theirs === mine) base[column] = seen;
    else if (theirs !== seen) clashes.push({ id: change.id, column, mine, theirs });
  }
  return { change: { ...change, base }, clashes };
}

/** Return the change without cells that are left to the colleague; null where nothing remains. */
export function without(change: RowChange, clashes: readonly Clash[]): RowChange | null {
  const lost = new Set(clashes.filter(({ id }) => id === change.id).map(({ column }) => column));
  const kept = Object.entries(change.changes).filter(([column]) => !lost.has(column));
  return kept.length === 0 ? null : { ...change, changes: Object.fromEntries(kept) };
}

/** Return what takes a change back, once the row stands as `after`. */
export function inverse(change: RowChange, after: Cells): RowChange {
  const columns = Object.keys(change.changes);
  return {
    id: change.id,
    base: after,
    changes: Object.fromEntries(columns.map((column) => [column, change.base[column] ?? null])),
  };
}

/** A field has line feeds alone, and so a text with others is the same text as long as nobody writes. */
export function shownIn(row: RecordOfRow | null, { name, type }: Column): string {
  return formatCell(row?.[name], type).replace(/\r\n|\r/g, "\n");
}

/** Return the values of the texts that were written over a row's, or for a new one, and what is wrong with the others. */
export function readTexts(
  columns: readonly Column[],
  texts: Readonly<Record<string, string>>,
  row: RecordOfRow | null,
) {
  const values: Values = Object.create(null); // a column may be called __proto__
  const wrong: Record<string, string> = Object.create(null);
  for (const column of columns) {
    const { name, type, nullable } = column;
    const isWritten = Object.hasOwn(texts, name);
    const text = (isWritten && texts[name]) || "";
    const isEmpty = text === "" && (nullable || column.default !== undefined);
    if (row ? !isWritten || text === formatCell(row[name], type) : isEmpty) continue;
    const parsed = parseCell(text, type, nullable);
    if (!parsed.ok) wrong[name] = parsed.reason;
    else if (!row || parsed.value !== (row[name] ?? null)) values[name] = parsed.value;
  }
  return { values, wrong };
}
