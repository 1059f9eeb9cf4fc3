import type { Column, RecordOfRow } from "../api/types";
import type { Cell } from "../values/cells";
import type { Range } from "./range";
import type { Total } from "./view";

export interface GridColumn extends Column {
  width: number;
  /** How far from the first cell it stays, in px, where it does not scroll away; else null. */
  left: number | null;
  isEditable: boolean;
  sort: "ascending" | "descending" | null;
  sortOrder: number | null;
}

export type Cells = Readonly<Record<string, Cell>>;

/** What is to be seen of a cell besides its value: a text that was not taken, how far its save has come. */
export interface CellState {
  text?: string;
  state?: "saving" | "refused" | "unsaved" | "changed";
  reason?: string;
}

/** What is done to a range, with texts for its cells where it is pasted (or emptied); or to the grid as a whole. */
export type Act =
  | { do: "paste"; range: Range; text: string }
  | { do: "copy" | "cut" | "fill"; range: Range }
  | { do: "undo" | "redo" | "search" | "help" };

export interface GridProps {
  label: string;
  columns: readonly GridColumn[];
  /** In px where a text is of 16 px; more than one line of a text shows where there is room. */
  rowHeight: number;
  rowCount: number;
  /** Whether an empty row stands after the last one: what is typed there is a new row. */
  hasNewRow: boolean;
  isBusy: boolean;
  rowAt: (index: number) => RecordOfRow | undefined;
  /** Where a row of this id is, or -1. */
  indexOf: (id: string) => number;
  /** Where the focus goes once its row is here: a row that is new. */
  wanted: string | null;
  cellState: (row: RecordOfRow, column: string) => CellState | undefined;
  selected: ReadonlySet<string>;
  totals: Readonly<Record<string, { fn: Total; text: Cell } | undefined>>;
  onTotal: (column: string, fn: Total | null) => void;
  onVisible: (first: number, end: number) => void;
  onSort: (column: string, add: boolean) => void;
  onResize: (column: string, width: number) => void;
  onHeaderMenu: (column: string) => void;
  /** Hears a text for a cell; of no row where it is that of a new one. */
  onEdit: (row: RecordOfRow | null, column: string, text: string) => void;
  onDiscard: (row: RecordOfRow, column: string) => void;
  onAct: (act: Act) => void;
  /** Hears which row has the focus; null where none has. */
  onRow: (id: string | null) => void;
  onSelect: (row: number, extend: boolean) => void;
  onOpenRow: (row: RecordOfRow) => void;
  /** Hears that more is to be known of a cell. */
  onStory: (row: RecordOfRow, column: string) => void;
}
