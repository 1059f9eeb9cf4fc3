import type { Rule, Table } from "../api/types";
import { columnOf } from "../grid/sheet";
import { formatCell } from "../values/cells";

// What rules let people choose from: the values of a list, and those of another table's column.

/** Return the rule of a kind that a column alone has. */
export function ruleOfColumn(table: Table, name: string, kind: "list" | "in_table"): Rule | undefined {
  return table.rules.find((rule) => rule.kind === kind && rule.columns[0] === name);
}

/** Return the values of the list that a column has, as people write them; null where it has none. */
export function listOf(table: Table, name: string): readonly string[] | null {
  const rule = ruleOfColumn(table, name, "list");
  const { type } = columnOf(table, name);
  return rule?.values?.map((value) => formatCell(value as string, type)) ?? null;
}

/** Return the choices of a column that takes nothing else; null where anything may be written. */
export function choicesOf(table: Table, name: string): readonly string[] | null {
  return ruleOfColumn(table, name, "list")?.severity === "warn" ? null : listOf(table, name);
}

/** Return the first choice that begins as what was typed. */
export function chosenBy(choices: readonly string[], typed: string): string | undefined {
  const wanted = typed.toLowerCase();
  return choices.find((one) => one === typed) ?? choices.find((one) => one.toLowerCase().startsWith(wanted));
}
