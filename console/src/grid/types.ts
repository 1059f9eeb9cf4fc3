import type { ColumnFormat, ColumnType, RecordOfRow } from "../api/types";
import type { Cell } from "../values/cells";
import type { Range } from "./range";
import type { Total } from "./view";

export interface GridColumn {
  name: string;
  label: string;
  type: ColumnType;
  format: ColumnFormat | null;
  width: number;
  /** How far from the first cell it stays, in px, where it does not scroll away; else null. */
  left: number | null;
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

export interface GridProps {
  label: string;
  columns: readonly GridColumn[];
  rowCount: number;
  /** Whether an empty row stands after the last one: what is typed there is a new row. */
  hasNewRow: boolean;
  isBusy: boolean;
  rowAt: (index: number) => GridRow | undefined;
  /** Where a row of this id is, or -1. */
  indexOf: (id: string) => number;
  /** Where the focus goes once its row is here: a row that is new. */
  wanted: string | null;
  cellState: (row: GridRow, column: string) => CellState | undefined;
  selected: ReadonlySet<string>;
  totals: Readonly<Record<string, { fn: Total; text: Cell } | undefined>>;
  onTotal: (column: string, fn: Total | null) => void;
  onVisible: (first: number, end: number) => void;
  onSort: (column: string, add: boolean) => void;
  onResize: (column: string, width: number) => void;
  onHeaderMenu: (column: string) => void;
  /** Hears a text for a cell; of no row where it is that of a new one. */
  onEdit: (row: GridRow | null, column: string, text: string) => void;
  onDiscard: (row: GridRow, column: string) => void;
  /** Texts for the cells of a range: pasted, or emptied. */
  onPaste: (range: Range, text: string) => void;
  onCopy: (range: Range, isCut: boolean) => void;
  onFill: (range: Range) => void;
  /** Hears which row has the focus; null where none has. */
  onRow: (id: string | null) => void;
  onSelect: (row: number, extend: boolean) => void;
  onOpenRow: (row: GridRow) => void;
  /** Hears that more is to be known of a cell. */
  onStory: (row: GridRow, column: string) => void;
  onHistory: (way: "undo" | "redo") => void;
  onHelp: () => void;
  onSearch: () => void;
}
