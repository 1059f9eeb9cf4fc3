import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { detailsOf } from "../api/session";
import type { RecordOfRow } from "../api/types";
import { t } from "../ui/language";
import { Alert, Button, Dialog, Facts, Field } from "../ui/parts";
import { formatCell, typeLabels } from "../values/cells";
import { plural } from "../values/numbers";
import { CellField } from "./CellEditor";
import { ColumnMenu } from "./ColumnMenu";
import { readTexts, shownIn } from "./changes";
import { ExportDialog } from "./Exports";
import type { Conflict } from "./edits";
import { FilterDialog, SaveView } from "./Filters";
import { RowStory, TableHistory, Trash } from "./History";
import { Recipe } from "./Recipe";
import { columnOf, type Opened, useParts } from "./sheet";

const DIALOGS = {
  filter: FilterDialog,
  view: SaveView,
  exports: ExportDialog,
  history: TableHistory,
  trash: Trash,
  recipe: Recipe,
  keys: KeysDialog,
};

export function OpenedDialog({ what }: { what: Opened }) {
  if (typeof what === "string") {
    const Named = DIALOGS[what];
    return <Named />;
  }
  if ("menu" in what) return <ColumnMenu name={what.menu} />;
  if ("story" in what) return <RowStory rowId={what.story} column={what.column} />;
  return <RowDialog row={what.row === "new" ? null : what.row} />;
}

/** One row as a form: a new one, or one that is too wide to be read in the grid. */
function RowDialog({ row }: { row: RecordOfRow | null }) {
  const { table, edits, isEditable, onClose } = useParts();
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const insert = useMutation({ mutationFn: edits.insert, onSuccess: onClose, meta: { asksItself: true } });
  const faults = new Map([
    ...detailsOf(insert.error).map(({ column, reason }) => [column, reason] as const),
    ...Object.entries(wrong),
  ]);
  const submit = (form: HTMLFormElement): void => {
    const texts = Object.fromEntries([...new FormData(form)].map(([name, text]) => [name, String(text)]));
    const written = table.columns.filter((column) => row === null || texts[column.name] !== shownIn(row, column));
    const { values, wrong } = readTexts(written, texts, row);
    setWrong(wrong);
    if (Object.keys(wrong).length > 0) return;
    if (row === null) insert.mutate([values]);
    else {
      if (Object.keys(values).length > 0) edits.change(row, values);
      onClose(); // what is not taken is marked at its cell, and the text kept there
    }
  };
  return (
    <Dialog
      title={row ? t`Linha` : t`Nova linha`}
      onClose={onClose}
      onSubmit={submit}
      actions={
        isEditable && (
          <Button kind="primary" type="submit" disabled={insert.isPending}>
            {insert.isPending ? t`Gravando…` : t`Gravar`}
          </Button>
        )
      }
    >
      {insert.error && <Alert>{insert.error.message}</Alert>}
      {table.columns.map((column) => (
        <Field
          key={column.name}
          label={column.display_name}
          hint={column.description ?? typeLabels()[column.type]}
          error={faults.get(column.name)}
        >
          {(ids) => (
            <CellField
              type={column.type}
              text={shownIn(row, column)}
              isReadOnly={!isEditable}
              attributes={{ ...ids, name: column.name }}
            />
          )}
        </Field>
      ))}
    </Dialog>
  );
}

const SHOWN = 20;

/** Two people changed the same cells: both values of each, and which of them stay. */
export function ConflictDialog({ conflict }: { conflict: Conflict }) {
  const { table, rows, edits } = useParts();
  const { clashes } = conflict;
  const isOne = clashes.length === 1;
  const rest = clashes.length - SHOWN;
  return (
    <Dialog
      title={isOne ? t`Outra pessoa mudou esta célula` : t`Outra pessoa mudou estas células`}
      onClose={() => edits.settle(false)}
      keep={isOne ? t`Usar a dela` : t`Usar as dela`}
      actions={
        <Button kind="primary" onClick={() => edits.settle(true)}>
          {isOne ? t`Gravar a minha` : t`Gravar as minhas`}
        </Button>
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
            const { display_name, type } = columnOf(table, column);
            return (
              <tr key={`${id}/${column}`}>
                <td>{rows.indexOf(id) + 1 || "–"}</td>
                <th scope="row">{display_name}</th>
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

const keys = (): [string, string][] => [
  [t`Setas, Home, End, Page Up, Page Down`, t`andar; com Ctrl até o fim; com Shift marcar`],
  [t`Enter ou F2`, t`editar a célula; Enter grava e desce, Tab grava e vai ao lado, Esc desiste`],
  ["Alt+Enter", t`quebrar a linha dentro da célula`],
  ["Delete", t`esvaziar`],
  ["Ctrl+C, Ctrl+X, Ctrl+V", t`copiar, recortar, colar`],
  ["Ctrl+D", t`repetir para baixo o que está na primeira linha marcada`],
  ["Ctrl+A", t`marcar tudo`],
  ["Ctrl+Z, Ctrl+Y", t`desfazer, refazer`],
  [t`Espaço`, t`selecionar a linha; com Shift, todas até ela`],
  ["/", t`procurar`],
  [t`Botão direito ou tecla de menu`, t`de onde veio a célula, e o que foi mudado nela`],
  [t`No cabeçalho: Enter`, t`ordenar; com Shift, ao lado das outras ordenações`],
  [t`No cabeçalho: Alt e seta para baixo`, t`opções da coluna`],
];

function KeysDialog() {
  const { onClose } = useParts();
  return (
    <Dialog title={t`Teclas`} onClose={onClose}>
      <Facts facts={keys()} />
    </Dialog>
  );
}
