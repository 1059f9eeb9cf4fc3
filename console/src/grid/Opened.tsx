import type { ReactNode } from "react";
import { ColumnMenu } from "./ColumnMenu";
import { ExportDialog } from "./ExportDialog";
import { KeysDialog } from "./KeysDialog";
import type { Opened } from "./parts";
import { Recipe } from "./Recipe";
import { RowDialog } from "./RowDialog";
import { RowStory, TableHistory } from "./RowStory";
import { Trash } from "./Trash";

const DIALOGS = { exports: ExportDialog, history: TableHistory, trash: Trash, recipe: Recipe, keys: KeysDialog };

export function OpenedDialog({ what }: { what: Opened }): ReactNode {
  if (typeof what === "string") {
    const Named = DIALOGS[what];
    return <Named />;
  }
  if ("menu" in what) return <ColumnMenu name={what.menu} />;
  if ("story" in what) return <RowStory rowId={what.story} column={what.column} />;
  return <RowDialog row={what.row === "new" ? null : what.row} />;
}
