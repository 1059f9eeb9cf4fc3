import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";
import { useGet } from "../api/queries";
import type { ColumnType, Query, SavedView, Table, ViewBody, Where } from "../api/types";
import { t } from "../ui/language";
import { ROW_HEIGHT } from "./viewport";

// What a person looks at: conditions, search, sorts, columns. All of it is in the address, so that a link shows it.

/** A column beside a value, typed as the API takes it. */
export type Condition = Extract<Where, { column: string }>;
export type Operator = Condition["op"];

/** Conditions of which one must hold; a view's filters must all hold. */
export type Filter = readonly Condition[];

export type Total = "sum" | "avg" | "count" | "count_distinct" | "min" | "max";

export interface GridView {
  filters: readonly Filter[];
  search: string;
  /** `field` ascending, `-field` descending, the first one first. */
  sorts: readonly string[];
  hidden: readonly string[];
  /** The columns in their order; those that are not named come last, as the table has them. */
  order: readonly string[];
  /** Columns that stay in sight, at the left. */
  frozen: readonly string[];
  /** A condition that no filter can show: of a view that another client has saved. */
  beyond: Where | null;
  widths: Readonly<Record<string, number>>;
  /** What stands at the foot of a column. */
  totals: Readonly<Record<string, Total>>;
  /** Columns whose values make groups, the outermost first. */
  groupBy: readonly string[];
  /** In px where a text is of 16 px. */
  rowHeight: number;
}

export const operatorLabels = (): Record<Operator, string> => ({
  eq: t`é igual a`,
  ne: t`é diferente de`,
  gt: t`é maior que`,
  gte: t`é maior ou igual a`,
  lt: t`é menor que`,
  lte: t`é menor ou igual a`,
  in: t`é um destes`,
  nin: t`não é um destes`,
  contains: t`contém`,
  not_contains: t`não contém`,
  starts_with: t`começa com`,
  ends_with: t`termina com`,
  is_null: t`está vazia`,
});

export const totalLabels = (): Record<Total, string> => ({
  sum: t`Soma`,
  avg: t`Média`,
  count: t`Preenchidas`,
  count_distinct: t`Diferentes`,
  min: t`Menor`,
  max: t`Maior`,
});

/** Return what can be worked out over a column of a type. */
export function totalsOf(type: ColumnType): readonly Total[] {
  if (type === "integer" || type === "decimal") return ["sum", "avg", "count", "count_distinct", "min", "max"];
  return type === "boolean" ? ["count"] : ["count", "count_distinct", "min", "max"];
}

const TEXT_ONLY: readonly Operator[] = ["contains", "not_contains", "starts_with", "ends_with"];
const ORDERED: readonly Operator[] = ["gt", "gte", "lt", "lte"];
const FOR_ALL: readonly Operator[] = ["eq", "ne", "in", "nin", "is_null"];

/** Return the operators that make sense for a type. */
export function operatorsOf(type: string): readonly Operator[] {
  if (type === "text") return ["contains", ...FOR_ALL, ...TEXT_ONLY.slice(1), ...ORDERED];
  if (type === "boolean") return ["eq", "ne", "is_null"];
  return [...FOR_ALL, ...ORDERED];
}

/** Return the columns of a table that show under a view, in their order. */
export function arranged<Column extends { name: string }>(columns: readonly Column[], view: GridView): Column[] {
  const rank = ({ name }: Column): number => {
    const place = view.order.indexOf(name);
    return (place < 0 ? view.order.length : place) - (view.frozen.includes(name) ? columns.length + 1 : 0);
  };
  const shown = columns.filter(({ name }) => !view.hidden.includes(name));
  return shown.sort((one, other) => rank(one) - rank(other));
}

const NARROWEST = 64;
/** What each part of a view is called in the address, and what it is where nobody has chosen. */
const PARTS: { [Part in keyof GridView]: readonly [name: string, plain: GridView[Part]] } = {
  filters: ["filtros", []],
  search: ["q", ""],
  sorts: ["ordenadas", []],
  hidden: ["ocultas", []],
  order: ["ordem", []],
  frozen: ["fixas", []],
  beyond: ["onde", null],
  widths: ["larguras", {}],
  totals: ["totais", {}],
  groupBy: ["grupos", []],
  rowHeight: ["altura", ROW_HEIGHT],
};

