import { TriangleAlert } from "lucide-react";
import { type ReactNode, useRef } from "react";
import type { Export } from "../api/types";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Listing } from "../ui/Listing";
import { t } from "../ui/language";
import { ProgressBar } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { formatBytes, plural } from "../values/numbers";

const POLL_MS = 1_000;

/** The exports of a table, or of all tables, newest first: a running one is followed, a ready one fetched. */
export function ExportList({ tableId }: { tableId: string | null }): ReactNode {
  const api = useApi();
  const announce = useAnnounce();
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
      {(exports) => (
        <ul className="mt-list">
          {exports.map((one) => (
            <li key={one._id}>
              {isRunning(one) ? (
                <ProgressBar label={one.file_name} percent={one.progress?.percent ?? null} />
              ) : one.url ? (
                <a
                  className="mt-button mt-button-plain"
                  href={one.url}
                >{t`Baixar ${one.file_name} (${plural(one.rows ?? 0, "linha")}, ${formatBytes(one.size_bytes ?? 0)})`}</a>
              ) : (
                <p>
                  {one.file_name}: <TriangleAlert /> {one.error?.message ?? t`o arquivo já foi apagado`}
                </p>
              )}
              <p className="mt-quiet">{formatMoment(one.created_at)}</p>
            </li>
          ))}
        </ul>
      )}
    </Listing>
  );
}

function isRunning({ status }: Export): boolean {
  return status === "queued" || status === "running";
}
