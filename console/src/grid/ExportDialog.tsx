import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { answered } from "../api/session";
import type { ExportBody, Table } from "../api/types";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Radios } from "../ui/fields";
import { Button, Dialog, Failure, ProgressBar } from "../ui/parts";
import { formatBytes, plural } from "../values/numbers";
import type { GridView } from "./view";
import { whereOf } from "./where";

type Format = "xlsx" | "excel-br" | "rfc4180" | "jsonl" | "parquet";

const FORMATS: [Format, string][] = [
  ["xlsx", "Excel (.xlsx)"],
  ["excel-br", "CSV para Excel no Brasil"],
  ["rfc4180", "CSV padrão"],
  ["jsonl", "JSON Lines"],
  ["parquet", "Parquet"],
];

const KEPT = { staleTime: Number.POSITIVE_INFINITY, gcTime: Number.POSITIVE_INFINITY };

interface ExportDialogProps {
  table: Table;
  view: GridView;
  onClose: () => void;
}

/** What is in sight, as a file: the rows that match, in their order, the columns that show. */
export function ExportDialog({ table, view, onClose }: ExportDialogProps): ReactNode {
  const api = useApi();
  const announce = useAnnounce();
  const [format, setFormat] = useState<Format>("xlsx");
  const queries = useQueryClient();
  const key = ["last-export", table._id];
  // An export goes on when its dialog is closed: opening it again finds it.
  const kept = useQuery<string | null>({ queryKey: key, queryFn: () => null, initialData: null, ...KEPT });
  const start = useMutation({
    mutationFn: () =>
      answered(
        api.POST("/v1/managed-tables/{table_id}/exports", {
          params: { path: { table_id: table._id } },
          body: bodyOf(table, view, format),
        }),
      ),
    onSuccess: ({ export_id }) => queries.setQueryData(key, export_id),
  });
  const exportId = kept.data ?? undefined;
  const state = useQuery({
    queryKey: ["export", exportId],
    enabled: exportId !== undefined,
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/managed-tables/exports/{export_id}", { params: { path: { export_id: exportId ?? "" } }, signal }),
      ),
    refetchInterval: ({ state: { data } }) => (data?.status === "done" || data?.status === "failed" ? false : 1_000),
  });
  const done = state.data?.status === "done" ? state.data : null;
  useEffect(() => {
    if (done) announce("Arquivo pronto");
  }, [done]);
  return (
    <Dialog title="Exportar" onClose={onClose}>
      <Radios
        legend="Formato"
        choices={FORMATS}
        value={format}
        isDisabled={start.isPending || exportId !== undefined}
        onChoose={setFormat}
      />
      {start.error && <Failure error={start.error} />}
      {state.error && <Failure error={state.error} />}
      {state.data?.status === "failed" && <p className="mt-field-error">⚠ {state.data.error?.message}</p>}
      {exportId === undefined && (
        <Button kind="primary" disabled={start.isPending} onClick={() => start.mutate()}>
          Preparar arquivo
        </Button>
      )}
      {exportId !== undefined && !done && state.data?.status !== "failed" && (
        <ProgressBar label="Preparando o arquivo" percent={state.data?.progress?.percent ?? null} />
      )}
      {done?.url && (
        <p>
          <a className="mt-button mt-button-primary" href={done.url}>
            Baixar ({plural(done.rows ?? 0, "linha")}, {formatBytes(done.size_bytes ?? 0)})
          </a>
        </p>
      )}
      {exportId !== undefined && (
        <Button kind="quiet" onClick={() => queries.setQueryData(key, null)}>
          Preparar outro arquivo
        </Button>
      )}
    </Dialog>
  );
}

function bodyOf(table: Table, view: GridView, format: Format): ExportBody {
  const where = whereOf(table, view);
  const kind = format === "excel-br" || format === "rfc4180" ? { format: "csv" as const, dialect: format } : { format };
  return {
    ...kind,
    ...(where ? { where } : {}),
    ...(view.hidden.length > 0
      ? { fields: table.columns.map((column) => column.name).filter((name) => !view.hidden.includes(name)) }
      : {}),
    ...(view.sorts.length > 0 ? { sort: [...view.sorts] } : {}),
  };
}
