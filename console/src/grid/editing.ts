import type { RecordOfRow } from "../api/types";
import type { FootRow } from "./edits";
import type { Place } from "./viewport";

/** How an edit ends: kept and moving on, kept where the focus went elsewhere, or given up. */
export type EditEnd = "cancel" | "down" | "up" | "right" | "left" | "blur";

/** A cell by what it is of, wherever it stands: a row, or null for one that is to be, and a column's name. */
export interface CellOf {
  record: RecordOfRow | null;
  name: string;
  /** What stood at the foot, not taken, when it was begun. */
  foot?: FootRow | null;
  /** The row that was being written there then: it takes what is typed, wherever the focus is led meanwhile. */
  coming?: FootRow | null;
}

export interface Editing extends Place, CellOf {
  text: string;
  /** Whether the text was typed over what stood there, and so is a change already. */
  isTyped: boolean;
}
