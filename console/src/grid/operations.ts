import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { answered } from "../api/session";
import type { Table } from "../api/types";
import { useApi } from "../ui/context";
import { formatNumber } from "../values/numbers";
import type { Condition, GridView } from "./view";

const MAX_TOTALS = 40; // columns summed at once: a table of 1,500 would cost more than it tells

interface ConditionBody {
  column: string;
  op: Condition["op"];
  value: string | boolean | string[];
}
type Where = ConditionBody | { and: Where[] } | { or: Where[] };

/** Return the view's conditions, and its search, as the tree that queries, exports and bulk changes take. */
export function whereOf(table: Table, view: GridView): Where | null {
  const parts: Where[] = view.conditions.map(({ column, op, value }) => ({
    column,
    op,
    value: bodyValue(table, column, op, value),
  }));
  if (view.search) {
    const texts = table.columns.filter((column) => column.type === "text");
    parts.push({ or: texts.map((column) => ({ column: column.name, op: "contains", value: view.search })) });
  }
  return parts.length === 0 ? null : { and: parts };
}

function bodyValue(table: Table, name: string, op: Condition["op"], value: string): string | boolean | string[] {
  if (op === "is_null") return value === "true";
  if (op === "in" || op === "nin") return value.split(/(?<!\\),/).map((part) => part.replaceAll("\\,", ","));
  const type = table.columns.find((column) => column.name === name)?.type;
  return type === "boolean" ? value === "true" : value;
}

/** Sum the numbers of the rows that match; undefined while there is nothing to show. */
export function useTotals(table: Table, view: GridView): ReadonlyMap<string, string> | undefined {
  const api = useApi();
  const numeric = table.columns.filter((column) => column.type === "decimal").slice(0, MAX_TOTALS);
  const where = useMemo(() => whereOf(table, view), [table, view.conditions, view.search]);
  const totals = useQuery({
    queryKey: ["totals", table._id, table.updated_at, where],
    enabled: numeric.length > 0,
    retry: false,
    queryFn: async ({ signal }) => {
      const page = await answered(
        api.POST("/v1/managed-tables/{table_id}/data/query", {
          params: { path: { table_id: table._id }, query: { numbers: "string" } },
          body: {
            ...(where ? { where } : {}),
            aggregates: numeric.map((column) => ({ fn: "sum", column: column.name, as: column.name })),
          } as never,
          signal,
        }),
      );
      return page.records[0] as unknown as Record<string, string | null>;
    },
  });
  return useMemo(() => {
    if (!totals.data) return undefined;
    const shown = Object.entries(totals.data).filter(([, sum]) => sum !== null);
    return new Map(shown.map(([name, sum]) => [name, formatNumber(String(sum))]));
  }, [totals.data]);
}

export function useDeleteRows(tableId: string, onDone: () => void) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (ids: string[]) =>
      answered(
        api.POST("/v1/managed-tables/{table_id}/data/delete", {
          params: { path: { table_id: tableId } },
          body: { ids } as never,
        }),
      ),
    onSuccess: async () => {
      onDone();
      await queries.invalidateQueries({ queryKey: ["table", tableId] });
    },
  });
}
