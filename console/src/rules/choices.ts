import type { Rule, Table } from "../api/types";
import { columnOf } from "../table/columns";
import { formatCell } from "../values/cells";

// What rules let people choose from: the values of a list, and those of another table's column.

/** Return the rule of a kind that a column alone has. */
export function ruleOfColumn(table: Table, name: string, kind: "list" | "in_table"): Rule | undefined {
  return table.rules.find((rule) => rule.kind === kind && rule.columns[0] === name);
}

const written = new WeakMap<Rule, ReadonlyMap<string, number>>(); // every cell in sight asks at each drawing

/** Return the values of the list that a column has, as people write them, each with its place. */
function listOf(table: Table, name: string): ReadonlyMap<string, number> | undefined {
  const rule = ruleOfColumn(table, name, "list");
  if (!rule?.values) return undefined;
  const { type } = columnOf(table, name);
  const known = written.get(rule) ?? new Map(rule.values.map((one, place) => [formatCell(one as string, type), place]));
  written.set(rule, known);
  return known;
}

/** Return the place of a value in the list that a column has; undefined where it has none, or not this value. */
export const placeInList = (table: Table, name: string, text: string): number | undefined =>
  listOf(table, name)?.get(text);

/** Return the choices of a column that takes nothing else; null where anything may be written. */
export function choicesOf(table: Table, name: string): readonly string[] | null {
  const list = ruleOfColumn(table, name, "list")?.severity === "warn" ? undefined : listOf(table, name);
  return list ? [...list.keys()] : null;
}

/** Return the first choice that begins as what was typed. */
export function chosenBy(choices: readonly string[], typed: string): string | undefined {
  const wanted = typed.toLowerCase();
  return choices.find((one) => one === typed) ?? choices.find((one) => one.toLowerCase().startsWith(wanted));
}
