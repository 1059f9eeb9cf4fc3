import type { Column, RecordOfRow } from "../api/types";
import type { Cell } from "../values/cells";
import type { Command } from "./model";
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

/** What keys and mouse have done; the grid itself reveals. */
export type SheetCommand = Exclude<Command, { do: "reveal" }>;

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
  onResize: (column: string, width: number) => void;
  onCommand: (command: SheetCommand) => void;
  /** Hears which row has the focus; null where none has. */
  onRow: (id: string | null) => void;
  onOpenRow: (row: RecordOfRow) => void;
  /** Hears that more is to be known of a cell. */
  onStory: (row: RecordOfRow, column: string) => void;
}
