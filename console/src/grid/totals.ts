import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Table } from "../api/types";
import { useApi } from "../ui/context";
import type { Cell } from "../values/cells";
import { askedOf, type GridView, type Total } from "./view";

export type Totals = Readonly<Record<string, { fn: Total; text: Cell } | undefined>>;

/** Work out what the view has at the foot of its columns, over the rows that match. */
export function useTotals(table: Table, view: GridView): Totals {
  const api = useApi();
  const wanted = Object.entries(view.totals).filter(([name]) => table.columns.some((one) => one.name === name));
  const asked = useMemo(() => askedOf(view), [view.filters, view.search, view.beyond]);
  const totals = useQuery({
    queryKey: ["totals", table._id, table.updated_at, asked, wanted],
    enabled: wanted.length > 0,
    retry: false,
    queryFn: async ({ signal }) => {
      const aggregates = wanted.map(([column, fn], index) => ({ fn, column, as: `total_${index}` }));
      const asks = { path: { table_id: table._id }, query: { numbers: "string" as const }, signal };
      const page = await api.POST("/{table_id}/data/query", { ...asks, body: { ...asked, aggregates } });
      return page.records[0] as Record<string, Cell> | undefined;
    },
  });
  const { data } = totals;
  return Object.fromEntries(wanted.map(([name, fn], index) => [name, { fn, text: data?.[`total_${index}`] }]));
}
