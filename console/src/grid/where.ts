// One question for the grid, its foot and its exports: the conditions and the search as the tree that the API takes.

import type { Column, Table, Where } from "../api/types";
import { parseDate } from "../values/dates";
import { splitList } from "../values/lists";
import { parseNumber } from "../values/numbers";
import type { Condition, GridView } from "./view";

const MAX_CONDITIONS = 100; // of one question to the API

const NOTHING: Where = { column: "id", op: "is_null", value: true }; // every row has an id

/** Return the view's conditions and its search; null where every row matches. */
export function whereOf(table: Table, view: GridView): Where | null {
  const parts: Where[] = view.filters.map((filter) => {
    const conditions = filter.map((condition) => comparisonOf(table, condition));
    return conditions.length === 1 && conditions[0] ? conditions[0] : { or: conditions };
  });
  if (view.search) {
    const or = searched(table, view).flatMap((column) => found(column, view.search));
    parts.push(or.length > 0 ? { or } : NOTHING);
  }
  if (view.beyond) parts.push(view.beyond);
  return parts.length === 0 ? null : { and: parts };
}

/** Return the columns that a search looks at: those that show, as many as one question may name. */
export function searched(table: Table, view: GridView): readonly Column[] {
  const room = MAX_CONDITIONS - view.filters.flat().length;
  const shown = table.columns.filter((column) => !view.hidden.includes(column.name));
  const kept: Column[] = [];
  let used = 0;
  for (const column of shown) {
    used += found(column, view.search).flatMap(leaves).length;
    if (used > room) break;
    kept.push(column);
  }
  return kept;
}

function leaves(where: Where): Where[] {
  return "and" in where ? where.and.flatMap(leaves) : [where];
}

function comparisonOf(table: Table, { column, op, value }: Condition): Where {
  if (op === "is_null") return { column, op, value: value === "true" };
  if (op === "in" || op === "nin") return { column, op, value: splitList(value) };
  const type = table.columns.find((one) => one.name === column)?.type;
  return { column, op, value: type === "boolean" ? value === "true" : value };
}

/** Return when a column's value is what a person typed to find it: a part of a text, a number, a day, month or year. */
function found({ name: column, type }: Column, text: string): Where[] {
  switch (type) {
    case "text":
      return [{ column, op: "contains", value: text }];
    case "integer":
    case "decimal": {
      const digits = parseNumber(text);
      if (digits === null || (type === "integer" && !/^-?\d{1,18}$/.test(digits))) return [];
      return [{ column, op: "eq", value: digits }];
    }
    case "date":
      return between(column, spanOf(text));
    case "datetime":
      return between(column, spanOf(text), "T00:00:00");
    default:
      return [];
  }
}

function between(column: string, span: [string, string] | null, clock = ""): Where[] {
  if (!span) return [];
  const [from, until] = span;
  return [
    {
      and: [
        { column, op: "gte", value: `${from}${clock}` },
        { column, op: "lt", value: `${until}${clock}` },
      ],
    },
  ];
}

/** Return the first day of what was typed, and the day after its last: of `2025`, `12/2025` or `31/12/2025`. */
function spanOf(text: string): [string, string] | null {
  const trimmed = text.trim();
  const month = /^(\d{1,2})\/(\d{4})$/.exec(trimmed);
  const year = /^[12]\d{3}$/.exec(trimmed);
  const from = parseDate(month ? `01/${trimmed}` : year ? `${trimmed}-01-01` : trimmed);
  if (from === null) return null;
  const [y = 0, m = 0, d = 0] = from.split("-").map(Number);
  const until = new Date(Date.UTC(year ? y + 1 : y, month ? m : m - 1, month || year ? 1 : d + 1));
  if (y < 100) return null;
  return [from, until.toISOString().slice(0, 10)];
}
