import { useCallback, useMemo } from "react";
import { useLocation, useSearchParams } from "wouter";
import type { Column, ColumnType, Query, SavedView, Table, Where } from "../api/types";
import { filtersOf } from "../table/conditions";
import { useGet } from "../ui/context";
import { t } from "../ui/language";
import { ROW_HEIGHT } from "./viewport";

// What a person looks at, as the API keeps it under a name. All of it is in the address, so that a link shows it.

type Kept = Pick<SavedView, "where" | "q" | "sort" | "columns" | "group_by" | "totals" | "row_height">;

/** Of the columns only those that are not as the table has them: they share their places in this order. */
export type GridView = { [Part in keyof Kept]-?: NonNullable<Kept[Part]> } & { row_height: number };
export type ViewColumn = GridView["columns"][number];

/** What stands at the foot of a column. */
export type Total = GridView["totals"][string];

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

/** Return what is worked out at the foot of a view's columns, of those that the table still has. */
export function aggregatesOf({ columns }: Table, { totals }: GridView) {
  const known = Object.entries(totals).filter(([name]) => columns.some((one) => one.name === name));
  return known.map(([column, fn], index) => ({ fn, column, as: `__total_${index}` }));
}

/** Return a view that sorts and groups by columns that the table has; a filter by another one stays, to be taken away. */
export function within({ columns }: Table, view: GridView): GridView {
  const isThere = (name: string) => columns.some((column) => column.name === name.replace(/^-/, ""));
  return { ...view, sort: view.sort.filter(isThere), group_by: view.group_by.filter(isThere) };
}

/** Return what stands at the foot of a column, which may be called `constructor`. */
export function totalOf({ totals }: GridView, name: string): Total | undefined {
  return Object.hasOwn(totals, name) ? totals[name] : undefined;
}

/** Return which rows a view is of. */
export function askedOf({ where, q }: GridView): Pick<Query, "where" | "q"> {
  return { where, ...(q && { q }) };
}

/** Return whether a view leaves rows out. */
export function isFiltered({ where, q }: GridView): boolean {
  return q !== "" || filtersOf(where).length > 0;
}

type Arranged = Column & ViewColumn;

export interface GridColumn extends Column {
  width: number;
  /** How far from the first cell it stays, in px, where it does not scroll away; else null. */
  left: number | null;
}

const DEFAULT_WIDTH = 168;

/** Return the columns of a table that show under a view, in their order: those that stay in sight first, within `room` px. */
export function shownColumns(table: Table, view: GridView, room = Number.POSITIVE_INFINITY): GridColumn[] {
  const shown = inPlace(table, view).filter(({ hidden }) => !hidden);
  shown.sort((one, other) => Number(other.frozen ?? false) - Number(one.frozen ?? false));
  let covered = 0;
  return shown.map(({ width: chosen, frozen, ...column }) => {
    const [left, width] = [covered, chosen ?? DEFAULT_WIDTH];
    covered += width;
    return { ...column, width, left: frozen && covered <= room ? left : null };
  });
}

function inPlace({ columns }: Table, view: GridView): Arranged[] {
  const known = new Map(columns.map((column) => [column.name, column]));
  const kept = new Map(view.columns.filter(({ name }) => known.has(name)).map((one) => [one.name, one]));
  const next = kept.values();
  return columns.map((column) => {
    const one = kept.has(column.name) ? next.next().value : undefined;
    return { ...(known.get(one?.name ?? "") ?? column), ...one };
  });
}

/** Return a view with a column changed, in the place of `other`, which moves towards where it was. */
export function withColumn(
  table: Table,
  view: GridView,
  name: string,
  changes: Omit<ViewColumn, "name">,
  other = name,
): Pick<GridView, "columns"> {
  const isNamed = new Set([...view.columns.map((one) => one.name), name, other]);
  const columns = inPlace(table, view)
    .filter((one) => isNamed.has(one.name))
    .map(({ name, width, hidden, frozen }) => ({ name, width, hidden, frozen }) as ViewColumn);
  const [from, to] = [name, other].map((wanted) => columns.findIndex((one) => one.name === wanted)) as [number, number];
  const [column] = columns.splice(from, 1);
  if (column) columns.splice(to, 0, { ...column, ...changes });
  return { columns };
}

/** Return a view with a column under its new name. */
function renamed(view: GridView, before: string, after: string): GridView {
  const named = (name: string): string => (name === before ? after : name === `-${before}` ? `-${after}` : name);
  return {
    ...view,
    where: JSON.parse(JSON.stringify(view.where), (key, part) => (key === "column" ? named(part) : part)) as Where,
    sort: view.sort.map(named),
    group_by: view.group_by.map(named),
    columns: view.columns.map((one) => ({ ...one, name: named(one.name) })),
    totals: Object.fromEntries(Object.entries(view.totals).map(([name, fn]) => [named(name), fn])),
  };
}

const NARROWEST = 64;

/** Return a view with a column as wide as this, or as wide as the narrowest. */
export function resized(table: Table, view: GridView, name: string, width: number): Pick<GridView, "columns"> {
  return withColumn(table, view, name, { width: Math.max(Math.round(width), NARROWEST) });
}

