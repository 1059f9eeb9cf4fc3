import type { Column } from "../api/types";
import type { Cell } from "../values/cells";
import type { Command, GridEvent, GridState } from "./model";
import type { Shown } from "./viewport";

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

/** What the rows of a grid are drawn by. */
export interface GridParts {
  columns: readonly GridColumn[];
  /** How many rows the table has. */
  rowCount: number;
  /** Whether an empty row stands after the last one: what is typed there is a new row. */
  hasNewRow: boolean;
  selected: ReadonlySet<string>;
  onCommand: (command: SheetCommand) => void;
  shown: Shown;
  state: GridState;
  dispatch: (event: GridEvent) => void;
}
