import type { FileRuleCheck, Job, Table } from "../api/types";
import { ruleWords } from "../rules/words";
import { t } from "../ui/language";
import { plural } from "../values/numbers";
import { type Check, spotOf } from "./checks";
import type { ReviewedColumn } from "./draft";
import type { Places } from "./lines";

/** Return what of the files breaks the table's rules: what is refused stops them, what is marked is told. */
export function brokenRules(job: Job, columns: readonly ReviewedColumn[], places: Places, table: Table): Check[] {
  const told = new Set((job.error?.details ?? []).map((detail) => detail["rule"])); // by the last confirmation
  return job.checks
    .filter(({ rule, broken }) => broken > 0 && !told.has(rule))
    .map((check) => ofRule(job, check, columns, places, table));
}

function ofRule(
  job: Job,
  check: FileRuleCheck,
  columns: readonly ReviewedColumn[],
  places: Places,
  table: Table,
): Check {
  const { rule: id, severity, broken, examples } = check;
  const [first] = examples;
  const rule = table.rules.find((one) => one.id === id);
  const words = rule?.message || (rule ? ruleWords(rule, table) : id);
  const about = columns.find(({ into }) => into?.name === first?.column);
  const column = about?.column.name ?? null;
  const near = first?.nearest?.length ? t` (há ${first.nearest.join(", ")})` : "";
  const value = first?.value ? t`, como “${first.value}”${near}` : "";
  const text = t`${plural(broken, "linha quebra", "linhas quebram")} a regra “${words}”${value}`;
  return {
    weight: severity === "refuse" ? "stop" : "look",
    text,
    spot: first ? spotOf(job, first, places, column, words) : null,
    lines: examples.map(({ line }) => line),
    count: broken,
    column,
  };
}

/** Return how many rows each rule of columns that are filled keeps out. */
export function refusedByRules({ checks = [] }: Job, columns: readonly ReviewedColumn[]): number[] {
  const isFilled = (name: string): boolean => columns.some(({ include, into }) => include && into?.name === name);
  const refusing = checks.filter((one) => one.severity === "refuse" && one.columns.every(isFilled));
  return refusing.map(({ broken }) => broken);
}