/** Return the sorts after a click on a header: alone, or beside the others. */
export function toggleSort(sorts: readonly string[], column: string, add: boolean): string[] {
  const now = sorts.find((sort) => sort.replace(/^-/, "") === column);
  const next = now === undefined ? [column] : now === column ? [`-${column}`] : [];
  if (!add) return next;
  const others = sorts.filter((sort) => sort !== now);
  return [...others, ...next].slice(-5);
}

/** The view of which nobody has chosen anything; its rows are as high as a line of text of 16 px. */
const PLAIN: GridView = { where: {}, q: "", sort: [], columns: [], group_by: [], totals: {}, row_height: ROW_HEIGHT };

/** Write a view as a query string, without what is as usual. */
export function writeView(view: GridView): string {
  const texts = Object.entries(view).map(([part, value]) => [part, JSON.stringify(value)] as const);
  const chosen = texts.filter(([part, text]) => text !== JSON.stringify(PLAIN[part as keyof GridView]));
  return new URLSearchParams(chosen.map(([part, text]) => [part, text])).toString();
}

/** Read what `writeView` wrote; what is no part of a view is left out. */
export function readView(query: string | URLSearchParams): GridView {
  const parameters = new URLSearchParams(query);
  return viewOf((part) => {
    try {
      return JSON.parse(parameters.get(part) ?? "null");
    } catch {
      return null;
    }
  });
}

/** Return what an address says in a way of before, which nobody reads any more, such as `filter[valor][gt]`. */
export function unreadParts(query: string | URLSearchParams): string[] {
  return [...new URLSearchParams(query)].flatMap(([part, value]) =>
    part.startsWith("filter[") ? `${part}=${value}` : [],
  );
}

const isText = (value: unknown): boolean => typeof value === "string";
const isObject = (value: unknown): value is object => Object.prototype.toString.call(value) === "[object Object]";
const isListOf = (value: unknown, is: (one: unknown) => boolean): boolean => Array.isArray(value) && value.every(is);

/** What has the shape of each part; whether the table knows what stands in it is for the API to say. */
const SHAPES: Record<keyof GridView, (value: unknown) => boolean> = {
  where: (value) =>
    isObject(value) &&
    Object.entries(value).every(([name, parts]) => !["and", "or"].includes(name) || isListOf(parts, SHAPES.where)),
  q: isText,
  sort: (value) => isListOf(value, isText),
  columns: (value) => isListOf(value, isObject),
  group_by: (value) => isListOf(value, isText),
  totals: (value) => isObject(value) && Object.values(value).every(isText),
  row_height: (value) => typeof value === "number",
};

/** Return the view of these parts; what is none, or is not said, is as usual. */
function viewOf(partOf: (part: keyof GridView) => unknown): GridView {
  const parts = Object.entries(PLAIN).map(([part, plain]) => {
    const value = partOf(part as keyof GridView);
    return [part, SHAPES[part as keyof GridView](value) ? value : plain];
  });
  return Object.fromEntries(parts) as GridView;
}

export const viewQuestion = (tableId: string, viewId: string) =>
  ["/{table_id}/views/{view_id}", { path: { table_id: tableId, view_id: viewId } }] as const;

/** The address holds the view: the id of a saved one, and what was changed since; a link shows the same rows. */
export function useView(tableId: string) {
  const [parameters] = useSearchParams();
  const [path, navigate] = useLocation();
  const id = parameters.get("visao");
  const isChanged = parameters.has("mudada"); // so that what is seen is no longer what was saved
  const found = useGet(...viewQuestion(tableId, id ?? ""), { enabled: id !== null });
  const saved = found.data ?? null; // null, too, where it is not here
  const view = useMemo(
    () => (saved && !isChanged ? viewOf((part) => saved[part]) : readView(parameters)),
    [saved, isChanged, parameters],
  );
  const onView = useCallback(
    (changes: Partial<GridView>) => {
      const query = [id ? `visao=${id}&mudada=1` : "", writeView({ ...view, ...changes })].filter(Boolean).join("&");
      navigate(query ? `${path}?${query}` : path, { replace: true });
    },
    [view, id, path, navigate],
  );
  /** Have what is seen follow a column to its new name; a view as it was saved does so by itself. */
  const rename = (before: string, after = before): void => {
    if (after !== before && (!saved || isChanged)) onView(renamed(view, before, after));
  };
  /** Go to a saved view, as it was saved; without one to the table as it is. */
  const open = (other: string): void => navigate(other ? `${path}?visao=${other}` : path);
  const isLoading = id !== null && found.isPending;
  const unread = unreadParts(parameters);
  return { view, onView, saved, isChanged, isLoading, failure: found.error, open, rename, unread };
}

export type ViewHandle = ReturnType<typeof useView>;

/** What a person chooses the foot of a column by. */
export function totalChoice(
  { view, onView }: Pick<ViewHandle, "view" | "onView">,
  { name, type }: Column,
  none = t`Nada`,
) {
  const { [name]: _now, ...others } = view.totals;
  return {
    choices: [["", none] as const, ...totalsOf(type).map((fn) => [fn, totalLabels()[fn]] as const)],
    value: totalOf(view, name) ?? ("" as const),
    onValue: (fn: Total | "") => onView({ totals: fn ? { ...others, [name]: fn } : others }),
  };
}
