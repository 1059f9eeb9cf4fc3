import { useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { answered } from "../api/session";
import type { Table } from "../api/types";
import { Ask } from "../ui/Ask";
import { useApi, useCaller } from "../ui/context";
import { Button } from "../ui/parts";
import { formatCount, plural } from "../values/numbers";
import { ExportDialog } from "./ExportDialog";
import type { RowSource } from "./rows";
import type { GridRow } from "./types";
import type { GridView } from "./view";

interface SheetHeadProps {
  table: Table;
  rows: RowSource;
  selected: ReadonlySet<string>;
  view: GridView;
  isEditable: boolean;
  onDone: () => void;
  onOpen: (row: GridRow | "new") => void;
}

/** What a table is called, how many of its rows match, and what this caller may do with it. */
export function SheetHead({ table, rows, selected, view, isEditable, onDone, onOpen }: SheetHeadProps): ReactNode {
  const { can } = useCaller();
  const [isExporting, setExporting] = useState(false);
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
            {total === null ? "Procurando…" : plural(total, "linha")}
            {total !== null && total !== table.row_count && ` de ${formatCount(table.row_count)}`}
          </p>
        </div>
        <div className="mt-actions">
          {isEditable && <Button onClick={() => onOpen("new")}>Nova linha</Button>}
          {table.status === "active" && can("upload") && (
            <Link href={`/enviar?tabela=${table._id}`} className="mt-button mt-button-plain">
              Enviar arquivo
            </Link>
          )}
          <Button onClick={() => setExporting(true)}>Exportar</Button>
          {can("update") && (
            <Link href={`/tabelas/${table._id}/estrutura`} className="mt-button mt-button-plain">
              Estrutura
            </Link>
          )}
          {only && <Button onClick={() => onOpen(only)}>Abrir linha</Button>}
          {isEditable && selected.size > 0 && <DeleteRows table={table} selected={selected} onDone={onDone} />}
        </div>
      </div>
      {table.status !== "active" && (
        <p className="mt-note">Esta tabela está inativa: pode ser lida, mas não alterada.</p>
      )}
      {isExporting && <ExportDialog table={table} view={view} onClose={() => setExporting(false)} />}
    </>
  );
}

interface DeleteRowsProps {
  table: Table;
  selected: ReadonlySet<string>;
  onDone: () => void;
}

function DeleteRows({ table, selected, onDone }: DeleteRowsProps): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const words = plural(selected.size, "linha");
  const remove = async (): Promise<void> => {
    await answered(
      api.POST("/v1/managed-tables/{table_id}/data/delete", {
        params: { path: { table_id: table._id } },
        body: { ids: [...selected] },
      }),
    );
    onDone();
    void queries.invalidateQueries({ queryKey: ["table", table._id] });
  };
  return (
    <Ask
      label={`Apagar ${words}`}
      kind="danger"
      title={`Apagar ${words}?`}
      keep="Manter"
      go={`Apagar ${words}`}
      onGo={remove}
    >
      <p>As linhas apagadas não voltam.</p>
    </Ask>
  );
}
