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
  /** As the API takes it: digits with a point, ISO dates, `true`. */
  value: string;
}

export interface GridView {
  conditions: readonly Condition[];
  search: string;
  /** `field` ascending, `-field` descending, the first one first. */
  sorts: readonly string[];
  hidden: readonly string[];
  widths: Readonly<Record<string, number>>;
}

export const EMPTY_VIEW: GridView = { conditions: [], search: "", sorts: [], hidden: [], widths: {} };

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

const TEXT_ONLY: readonly Operator[] = ["contains", "not_contains", "starts_with", "ends_with"];
const ORDERED: readonly Operator[] = ["gt", "gte", "lt", "lte"];
const FOR_ALL: readonly Operator[] = ["eq", "ne", "in", "nin", "is_null"];

/** Return the operators that make sense for a type. */
export function operatorsOf(type: string): readonly Operator[] {
  if (type === "text") return ["contains", ...FOR_ALL, ...TEXT_ONLY.slice(1), ...ORDERED];
  if (type === "boolean") return ["eq", "ne", "is_null"];
  return [...FOR_ALL, ...ORDERED];
}

/** Write a view as a query string, without what is as usual. */
export function writeView(view: GridView): string {
  const query = new URLSearchParams();
  for (const { column, op, value } of view.conditions) query.append(`filter[${column}][${op}]`, value);
  if (view.search) query.set("q", view.search);
  if (view.sorts.length > 0) query.set("sort_by", view.sorts.join(","));
  if (view.hidden.length > 0) query.set("ocultas", view.hidden.join(","));
  const widths = Object.entries(view.widths);
  if (widths.length > 0) query.set("larguras", widths.map(([name, width]) => `${name}:${width}`).join(","));
  return query.toString();
}

/** Read what `writeView` wrote; what is no part of a view is left out. */
export function readView(query: string): GridView {
  const parameters = new URLSearchParams(query);
  const conditions: Condition[] = [];
  for (const [name, value] of parameters) {
    const match = /^filter\[([a-z_][a-z0-9_]*)\]\[(\w+)\]$/.exec(name);
    if (match?.[1] && match[2] && match[2] in OPERATOR_LABELS) {
      conditions.push({ column: match[1], op: match[2] as Operator, value });
    }
  }
  const list = (name: string): string[] => (parameters.get(name) ?? "").split(",").filter(Boolean);
  const widths = list("larguras").flatMap((part) => {
    const [name, width] = part.split(":");
    return name && width && /^\d{2,4}$/.test(width) ? [[name, Number(width)] as const] : [];
  });
  return {
    conditions,
    search: parameters.get("q") ?? "",
    sorts: list("sort_by"),
    hidden: list("ocultas"),
    widths: Object.fromEntries(widths),
  };
}

/** Return the query of a list of rows under this view; pages come on top. */
export function rowsQuery(view: GridView): Record<string, string> {
  const query: Record<string, string> = { numbers: "string", versions: "true" };
  for (const { column, op, value } of view.conditions) query[`filter[${column}][${op}]`] = value;
  if (view.search) query["q"] = view.search;
  if (view.sorts.length > 0) query["sort_by"] = view.sorts.join(",");
  return query;
}

/** Return the sorts after a click on a header: alone, or beside the others. */
export function toggleSort(sorts: readonly string[], column: string, add: boolean): readonly string[] {
  const now = sorts.find((sort) => sort.replace(/^-/, "") === column);
  const next = now === undefined ? [column] : now === column ? [`-${column}`] : [];
  if (!add) return next;
  const others = sorts.filter((sort) => sort !== now);
  return [...others, ...next].slice(-5);
}
