import type { ColumnType, InferredColumn, InferredSchema, Job } from "../api/types";

/** What a person changed of a column; what is not here stays as it was inferred. */
export interface Adjustment {
  include?: boolean;
  name?: string;
  type?: ColumnType;
  nullable?: boolean;
  decimal_mark?: "," | "." | undefined;
  date_order?: "dmy" | "mdy" | "ymd" | undefined;
  trim?: boolean;
  null_tokens?: readonly string[];
}

/** By the label as the file has it: names may change from one reading to the next. */
export type Adjustments = ReadonlyMap<string, Adjustment>;

/** All that a person has said in a review: it outlives a confirmation that comes back with values that do not fit. */
export interface Draft {
  adjustments: Adjustments;
  onMisfit: "reject" | "skip";
  /** The new table's name; null is the one that was suggested. */
  tableName: string | null;
}

/** Return what a review begins with: after a confirmation that came back, what was confirmed. */
export function draftOfJob(job: Job | undefined): Draft {
  const confirmed = job?.error ? job.confirmed_schema : null;
  const adjustments = new Map<string, Adjustment>();
  const columns = job?.inferred_schema?.columns ?? [];
  const keys = keysOf(columns);
  for (const [index, column] of columns.entries()) {
    const source = keys[index] ?? column.name;
    const kept = confirmed?.columns.find((one) => (one.source ?? one.name) === column.name);
    if (!confirmed) break;
    if (!kept) adjustments.set(source, { include: false });
    else if (kept.type !== column.type || kept.name !== column.name || kept.nullable !== column.nullable) {
      adjustments.set(source, { type: kept.type, name: kept.name, nullable: kept.nullable });
    }
  }
  return { adjustments, onMisfit: "reject", tableName: confirmed?.display_name ?? null };
}

export interface ReviewedColumn {
  column: InferredColumn;
  source: string;
  include: boolean;
  name: string;
  type: ColumnType;
  nullable: boolean;
  adjustment: Adjustment;
}

export function sourceOf(column: InferredColumn): string {
  return column.source ?? column.display_name;
}

/** Return what each column is known by under another reading: its label, and which of those that share it. */
export function keysOf(columns: readonly InferredColumn[]): readonly string[] {
  const seen = new Map<string, number>();
  return columns.map((column) => {
    const source = sourceOf(column);
    const count = (seen.get(source) ?? 0) + 1;
    seen.set(source, count);
    return count === 1 ? source : `${source} (${count})`;
  });
}

/** Return the columns of a schema with a person's changes on top. */
export function review(schema: InferredSchema, adjustments: Adjustments): ReviewedColumn[] {
  const keys = keysOf(schema.columns);
  return schema.columns.map((column, index) => {
    const source = keys[index] ?? column.name;
    const adjustment = adjustments.get(source) ?? {};
    const into = column.table_column ?? null;
    return {
      column,
      source,
      include: adjustment.include ?? true,
      name: adjustment.name ?? into?.name ?? column.name,
      type: into?.type ?? adjustment.type ?? column.type,
      nullable: into?.nullable ?? adjustment.nullable ?? column.nullable,
      adjustment,
    };
  });
}

/** Say what became of a person's changes under another reading; null where there were none. */
export function keptSentence(schema: InferredSchema, adjustments: Adjustments): string | null {
  if (adjustments.size === 0) return null;
  const sources = new Set(keysOf(schema.columns));
  const lost = [...adjustments.keys()].filter((source) => !sources.has(source));
  const kept = adjustments.size - lost.length;
  const words = kept === 1 ? "Mantivemos 1 ajuste" : `Mantivemos ${kept} ajustes`;
  if (lost.length === 0) return words;
  const verb = lost.length === 1 ? "1 não vale mais" : `${lost.length} não valem mais`;
  return `${words}; ${verb}: ${lost.join(", ")}`;
}

/** Return the columns of a confirmation. */
export function toConfirmation(columns: readonly ReviewedColumn[]) {
  return columns
    .filter((one) => one.include)
    .map(({ column, name, type, nullable, adjustment }) => ({
      name,
      display_name: column.display_name,
      type,
      nullable,
      ...(name === column.name ? {} : { source: column.name }),
      ...(adjustment.decimal_mark ? { decimal_mark: adjustment.decimal_mark } : {}),
      ...(adjustment.date_order ? { date_order: adjustment.date_order } : {}),
      ...(adjustment.trim === undefined ? {} : { trim: adjustment.trim }),
      ...(adjustment.null_tokens ? { null_tokens: [...adjustment.null_tokens] } : {}),
    }));
}
