import { ChevronDown } from "lucide-react";
import { Link } from "wouter";
import { isGone } from "../api/session";
import type { Table } from "../api/types";
import { ExportDialog } from "../grid/Exports";
import type { Conflict, EditState, Pasted } from "../grid/edits";
import { Filters } from "../grid/Filters";
import { Grid } from "../grid/Grid";
import { Groups } from "../grid/Groups";
import { RowStory, TableHistory, Trash } from "../grid/History";
import { KeysDialog } from "../grid/KeysDialog";
import { Recipe } from "../grid/Recipe";
import { RowDialog } from "../grid/RowDialog";
import { SheetProvider, useParts, useSheetParts } from "../grid/sheet";
import { isFiltered, useView, type ViewHandle } from "../grid/view";
import { columnOf } from "../table/columns";
import { useTable } from "../ui/context";
import { Ask, Menu } from "../ui/dialogs";
import { t } from "../ui/language";
import { Alert, Button, Dialog, Empty, Failure, Pending } from "../ui/parts";
import { useStore } from "../ui/store";
import { formatCell } from "../values/cells";
import { formatCount, plural } from "../values/numbers";

export default function TableGrid({ tableId }: { tableId: string }) {
  const table = useTable(tableId);
  const handle = useView(tableId);
  if (!table.data || isGone(table.error) || handle.isLoading)
    return <Pending query={table} label={t`Carregando a tabela`} />;
  return <TableSheet table={table.data} handle={handle} />;
}

function TableSheet({ table, handle }: { table: Table; handle: ViewHandle }) {
  const parts = useSheetParts(table, handle);
  const { view, onView, saved, unread, failure: noView, rows, edits, isEditable, opened } = parts;
  const state = useStore(edits.state);
  return (
    <SheetProvider value={parts}>
      <section className="mt-sheet" aria-labelledby="table-title">
        <SheetHead />
        <Filters />
        {noView !== null && <Failure error={noView} />}
        {saved?.warnings.map(({ text }) => (
          <Alert key={text} kind="warning">
            {text}
          </Alert>
        ))}
        {unread.length > 0 && (
          <Alert kind="warning">
            {t`Este endereço tem um filtro que não foi entendido, e que não vale: ${unread.join(", ")}.`}{" "}
            <Button onClick={() => onView({})}>{t`Tirar do endereço`}</Button>
          </Alert>
        )}
        {rows.failure && <Failure error={rows.failure} onRetry={() => void rows.reload()} />}
        <Told state={state} />
        {rows.total === 0 && (isFiltered(view) || !isEditable) ? (
          <NoRows />
        ) : view.group_by.length > 0 ? (
          <Groups />
        ) : (
          <Grid />
        )}
        {opened}
        {state.conflict && <ConflictDialog conflict={state.conflict} />}
      </section>
    </SheetProvider>
  );
}

/** What became of the edits that were not simply kept, and what they ask. */
function Told({ state }: { state: EditState }) {
  const { edits } = useParts();
  if (state.pasted) return <PasteDialog pasted={state.pasted} />;
  if (state.failure?.code === "OUTCOME_UNKNOWN") {
    return (
      <Alert kind="warning">
        {t`Não sabemos se a última alteração foi gravada.`} <Button onClick={edits.check}>{t`Conferir`}</Button>
      </Alert>
    );
  }
  if (!state.failure) return null;
  const { waiting } = state;
  return (
    <Failure error={state.failure} onRetry={state.again}>
      {state.again && waiting > 0 && (
        <p>{plural(waiting, "alteração espera: vai sozinha", "alterações esperam: vão sozinhas")}</p>
      )}
    </Failure>
  );
}

/** What was pasted passes the last row: all of it goes, what lies within the table, or nothing. */
function PasteDialog({ pasted: { within, beyond, faults } }: { pasted: Pasted }) {
  const { edits } = useParts();
  const words = plural(beyond.length, "linha nova", "linhas novas");
  const isRefused = faults.length > 0;
  const onlyWithin = t`Colar só nas linhas que existem`;
  const yes = isRefused ? within.length > 0 && onlyWithin : t`Criar ${words}`;
  return (
    <Dialog
      title={isRefused ? t`Há linhas novas que não servem` : t`Criar ${words}?`}
      onClose={() => edits.answer("nothing")}
      keep={t`Não colar nada`}
      actions={!isRefused && within.length > 0 && <Button onClick={() => edits.answer("within")}>{onlyWithin}</Button>}
      {...(yes ? { yes, onYes: () => edits.answer(isRefused ? "within" : "all") } : {})}
    >
      <p>{t`O que foi colado passa do fim da tabela.`}</p>
      {isRefused && (
        <ul>
          {faults.slice(0, SHOWN_FAULTS).map((fault) => (
            <li key={fault}>{fault}</li>
          ))}
        </ul>
      )}
      {faults.length > SHOWN_FAULTS && <p className="mt-quiet">{t`E mais ${faults.length - SHOWN_FAULTS}.`}</p>}
    </Dialog>
  );
}

