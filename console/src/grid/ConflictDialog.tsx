import type { ReactNode } from "react";
import { t } from "../ui/language";
import { Button, Dialog } from "../ui/parts";
import { formatCell } from "../values/cells";
import { plural } from "../values/numbers";
import type { Conflict } from "./edits";
import { useParts } from "./parts";

const SHOWN = 20;

/** Two people changed the same cells: both values of each, and which of them stay. */
export function ConflictDialog({ conflict }: { conflict: Conflict }): ReactNode {
  const { table, rows, edits } = useParts();
  const { clashes } = conflict;
  const isOne = clashes.length === 1;
  const rest = clashes.length - SHOWN;
  return (
    <Dialog
      title={isOne ? t`Outra pessoa mudou esta célula` : t`Outra pessoa mudou estas células`}
      onClose={edits.takeTheirs}
      actions={
        <>
          <Button onClick={edits.takeTheirs}>{isOne ? t`Usar a dela` : t`Usar as dela`}</Button>
          <Button kind="primary" onClick={edits.takeMine}>
            {isOne ? t`Gravar a minha` : t`Gravar as minhas`}
          </Button>
        </>
      }
    >
      {conflict.changes.length > 1 && (
        <p>{t`Nas outras ${plural(conflict.changes.length, "linha")} e colunas, o que você mudou será gravado nos dois casos.`}</p>
      )}
      <table className="mt-compare">
        <thead>
          <tr>
            <th scope="col">{t`Linha`}</th>
            <th scope="col">{t`Coluna`}</th>
            <th scope="col">{t`A dela`}</th>
            <th scope="col">{t`A sua`}</th>
          </tr>
        </thead>
        <tbody>
          {clashes.slice(0, SHOWN).map(({ id, column, mine, theirs }) => {
            const found = table.columns.find((one) => one.name === column);
            const type = found?.type ?? "text";
            return (
              <tr key={`${id}/${column}`}>
                <td>{rows.indexOf(id) + 1 || "–"}</td>
                <th scope="row">{found?.display_name ?? column}</th>
                <td>{formatCell(theirs, type) || t`(vazia)`}</td>
                <td>{formatCell(mine, type) || t`(vazia)`}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {rest > 0 && <p className="mt-quiet">{t`E mais ${plural(rest, "célula")}.`}</p>}
    </Dialog>
  );
}
