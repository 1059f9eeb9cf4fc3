// One question for the grid, its foot and its exports: the conditions as the tree that the API takes, and the search.

import type { Query, Table, Where } from "../api/types";
import { splitList } from "../values/lists";
import type { Condition, GridView } from "./view";

/** Return which rows a view is of. */
export function askedOf(table: Table, view: GridView): Pick<Query, "where" | "q"> {
  const where = whereOf(table, view);
  return { ...(where ? { where } : {}), ...(view.search ? { q: view.search } : {}) };
}

/** Return the view's conditions; null where it has none. */
export function whereOf(table: Table, view: GridView): Where | null {
  const parts: Where[] = view.filters.map((filter) => {
    const conditions = filter.map((condition) => comparisonOf(table, condition));
    return conditions.length === 1 && conditions[0] ? conditions[0] : { or: conditions };
  });
  if (view.beyond) parts.push(view.beyond);
  return parts.length === 0 ? null : { and: parts };
}

function comparisonOf(table: Table, { column, op, value }: Condition): Where {
  if (op === "is_null") return { column, op, value: value === "true" };
  if (op === "in" || op === "nin") return { column, op, value: splitList(value) };
  const type = table.columns.find((one) => one.name === column)?.type;
  return { column, op, value: type === "boolean" ? value === "true" : value };
}