const SHOWN_FAULTS = 5;

/** What stands there in place of a grid without rows. */
function NoRows() {
  const { view, onView } = useParts();
  if (isFiltered(view)) {
    return (
      <Empty title={t`Nenhuma linha com estes filtros`}>
        <Button onClick={() => onView({ where: {}, q: "" })}>{t`Limpar filtros`}</Button>
      </Empty>
    );
  }
  return <Empty title={t`Esta tabela não tem linhas`} />;
}

/** What a table is called, how many of its rows match, and what this caller may do with it. */
function SheetHead() {
  const { table, view, rows, edits, isEditable, selected, onSelected, onOpen, can } = useParts();
  const chosen = plural(selected.size, "linha");
  const remove = async (): Promise<void> => {
    await edits.delete([...selected]);
    onSelected(new Set());
  };
  const isAsking = selected.size > MANY_ROWS || !table.history;
  const [onlyId = ""] = selected;
  const only = selected.size === 1 ? rows.rowAt(rows.indexOf(onlyId)) : undefined;
  const { total } = rows;
  return (
    <>
      <div className="mt-title-bar">
        <div>
          <h1 id="table-title">{table.title || table.display_name}</h1>
          {table.description && <p className="mt-quiet">{table.description}</p>}
          <p className="mt-quiet">
            {total === null ? t`Procurando…` : plural(total, "linha")}
            {total !== null && isFiltered(view) && t` de ${formatCount(table.row_count)}`}
          </p>
        </div>
        <div className="mt-actions">
          {only && <Button onClick={() => onOpen(<RowDialog row={only} />)}>{t`Abrir linha`}</Button>}
          {only && (
            <Button onClick={() => onOpen(<RowStory rowId={only.id} column={null} />)}>{t`De onde veio`}</Button>
          )}
          {isEditable && selected.size > 0 && (
            <Ask
              label={t`Apagar ${chosen}`}
              kind="danger"
              title={isAsking ? t`Apagar ${chosen}?` : undefined}
              onGo={remove}
            >
              <p>
                {table.history
                  ? t`Por 90 dias dá para trazer de volta o que se apaga: com Ctrl+Z, ou pela Lixeira desta tabela.`
                  : t`Esta tabela não guarda histórico: o que se apaga não volta.`}
              </p>
            </Ask>
          )}
          {isEditable && <Button onClick={() => onOpen(<RowDialog row={null} />)}>{t`Nova linha`}</Button>}
          {table.status === "active" && can("upload") && (
            <Link href={`/enviar?tabela=${table._id}`} className="mt-button mt-button-plain">{t`Enviar arquivo`}</Link>
          )}
          <Button onClick={() => onOpen(<ExportDialog />)}>{t`Exportar`}</Button>
          {can("update") && (
            <Link href={`/tabelas/${table._id}/estrutura`} className="mt-button mt-button-plain">{t`Estrutura`}</Link>
          )}
          <Menu
            label={t`Mais desta tabela`}
            className="mt-button mt-button-plain"
            actions={[
              [t`Histórico`, () => onOpen(<TableHistory />)],
              [t`Lixeira`, () => onOpen(<Trash />)],
              [t`Modelo de importação`, () => onOpen(<Recipe />)],
              [t`Teclas`, () => onOpen(<KeysDialog />)],
            ]}
          >
            {t`Mais`} <ChevronDown />
          </Menu>
        </div>
      </div>
      {table.status !== "active" && (
        <p className="mt-note">{t`Esta tabela está inativa: pode ser lida, mas não alterada.`}</p>
      )}
    </>
  );
}

const SHOWN = 20;
const MANY_ROWS = 20; // fewer are seen to go, and come back by Ctrl+Z

/** Two people changed the same cells: both values of each, and which of them stay. */
function ConflictDialog({ conflict }: { conflict: Conflict }) {
  const { table, rows, edits } = useParts();
  const { clashes } = conflict;
  const isOne = clashes.length === 1;
  const rest = clashes.length - SHOWN;
  return (
    <Dialog
      title={isOne ? t`Outra pessoa mudou esta célula` : t`Outra pessoa mudou estas células`}
      onClose={() => edits.settle(false)}
      keep={isOne ? t`Usar a dela` : t`Usar as dela`}
      yes={isOne ? t`Gravar a minha` : t`Gravar as minhas`}
      onYes={() => edits.settle(true)}
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
