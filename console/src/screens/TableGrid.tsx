import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { useTable } from "../api/queries";
import type { Table } from "../api/types";
import { ColumnMenu } from "../grid/ColumnMenu";
import { ConflictDialog } from "../grid/ConflictDialog";
import { ExportDialog } from "../grid/ExportDialog";
import { type Edits, useEdits } from "../grid/edits";
import { Filters } from "../grid/Filters";
import { Grid, type GridColumn, type GridRow } from "../grid/Grid";
import { useDeleteRows, useTotals } from "../grid/operations";
import { RowDialog } from "../grid/RowDialog";
import { useRows } from "../grid/rows";
import { type GridView, readView, toggleSort, writeView } from "../grid/view";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Button, Dialog, Empty, Failure, Loading } from "../ui/parts";
import { formatCount, plural } from "../values/numbers";

const DEFAULT_WIDTH = 168;
const NARROWEST = 64;

export default function TableGrid({ tableId }: { tableId: string }): ReactNode {
  const table = useTable(tableId);
  if (table.error) return <Failure error={table.error} onRetry={() => void table.refetch()} />;
  if (!table.data) return <Loading label="Carregando a tabela" />;
  return <Sheet table={table.data} />;
}

/** The address holds the view: a link shows the same rows in the same order. */
function useView(): [GridView, (changes: Partial<GridView>) => void] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const view = useMemo(() => readView(search), [search]);
  const change = useCallback(
    (changes: Partial<GridView>) => {
      const query = writeView({ ...view, ...changes });
      navigate(query ? `${path}?${query}` : path, { replace: true });
    },
    [view, path, navigate],
  );
  return [view, change];
}

function gridColumns(table: Table, view: GridView): GridColumn[] {
  return table.columns
    .filter((column) => !view.hidden.includes(column.name))
    .map((column) => {
      const place = view.sorts.findIndex((sort) => sort.replace(/^-/, "") === column.name);
      const sort = view.sorts[place];
      return {
        name: column.name,
        label: column.display_name,
        type: column.type,
        width: view.widths[column.name] ?? DEFAULT_WIDTH,
        isEditable: table.status === "active",
        sort: sort === undefined ? null : sort.startsWith("-") ? ("descending" as const) : ("ascending" as const),
        sortOrder: view.sorts.length > 1 && place >= 0 ? place + 1 : null,
      };
    });
}

function Sheet({ table }: { table: Table }): ReactNode {
  const api = useApi();
  const announce = useAnnounce();
  const [view, setView] = useView();
  const rows = useRows(api, table._id, view);
  const [edits, onRow] = useFreshRows(table, view, rows);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [menu, setMenu] = useState<string | null>(null);
  const [opened, setOpened] = useState<GridRow | "new" | null>(null);
  const columns = useMemo(() => gridColumns(table, view), [table, view]);
  const totals = useTotals(table, view);

  useEffect(() => {
    if (rows.total !== null) announce(plural(rows.total, "linha"));
  }, [rows.total]);
  useEffect(() => setSelected(new Set()), [view]);

  const select = (row: GridRow): void =>
    setSelected((before) => {
      const after = new Set(before);
      if (!after.delete(row.id)) after.add(row.id);
      return after;
    });
  const sort = (column: string, add: boolean): void => {
    const sorts = toggleSort(view.sorts, column, add);
    setView({ sorts });
    const label = table.columns.find((one) => one.name === column)?.display_name ?? column;
    announce(sorts.length === 0 ? "Sem ordenação" : `Ordenado por ${label}`);
  };

  return (
    <section className="mt-sheet" aria-labelledby="table-title">
      <Head
        table={table}
        rows={rows}
        selected={selected}
        onDone={() => setSelected(new Set())}
        onOpen={setOpened}
        view={view}
      />
      <Filters table={table} view={view} onView={setView} />
      {rows.failure && <Failure error={rows.failure} onRetry={rows.reload} />}
      <EditState edits={edits} />
      {rows.total === 0 ? (
        <NoRows
          table={table}
          view={view}
          onClear={() => setView({ conditions: [], search: "" })}
          onNew={() => setOpened("new")}
        />
      ) : (
        <Grid
          label={`Linhas de ${table.title || table.display_name}`}
          columns={columns}
          rowCount={rows.total ?? 0}
          rowAt={rows.rowAt}
          indexOf={rows.indexOf}
          cellState={edits.stateOf}
          selected={selected}
          totals={totals}
          onVisible={rows.show}
          onSort={sort}
          onResize={(name, width) =>
            setView({ widths: { ...view.widths, [name]: Math.max(Math.round(width), NARROWEST) } })
          }
          onHeaderMenu={(name) => setMenu(name)}
          onEdit={edits.edit}
          onPaste={(range, text) => edits.paste(range, text, columns)}
          onTooManyToCopy={() => announce("São linhas demais para copiar: use Exportar")}
          onRow={onRow}
          onSelect={select}
          onOpenRow={setOpened}
          onUndo={edits.undo}
        />
      )}
      {menu && <ColumnMenu table={table} name={menu} view={view} onView={setView} onClose={() => setMenu(null)} />}
      {opened && (
        <RowDialog
          table={table}
          row={opened === "new" ? null : opened}
          onClose={() => setOpened(null)}
          onSaved={rows.reload}
        />
      )}
      {edits.conflict && <ConflictDialog table={table} edits={edits} />}
    </section>
  );
}

