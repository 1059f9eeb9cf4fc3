import type { ReactNode } from "react";
import type { RecordOfRow, Table } from "../api/types";
import { ColumnMenu } from "./ColumnMenu";
import { ExportDialog } from "./ExportDialog";
import { KeysDialog } from "./KeysDialog";
import { Recipe } from "./Recipe";
import { RowDialog } from "./RowDialog";
import { RowStory, TableHistory } from "./RowStory";
import { Trash } from "./Trash";
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

interface OpenedProps {
  what: Opened;
  table: Table;
  sheet: Sheet;
  view: GridView;
  isEditable: boolean;
  onView: (changes: Partial<GridView>) => void;
  /** Hears what to open instead; null for nothing. */
  onOpen: (what: Opened | null) => void;
}

export function OpenedDialog({ what, table, sheet, view, isEditable, onView, onOpen }: OpenedProps): ReactNode {
  const onClose = (): void => onOpen(null);
  if (typeof what === "object") {
    if ("menu" in what)
      return <ColumnMenu table={table} name={what.menu} view={view} onView={onView} onClose={onClose} />;
    if ("story" in what) return <RowStory table={table} rowId={what.story} column={what.column} onClose={onClose} />;
    const row = what.row === "new" ? null : what.row;
    return <RowDialog table={table} row={row} isReadOnly={!isEditable} edits={sheet.edits} onClose={onClose} />;
  }
  switch (what) {
    case "exports":
      return <ExportDialog table={table} view={view} onClose={onClose} />;
    case "history":
      return <TableHistory table={table} onRow={(story) => onOpen({ story, column: null })} onClose={onClose} />;
    case "trash":
      return (
        <Trash
          table={table}
          isEditable={isEditable}
          onDone={() => sheet.edits.listener.inserted([])}
          onClose={onClose}
        />
      );
    case "recipe":
      return <Recipe table={table} onClose={onClose} />;
    case "keys":
      return <KeysDialog onClose={onClose} />;
  }
}
