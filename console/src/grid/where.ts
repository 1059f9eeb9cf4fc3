// One question for the grid, its foot and its exports: the conditions as the tree that the API takes, and the search.

import type { Query, Where } from "../api/types";
import type { GridView } from "./view";

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
