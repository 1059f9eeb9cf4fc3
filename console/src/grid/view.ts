import type { ColumnType, Where } from "../api/types";

// What a person looks at: conditions, search, sorts, columns. All of it is in the address, so that a link shows it.

export type Operator =
  | "eq"
  | "ne"
  | "gt"
  | "gte"
  | "lt"
  | "lte"
  | "in"
  | "nin"
  | "contains"
  | "not_contains"
  | "starts_with"
  | "ends_with"
  | "is_null";

export interface Condition {
  column: string;
  op: Operator;
  /** As the API takes it: digits with a point, ISO dates, `true`; of `in` and `nin` a list (values/lists.ts). */
  value: string;
}

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
}

export const OPERATOR_LABELS: Record<Operator, string> = {
  eq: "é igual a",
  ne: "é diferente de",
  gt: "é maior que",
  gte: "é maior ou igual a",
  lt: "é menor que",
  lte: "é menor ou igual a",
  in: "é um destes",
  nin: "não é um destes",
  contains: "contém",
  not_contains: "não contém",
  starts_with: "começa com",
  ends_with: "termina com",
  is_null: "está vazia",
};

export function isOperator(text: string): text is Operator {
  return text in OPERATOR_LABELS;
}

export const TOTAL_LABELS: Record<Total, string> = {
  sum: "Soma",
  avg: "Média",
  count: "Preenchidas",
  count_distinct: "Diferentes",
  min: "Menor",
  max: "Maior",
};

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

const LISTS = [
  ["ocultas", "hidden"],
  ["ordem", "order"],
  ["fixas", "frozen"],
] as const;

/** Write a view as a query string, without what is as usual. */
export function writeView(view: GridView): string {
  const query = new URLSearchParams();
  view.filters.forEach(([first, ...others], place) => {
    if (first) query.append(`filter[${first.column}][${first.op}]`, first.value);
    for (const { column, op, value } of others) query.append(`ou[${place}][${column}][${op}]`, value);
  });
  if (view.search) query.set("q", view.search);
  if (view.sorts.length > 0) query.set("sort_by", view.sorts.join(","));
  for (const [name, field] of LISTS) if (view[field].length > 0) query.set(name, view[field].join(","));
  if (view.beyond) query.set("onde", JSON.stringify(view.beyond));
  const pairs = (record: Readonly<Record<string, unknown>>): string =>
    Object.entries(record)
      .map(([name, value]) => `${name}:${value}`)
      .join(",");
  if (Object.keys(view.widths).length > 0) query.set("larguras", pairs(view.widths));
  if (Object.keys(view.totals).length > 0) query.set("totais", pairs(view.totals));
  return query.toString();
}

/** Read what `writeView` wrote; what is no part of a view is left out. */
export function readView(query: string): GridView {
  const parameters = new URLSearchParams(query);
  const filters: Condition[][] = [];
  for (const [name, value] of parameters) {
    const match = /^(?:filter|ou\[(\d+)\])\[([a-z_][a-z0-9_]*)\]\[(\w+)\]$/.exec(name);
    const [, place, column, op] = match ?? [];
    if (!column || !op || !isOperator(op)) continue;
    const condition = { column, op, value };
    if (place === undefined) filters.push([condition]);
    else filters[Number(place)]?.push(condition);
  }
  const list = (name: string): string[] => (parameters.get(name) ?? "").split(",").filter(Boolean);
  const pairs = (name: string, pattern: RegExp): [string, string][] =>
    list(name).flatMap((part) => {
      const [key, value] = part.split(":");
      return key && value && pattern.test(value) ? [[key, value] as [string, string]] : [];
    });
  return {
    filters,
    search: parameters.get("q") ?? "",
    sorts: list("sort_by"),
    hidden: list("ocultas"),
    order: list("ordem"),
    frozen: list("fixas"),
    beyond: conditionIn(parameters.get("onde")),
    widths: Object.fromEntries(pairs("larguras", /^\d{2,4}$/).map(([name, width]) => [name, Number(width)])),
    totals: Object.fromEntries(pairs("totais", /^(sum|avg|count|count_distinct|min|max)$/)) as GridView["totals"],
  };
}

function conditionIn(text: string | null): Where | null {
  try {
    return JSON.parse(text ?? "null") as Where | null; // the API refuses what is none
  } catch {
    return null;
  }
}

/** Return the sorts after a click on a header: alone, or beside the others. */
export function toggleSort(sorts: readonly string[], column: string, add: boolean): readonly string[] {
  const now = sorts.find((sort) => sort.replace(/^-/, "") === column);
  const next = now === undefined ? [column] : now === column ? [`-${column}`] : [];
  if (!add) return next;
  const others = sorts.filter((sort) => sort !== now);
  return [...others, ...next].slice(-5);
}
