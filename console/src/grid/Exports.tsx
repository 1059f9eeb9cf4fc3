import { TriangleAlert } from "lucide-react";
import { useRef, useState } from "react";
import type { Export, ExportBody, Table } from "../api/types";
import { useConsole } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { Listing } from "../ui/Listing";
import { t } from "../ui/language";
import { Dialog, ProgressBar, Radios } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { formatBytes, plural } from "../values/numbers";
import { useParts } from "./sheet";
import { askedOf, type GridView, shownColumns } from "./view";

type Format = "xlsx" | "editing" | "excel-br" | "rfc4180" | "jsonl" | "parquet";

const formats = (): [Format, string][] => [
  ["xlsx", t`Excel (.xlsx), para ler`],
  ["editing", t`Excel (.xlsx), para editar e enviar de volta`],
  ["excel-br", t`CSV para Excel no Brasil`],
  ["rfc4180", t`CSV padrão`],
  ["jsonl", "JSON Lines"],
  ["parquet", "Parquet"],
];

/** What is in sight, as a file: the rows that match, in their order, the columns that show; and earlier files. */
export function ExportDialog() {
  const { table, view, rows, onClose, api } = useParts();
  const [format, setFormat] = useState<Format>("xlsx");
  const body = bodyOf(table, view, format);
  const start = () => api.POST("/{table_id}/exports", { path: { table_id: table._id }, body });
  return (
    <Dialog title={t`Exportar`} isSide onClose={onClose}>
      {rows.total !== null && (
        <p>{t`${plural(rows.total, "linha")} e ${plural(shownColumns(table, view).length, "coluna")} vão para o arquivo.`}</p>
      )}
      <Radios legend={t`Formato`} choices={formats()} value={format} onValue={setFormat} />
      {format === "editing" && (
        <p className="mt-quiet">
          {t`Mude, acrescente e apague no Excel; depois envie a planilha para esta tabela em até 90 dias. Entra só o que mudou, e o que outras pessoas mudaram fica.`}
        </p>
      )}
      <Ask label={t`Preparar arquivo`} kind="primary" onGo={start} />
      <h3>{t`Arquivos desta tabela`}</h3>
      <ExportList tableId={table._id} />
    </Dialog>
  );
}

function bodyOf(table: Table, view: GridView, format: Format): ExportBody {
  const kind = kindOf(format);
  const fields = view.columns.length > 0 ? shownColumns(table, view).map(({ name }) => name) : null;
  return { ...kind, ...askedOf(view), fields, sort: view.sort };
}

function kindOf(format: Format): Pick<ExportBody, "format" | "dialect" | "for_editing"> {
  if (format === "editing") return { format: "xlsx", for_editing: true };
  return format === "excel-br" || format === "rfc4180" ? { format: "csv", dialect: format } : { format };
}

/** Every export of the company, newest first. */
export default function Exports() {
  return (
    <section aria-labelledby="exports-title">
      <h1 id="exports-title">{t`Arquivos exportados`}</h1>
      <ExportList tableId={null} />
    </section>
  );
}

const POLL_MS = 1_000;

/** The exports of a table, or of all tables, newest first: a running one is followed, a ready one fetched. */
function ExportList({ tableId }: { tableId: string | null }) {
  const { api, announce } = useConsole();
  const running = useRef<ReadonlySet<string>>(new Set());
  const follow = (exports: readonly Export[]): number | false => {
    if (exports.some((one) => one.status === "done" && running.current.has(one._id))) announce(t`Arquivo pronto`);
    running.current = new Set(exports.filter(isRunning).map((one) => one._id));
    return running.current.size > 0 && POLL_MS;
  };
  return (
    <Listing
      queryKey={["exports", tableId]}
      load={(page, signal) => {
        const query = { page, per_page: 20 };
        return tableId === null
          ? api.GET("/exports", { query, signal })
          : api.GET("/{table_id}/exports", { path: { table_id: tableId }, query, signal });
      }}
      again={follow}
      empty={t`Nenhum arquivo exportado`}
    >
      {(one) => (
        <li key={one._id}>
          {isRunning(one) ? (
            <ProgressBar label={one.file_name} percent={one.progress?.percent ?? null} />
          ) : one.url ? (
            <a className="mt-button mt-button-plain" href={one.url}>
              {t`Baixar ${one.file_name} (${plural(one.rows ?? 0, "linha")}, ${formatBytes(one.size_bytes ?? 0)})`}
            </a>
          ) : (
            <p>
              {one.file_name}: <TriangleAlert /> {one.error?.message ?? t`o arquivo já foi apagado`}
            </p>
          )}
          <p className="mt-quiet">{formatMoment(one.created_at)}</p>
        </li>
      )}
    </Listing>
  );
}

function isRunning({ status }: Export): boolean {
  return status === "queued" || status === "running";
}
