import type { Column, ColumnType, Rule, RuleKind, Table } from "../api/types";
import { columnOf } from "../table/columns";
import { t } from "../ui/language";
import { formatCell, isDay, parseCell } from "../values/cells";
import type { Named, Severity } from "./words";

// A rule as it is being written, all in texts; what the API takes, and back.

export interface RuleDraft {
  kind: RuleKind;
  /** The column that it judges, and of `unique` those beside it. */
  column: string;
  others: readonly string[];
  severity: Severity;
  forNew: boolean;
  message: string;
  min: string;
  max: string;
  pattern: string;
  /** One to a line. */
  values: string;
  op: NonNullable<Rule["op"]>;
  /** The second of two that are compared. */
  second: string;
  table: string;
  tableColumn: string;
  name: Named;
}

const KINDS: Readonly<Record<ColumnType, readonly RuleKind[]>> = {
  text: ["list", "named", "length", "pattern", "unique", "in_table", "compare"],
  integer: ["range", "list", "unique", "compare", "in_table", "named"],
  decimal: ["range", "list", "unique", "compare"],
  boolean: ["unique", "compare"],
  date: ["range", "compare", "list", "unique", "in_table"],
  datetime: ["range", "compare", "unique"],
};

const COMPARABLE: Readonly<Partial<Record<ColumnType, readonly ColumnType[]>>> = {
  integer: ["integer", "decimal"],
  decimal: ["integer", "decimal"],
};

/** Return the columns that one can be compared with. */
export function comparableWith({ columns }: Table, name: string): Column[] {
  const type = columns.find((one) => one.name === name)?.type ?? "text";
  const types = COMPARABLE[type] ?? [type];
  return columns.filter((one) => one.name !== name && types.includes(one.type));
}

/** Return how two values of a type can compare: texts have no order that people would expect. */
export function comparatorsOf(type: ColumnType): readonly RuleDraft["op"][] {
  return type === "text" || type === "boolean" ? ["eq", "ne"] : ["lte", "lt", "gte", "gt", "eq", "ne"];
}

/** Return the kinds of rules that a column can have. */
export function kindsOf(table: Table, column: string): readonly RuleKind[] {
  const hasSecond = comparableWith(table, column).length > 0;
  return KINDS[columnOf(table, column).type].filter((kind) => kind !== "compare" || hasSecond);
}

/** Begin a rule of a column. */
export function newDraft(table: Table, column: string): RuleDraft {
  const [kind = "unique"] = kindsOf(table, column);
  const [op = "eq"] = comparatorsOf(columnOf(table, column).type);
  return {
    kind,
    column,
    others: [],
    severity: "refuse",
    forNew: false,
    message: "",
    min: "",
    max: "",
    pattern: "",
    values: "",
    op,
    second: comparableWith(table, column)[0]?.name ?? "",
    table: "",
    tableColumn: "",
    name: "cpf",
  };
}

/** Return the draft of a rule that there is. */
export function draftOf(rule: Rule, table: Table): RuleDraft {
  const [column = "", ...rest] = rule.columns;
  const { type } = columnOf(table, column);
  const written = (value: unknown): string =>
    value === "today" ? t`hoje` : formatCell(value as string, rule.kind === "length" ? "integer" : type);
  return {
    ...newDraft(table, column),
    kind: rule.kind,
    others: rule.kind === "unique" ? rest : [],
    severity: rule.severity ?? "refuse",
    forNew: rule.for_new ?? false,
    message: rule.message ?? "",
    min: written(rule.min),
    max: written(rule.max),
    pattern: rule.pattern ?? "",
    values: (rule.values ?? []).map(written).join("\n"),
    ...(rule.op ? { op: rule.op } : {}),
    ...(rule.kind === "compare" ? { second: rest[0] ?? "" } : {}),
    table: rule.table ?? "",
    tableColumn: rule.column ?? "",
    ...(rule.name ? { name: rule.name } : {}),
  };
}

type Said = Partial<Pick<Rule, "min" | "max" | "pattern" | "values" | "op" | "table" | "column" | "name">>;

/** Return the rule that a draft says, or a sentence about what it lacks. */
export function ruleOf(draft: RuleDraft, table: Table, before?: Rule): Rule | string {
  const said = saidBy(draft, columnOf(table, draft.column).type);
  if (typeof said === "string") return said;
  const { kind, column, others, severity, forNew, message } = draft;
  const columns = { unique: [column, ...others], compare: [column, draft.second] }[kind as string] ?? [column];
  return {
    ...(before?.id ? { id: before.id } : {}),
    kind,
    columns,
    severity,
    origin: before?.origin ?? "person",
    for_new: severity === "refuse" && forNew,
    ...(message.trim() ? { message: message.trim() } : {}),
    ...said,
  };
}

function saidBy(draft: RuleDraft, type: ColumnType): Said | string {
  const { kind, pattern, op, second, table, tableColumn, name } = draft;
  switch (kind) {
    case "range":
      return boundsOf(draft, type);
    case "length":
      return boundsOf(draft, "integer");
    case "list":
      return valuesOf(draft, type);
    case "pattern":
      return pattern ? { pattern } : t`Escreva o padrão`;
    case "compare":
      return second ? { op } : t`Escolha a outra coluna`;
    case "in_table":
      return table && tableColumn ? { table, column: tableColumn } : t`Escolha a outra tabela e a coluna dela`;
    case "named":
      return { name };
    case "unique":
      return {};
  }
}

function boundsOf({ kind, min, max }: RuleDraft, type: ColumnType): Said | string {
  const bounds: Said = {};
  for (const [part, text] of [
    ["min", min],
    ["max", max],
  ] as const) {
    if (text.trim() === "") continue;
    const value = boundOf(text.trim(), type);
    if (value === null) return t`“${text}” não serve para esta coluna`;
    bounds[part] = kind === "length" ? Number(value) : value;
  }
  return Object.keys(bounds).length > 0 ? bounds : t`Escreva ao menos um dos dois limites`;
}

function boundOf(text: string, type: ColumnType): string | null {
  if (isDay(type) && [t`hoje`, "hoje", "today"].includes(text.toLowerCase())) return "today";
  const parsed = parseCell(text, type, false);
  return parsed.ok && typeof parsed.value === "string" ? parsed.value : null;
}

function valuesOf({ values }: RuleDraft, type: ColumnType): Said | string {
  const texts = values.split(/\r?\n/).filter((one) => one.trim() !== "");
  const parsed = texts.map((text) => parseCell(text, type, false));
  const wrong = parsed.findIndex((one) => !one.ok);
  if (wrong >= 0) return t`“${texts[wrong]}” não serve para esta coluna`;
  const kept = parsed.flatMap((one) => (one.ok && typeof one.value === "string" ? [one.value] : []));
  return kept.length > 0 ? { values: [...new Set(kept)] } : t`Escreva os valores, um por linha`;
}
