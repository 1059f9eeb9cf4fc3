import type { ColumnFormat, ColumnType, RecordOfRow } from "../api/types";
import type { Cell } from "../values/cells";

export interface GridColumn {
  name: string;
  label: string;
  type: ColumnType;
  format: ColumnFormat | null;
  width: number;
  isEditable: boolean;
  isNullable: boolean;
  sort: "ascending" | "descending" | null;
  sortOrder: number | null;
}

export type Cells = Readonly<Record<string, Cell>>;

export interface GridRow {
  id: string;
  cells: Cells;
}

/** What is to be seen of a cell besides its value: a text that was not taken, how far its save has come. */
export interface CellState {
  text?: string;
  state?: "saving" | "refused" | "unsaved";
  reason?: string;
}

export function toGridRow(record: RecordOfRow): GridRow {
  const { id, ...cells } = record;
  return { id, cells };
}