/** Write a view as a query string, without what is as usual. */
export function writeView(view: GridView): string {
  const query = new URLSearchParams();
  for (const [part, [name, plain]] of Object.entries(PARTS)) {
    const text = JSON.stringify(view[part as keyof GridView]);
    if (text !== JSON.stringify(plain)) query.set(name, text);
  }
  return query.toString();
}

/** Read what `writeView` wrote, or the console of 0.3.0; what is no part of a view is left out. */
export function readView(query: string): GridView {
  const parameters = new URLSearchParams(query);
  const older = olderParts(parameters);
  const read = Object.entries(PARTS).map(([part, [name, plain]]) => {
    return [part, valueIn(parameters.get(name), plain) ?? older[part as keyof GridView] ?? plain];
  });
  return Object.fromEntries(read) as GridView;
}

/** Read JSON, or what 0.3.0 wrote without it: a text as it is, a list with commas. */
function valueIn(text: string | null, like: unknown): unknown {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === typeof like && Array.isArray(value) === Array.isArray(like)) return value;
  } catch {
    if (Array.isArray(like) && /^\w+(,\w+)*$/.test(text)) return text.split(",");
  }
  return typeof like === "string" ? text : null;
}

/** Read the conditions and sorts of an address of 0.3.0: `filter[valor][gt]=10`, `sort_by=-valor`. */
function olderParts(parameters: URLSearchParams): Partial<GridView> {
  const filters = [...parameters].flatMap(([name, text]): Filter[] => {
    const [, column, op] = /^filter\[(\w+)\]\[(\w+)\]$/.exec(name) ?? [];
    if (!column || !op || !(op in operatorLabels())) return [];
    const value = op === "in" || op === "nin" ? text.split(",") : /^(true|false)$/.test(text) ? text === "true" : text;
    return [[{ column, op, value } as Condition]];
  });
  const sorts = parameters.get("sort_by")?.split(",");
  return { ...(filters.length > 0 ? { filters } : {}), ...(sorts ? { sorts } : {}) };
}

/** Return a view's widths with a column as wide as this, or as wide as the narrowest. */
export function resized({ widths }: GridView, name: string, width: number): Pick<GridView, "widths"> {
  return { widths: { ...widths, [name]: Math.max(Math.round(width), NARROWEST) } };
}

/** Return the sorts after a click on a header: alone, or beside the others. */
export function toggleSort(sorts: readonly string[], column: string, add: boolean): readonly string[] {
  const now = sorts.find((sort) => sort.replace(/^-/, "") === column);
  const next = now === undefined ? [column] : now === column ? [`-${column}`] : [];
  if (!add) return next;
  const others = sorts.filter((sort) => sort !== now);
  return [...others, ...next].slice(-5);
}

/** Return names in their order with one of them some places further. */
export function moved(names: readonly string[], name: string, by: number): string[] {
  const others = names.filter((one) => one !== name);
  others.splice(Math.max(names.indexOf(name) + by, 0), 0, name);
  return others;
}

/** Return which rows a view is of. */
export function askedOf(view: GridView): Pick<Query, "where" | "q"> {
  const where = whereOf(view);
  return { ...(where ? { where } : {}), ...(view.search ? { q: view.search } : {}) };
}

/** Return the view's conditions; null where it has none. */
export function whereOf({ filters, beyond }: GridView): Where | null {
  const parts: Where[] = filters.map((any) => (any.length === 1 && any[0] ? any[0] : { or: [...any] }));
  if (beyond) parts.push(beyond);
  return parts.length === 0 ? null : { and: parts };
}

// A view under a name: what the API keeps of it, and what the grid makes of that.

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

export const viewQuestion = (tableId: string, viewId: string) =>
  ["/{table_id}/views/{view_id}", { path: { table_id: tableId, view_id: viewId } }] as const;

/** The address holds the view: the id of a saved one, and what was changed since; a link shows the same rows. */
export function useView(tableId: string): ViewHandle {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const parameters = useMemo(() => new URLSearchParams(search), [search]);
  const id = parameters.get("visao");
  const isChanged = parameters.has("mudada");
  const found = useGet(...viewQuestion(tableId, id ?? ""), { enabled: id !== null });
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
