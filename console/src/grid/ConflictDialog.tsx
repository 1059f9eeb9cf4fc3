import type { ReactNode } from "react";
import type { Table } from "../api/types";
import { Button, Dialog } from "../ui/parts";
import { formatCell } from "../values/cells";
import type { Edits } from "./edits";

/** Two people changed one row: both values, and which of them stays. */
export function ConflictDialog({ table, edits }: { table: Table; edits: Edits }): ReactNode {
  const { conflict } = edits;
  if (!conflict) return null;
  const columns = table.columns.filter((column) => column.name in conflict.mine);
  return (
    <Dialog
      title="Outra pessoa mudou esta linha"
      onClose={edits.takeTheirs}
      actions={
        <>
          <Button onClick={edits.takeTheirs}>Usar a dela</Button>
          <Button kind="primary" onClick={edits.takeMine}>
            Gravar a minha
          </Button>
        </>
      }
    >
      <table className="mt-compare">
        <thead>
          <tr>
            <th scope="col">Coluna</th>
            <th scope="col">A dela</th>
            <th scope="col">A sua</th>
          </tr>
        </thead>
        <tbody>
          {columns.map((column) => (
            <tr key={column.name}>
              <th scope="row">{column.display_name}</th>
              <td>{formatCell(conflict.theirs[column.name], column.type) || "(vazia)"}</td>
              <td>{formatCell(conflict.mine[column.name], column.type) || "(vazia)"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  );
}