/**
 * The edits, and what follows from them: totals are summed anew, and a row that no longer matches the view, or belongs
 * elsewhere in it, stays where it is until the focus leaves it.
 */
function useFreshRows(
  table: Table,
  view: GridView,
  rows: ReturnType<typeof useRows>,
): [Edits, (id: string | null) => void] {
  const queries = useQueryClient();
  const focused = useRef<string | null>(null);
  const misplaced = useRef(new Set<string>());
  const isArranged = view.conditions.length > 0 || view.search !== "" || view.sorts.length > 0;
  const settle = useCallback(() => {
    if (misplaced.current.size === 0 || (focused.current !== null && misplaced.current.has(focused.current))) return;
    misplaced.current.clear();
    void rows.reload();
  }, [rows.reload]);
  const edits = useEdits(table, rows, (ids) => {
    void queries.invalidateQueries({ queryKey: ["totals", table._id] });
    if (!isArranged) return;
    for (const id of ids) misplaced.current.add(id);
    settle();
  });
  const onRow = useCallback(
    (id: string | null) => {
      focused.current = id;
      settle();
    },
    [settle],
  );
  return [edits, onRow];
}

function EditState({ edits }: { edits: Edits }): ReactNode {
  if (edits.unknown) {
    return (
      <p className="mt-note mt-note-warning" role="alert">
        ⚠ Não sabemos se a última alteração foi gravada. <Button onClick={edits.check}>Conferir</Button>
      </p>
    );
  }
  if (edits.refusal) {
    return (
      <p className="mt-note mt-note-error" role="alert">
        ⚠ {edits.refusal}
      </p>
    );
  }
  return null;
}

interface HeadProps {
  table: Table;
  rows: ReturnType<typeof useRows>;
  selected: ReadonlySet<string>;
  view: GridView;
  onDone: () => void;
  onOpen: (row: GridRow | "new") => void;
}

function Head({ table, rows, selected, view, onDone, onOpen }: HeadProps): ReactNode {
  const [isExporting, setExporting] = useState(false);
  const isActive = table.status === "active";
  const [onlyId = ""] = selected;
  const only = selected.size === 1 ? rows.rowAt(rows.indexOf(onlyId)) : undefined;
  return (
    <>
      <div className="mt-title-bar">
        <div>
          <h1 id="table-title">{table.title || table.display_name}</h1>
          {table.description && <p className="mt-quiet">{table.description}</p>}
          <p className="mt-quiet">
            {rows.total === null ? "Contando…" : plural(rows.total, "linha")}
            {rows.total !== null && rows.total !== table.row_count && ` de ${formatCount(table.row_count)}`}
          </p>
        </div>
        <div className="mt-actions">
          {isActive && <Button onClick={() => onOpen("new")}>Nova linha</Button>}
          {isActive && (
            <Link href={`/enviar?tabela=${table._id}`} className="mt-button mt-button-plain">
              Enviar arquivo
            </Link>
          )}
          <Button onClick={() => setExporting(true)}>Exportar</Button>
          <Link href={`/tabelas/${table._id}/estrutura`} className="mt-button mt-button-plain">
            Estrutura
          </Link>
          {only && <Button onClick={() => onOpen(only)}>Abrir linha</Button>}
          {isActive && selected.size > 0 && (
            <DeleteRows table={table} selected={selected} onDone={onDone} reload={rows.reload} />
          )}
        </div>
      </div>
      {!isActive && <p className="mt-note">Esta tabela está inativa: pode ser lida, mas não alterada.</p>}
      {isExporting && <ExportDialog table={table} view={view} onClose={() => setExporting(false)} />}
    </>
  );
}

interface DeleteRowsProps {
  table: Table;
  selected: ReadonlySet<string>;
  onDone: () => void;
  reload: () => void;
}

function DeleteRows({ table, selected, onDone, reload }: DeleteRowsProps): ReactNode {
  const [isAsked, setAsked] = useState(false);
  const remove = useDeleteRows(table._id, () => {
    setAsked(false);
    onDone();
    reload();
  });
  const words = plural(selected.size, "linha");
  return (
    <>
      <Button kind="danger" onClick={() => setAsked(true)}>
        Apagar {words}
      </Button>
      {isAsked && (
        <Dialog
          title={`Apagar ${words}?`}
          onClose={() => setAsked(false)}
          actions={
            <>
              <Button onClick={() => setAsked(false)}>Manter</Button>
              <Button kind="danger" disabled={remove.isPending} onClick={() => remove.mutate([...selected])}>
                Apagar {words}
              </Button>
            </>
          }
        >
          <p>As linhas apagadas não voltam.</p>
          {remove.error && <Failure error={remove.error} />}
        </Dialog>
      )}
    </>
  );
}

interface NoRowsProps {
  table: Table;
  view: GridView;
  onClear: () => void;
  onNew: () => void;
}

function NoRows({ table, view, onClear, onNew }: NoRowsProps): ReactNode {
  if (view.conditions.length > 0 || view.search) {
    return (
      <Empty title="Nenhuma linha com estes filtros">
        <Button onClick={onClear}>Limpar filtros</Button>
      </Empty>
    );
  }
  return (
    <Empty title="Esta tabela não tem linhas">
      <Link href={`/enviar?tabela=${table._id}`} className="mt-button mt-button-primary">
        Enviar arquivo
      </Link>
      <Button onClick={onNew}>Nova linha</Button>
    </Empty>
  );
}
