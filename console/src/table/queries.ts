import type { Api } from "../api/session";
import type { Query, RecordOfRow } from "../api/types";

/** Ask for rows as they are now, exactly. */
export async function readRows(api: Api, tableId: string, ids: readonly string[]): Promise<RecordOfRow[]> {
  const where = { column: "id", op: "in" as const, value: [...ids] };
  return (await queryRows(api, tableId, { where, per_page: Math.max(ids.length, 1), count: false })).records;
}

/** Ask for rows, or for what is worked out over them. */
export async function queryRows(api: Api, tableId: string, body: Query, signal?: AbortSignal) {
  const query = { numbers: "string" as const, versions: !body.aggregates };
  const asks = { path: { table_id: tableId }, query, body, signal };
  const page = await api.POST("/{table_id}/data/query", asks);
  return { ...page, records: page.records as RecordOfRow[] };
}
