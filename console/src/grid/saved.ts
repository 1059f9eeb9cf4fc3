// A view under a name: what the API keeps of it, and what the grid makes of that.

import { useQuery } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import type { SavedView, Table, ViewBody, Where } from "../api/types";
import { useApi } from "../ui/context";
import { ROW_HEIGHT } from "./scroll";
import { arranged, type Condition, type Filter, type GridView, readView, type Total, whereOf, writeView } from "./view";

export interface ViewHandle {
  view: GridView;
  change: (changes: Partial<GridView>) => void;
  /** The view that the address names; null where it names none, or it is not here. */
  saved: SavedView | null;
  /** Whether what is seen is no longer what was saved. */
  isChanged: boolean;
  isLoading: boolean;
  failure: unknown;
  /** Go to a saved view, as it was saved; without one to the table as it is. */
  open: (id: string) => void;
}

/** The address holds the view: the id of a saved one, and what was changed since; a link shows the same rows. */
export function useView(tableId: string): ViewHandle {
  const api = useApi();
  const search = useSearch();
  const [path, navigate] = useLocation();
  const parameters = useMemo(() => new URLSearchParams(search), [search]);
  const id = parameters.get("visao");
  const isChanged = parameters.has("mudada");
  const found = useQuery({
    queryKey: ["view", tableId, id],
    enabled: id !== null,
    queryFn: ({ signal }) =>
      api.GET("/{table_id}/views/{view_id}", { path: { table_id: tableId, view_id: id ?? "" }, signal }),
  });
  const saved = found.data ?? null;
  const view = useMemo(() => (saved && !isChanged ? viewOf(saved) : readView(search)), [saved, isChanged, search]);
  const change = useCallback(
    (changes: Partial<GridView>) => {
      const query = [id ? `visao=${id}&mudada=1` : "", writeView({ ...view, ...changes })].filter(Boolean).join("&");
      navigate(query ? `${path}?${query}` : path, { replace: true });
    },
    [view, id, path, navigate],
  );
  const open = (other: string): void => navigate(other ? `${path}?visao=${other}` : path);
  return { view, change, saved, isChanged, isLoading: id !== null && found.isPending, failure: found.error, open };
}

/** Return what the grid shows of a saved view. */
export function viewOf(saved: SavedView): GridView {
  const filters = saved.where ? filtersOf(saved.where) : [];
  const columns = saved.columns ?? [];
  const named = (has: (column: (typeof columns)[number]) => unknown): string[] =>
    columns.filter(has).map(({ name }) => name);
  return {
    filters: filters ?? [],
    beyond: filters === null ? (saved.where ?? null) : null,
    search: saved.q ?? "",
    sorts: saved.sort ?? [],
    hidden: named(({ hidden }) => hidden),
    frozen: named(({ frozen }) => frozen),
    order: columns.map(({ name }) => name),
    widths: Object.fromEntries(columns.flatMap(({ name, width }) => (width ? [[name, width]] : []))),
    totals: (saved.totals ?? {}) as Record<string, Total>,
    groupBy: saved.group_by ?? [],
    rowHeight: typeof saved.row_height === "number" ? Math.max(saved.row_height, ROW_HEIGHT) : ROW_HEIGHT,
  };
}

/** Return what is saved of a view. */
export function bodyOf(table: Table, view: GridView): Omit<ViewBody, "name"> {
  return {
    where: whereOf(view),
    q: view.search || null,
    sort: [...view.sorts],
    columns: arranged(table.columns, { ...view, hidden: [] }).map(({ name }) => ({
      name,
      width: view.widths[name] ?? null,
      hidden: view.hidden.includes(name),
      frozen: view.frozen.includes(name),
    })),
    totals: { ...view.totals },
    group_by: [...view.groupBy],
    row_height: view.rowHeight,
  };
}

/** Return the filters that a condition is made of; null where it is not made of such. */
function filtersOf(where: Where): Filter[] | null {
  const parts = "and" in where ? where.and : [where];
  const filters = parts.map((part) => ("or" in part ? part.or : [part]));
  const isFilter = (filter: Where[]): filter is Condition[] => filter.every((one) => "column" in one);
  return filters.every(isFilter) ? filters : null;
}
