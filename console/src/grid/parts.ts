import { createContext } from "react";
import type { RecordOfRow, Table } from "../api/types";
import { useShared } from "../ui/sharing";
import type { ViewHandle } from "./saved";
import type { CellState } from "./types";
import type { Sheet } from "./useSheet";
import type { GridView } from "./view";

/** What lies over a sheet: a column's menu, a row's form or its story (of one cell), or one of the sheet's own. */
export type Opened =
  | { menu: string }
  | { row: RecordOfRow | "new" }
  | { story: string; column: string | null }
  | "exports"
  | "history"
  | "trash"
  | "recipe"
  | "keys";

/** What the parts of a sheet share: its table, the view of it, its rows and edits, and what lies over it. */
export interface SheetParts extends Sheet {
  table: Table;
  handle: ViewHandle;
  view: GridView;
  onView: (changes: Partial<GridView>) => void;
  isEditable: boolean;
  onOpen: (what: Opened) => void;
  onClose: () => void;
}

/** What is to be seen of a cell besides its value. */
export function markOf({ rows, edits }: Sheet, row: RecordOfRow, column: string): CellState | undefined {
  return edits.stateOf(row, column) ?? (rows.isFresh(row.id, column) ? { state: "changed" } : undefined);
}

export const SheetProvider = createContext<SheetParts | null>(null);

export const useParts = (): SheetParts => useShared(SheetProvider, "no sheet around this");
