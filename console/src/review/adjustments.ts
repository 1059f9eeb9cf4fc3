import type { Column, ColumnType, Confirmation, InferredColumn, InferredSchema, Recipe } from "../api/types";
import { t } from "../ui/language";
import { parseCell } from "../values/cells";

/** What a person changed of a column; what is not here stays as it was inferred. */
export interface Adjustment {
  include?: boolean;
  name?: string;
  type?: ColumnType;
  nullable?: boolean;
  /** Whether it is one of the columns that together are there once only. */
  isKey?: boolean;
  /** What rows get that do not name it, as a person types it. */
  standard?: string;
  /** The table's column that it feeds; null: a new one. */
  into?: string | null;
  decimal_mark?: "," | "." | undefined;
  date_order?: "dmy" | "mdy" | "ymd" | undefined;
  trim?: boolean | undefined;
  null_tokens?: readonly string[] | undefined;
  true_tokens?: readonly string[] | undefined;
  false_tokens?: readonly string[] | undefined;
  timezone?: string | undefined;
}

export interface ReviewedColumn {
  column: InferredColumn;
  source: string;
  include: boolean;
  name: string;
  type: ColumnType;
  nullable: boolean;
  /** The table's column that it feeds, or null. */
  into: Target | null;
  adjustment: Adjustment;
}

/** A column of the table that the file goes into. */
export type Target = Pick<Column, "name" | "type" | "nullable"> & { display_name?: string };

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

/** Return what was chosen for a label before: it holds again, while marks and orders are each file's own. */
function remembered(recipe: Recipe | null, source: string): Adjustment {
  const fold = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").trim().toLowerCase();
  const found = recipe?.columns.find((one) => fold(one.source) === fold(source));
  const { null_tokens, true_tokens, false_tokens, trim, timezone } = found ?? {};
  const chosen = Object.entries({ null_tokens, true_tokens, false_tokens, trim, timezone });
  return Object.fromEntries(chosen.filter(([, value]) => value !== null && value !== undefined)) as Adjustment;
}

/** Return the columns of a schema with a person's changes on top; `targets` are those of the table that they go into.
 *
 * `order` has the sources of the columns that come first.
 */
export function review(
  schema: InferredSchema,
  adjustments: Readonly<Record<string, Adjustment>>,
  targets: readonly Target[] = [],
  recipe: Recipe | null = null,
  order: readonly string[] = [],
): ReviewedColumn[] {
  const keys = keysOf(schema.columns);
  const rank = ({ source }: ReviewedColumn): number => order.indexOf(source) + 1 || order.length + 1;
  const reviewed = schema.columns.map((column, index) => {
    const source = keys[index] ?? column.name;
    const adjustment = { ...remembered(recipe, sourceOf(column)), ...adjustments[source] };
    const chosen = targets.find((target) => target.name === adjustment.into) ?? null;
    const into = adjustment.into === undefined ? (column.table_column ?? null) : chosen;
    return {
      column,
      source,
      include: adjustment.include ?? true,
      name: into?.name ?? adjustment.name ?? column.name,
      type: into?.type ?? adjustment.type ?? column.type,
      // Next month's file has a blank: a column may be empty unless a person says that it must not.
      nullable: into?.nullable ?? (adjustment.isKey ? false : (adjustment.nullable ?? true)),
      into,
      adjustment,
    };
  });
  return reviewed.sort((one, other) => rank(one) - rank(other));
}

/** Say what became of a person's changes under another reading; null where there were none. */
export function keptSentence(schema: InferredSchema, adjustments: Readonly<Record<string, Adjustment>>): string | null {
  const adjusted = Object.keys(adjustments);
  if (adjusted.length === 0) return null;
  const sources = new Set(keysOf(schema.columns));
  const lost = adjusted.filter((source) => !sources.has(source));
  const kept = adjusted.length - lost.length;
  const words = kept === 1 ? t`Mantivemos 1 ajuste` : t`Mantivemos ${kept} ajustes`;
  if (lost.length === 0) return words;
  const verb = lost.length === 1 ? t`1 não vale mais` : t`${lost.length} não valem mais`;
  return `${words}; ${verb}: ${lost.join(", ")}`;
}

/** Return the columns of a confirmation. */
export function toConfirmation(columns: readonly ReviewedColumn[]): Confirmation["columns"] {
  return columns
    .filter((one) => one.include)
    .map((one) => {
      const { column, name, type, nullable, into } = one;
      const { include: _, into: __, name: ___, type: ____, nullable: _____, isKey, standard, ...how } = one.adjustment;
      const read = into || !standard ? null : parseCell(standard, type, false);
      return {
        name,
        display_name: column.display_name,
        type,
        nullable,
        ...(name === column.name ? {} : { source: column.name }),
        ...(column.format && type === column.type && !into ? { format: column.format } : {}),
        ...(read?.ok ? { default: read.value } : {}),
        ...(JSON.parse(JSON.stringify(how)) as object), // without what is undefined
      };
    });
}

/** Return a column whose default is no value of its type. */
export function wronglyFilled(columns: readonly ReviewedColumn[]): ReviewedColumn | undefined {
  return columns.find(({ include, into, type, adjustment: { standard } }) => {
    return include && !into && standard && !parseCell(standard, type, false).ok;
  });
}

/** Return the columns of the file that would feed one column, by its name: none may be fed twice. */
export function fedTwice(columns: readonly ReviewedColumn[]): readonly string[] {
  const names = columns.filter((one) => one.include).map((one) => one.name);
  return [...new Set(names.filter((name, index) => names.indexOf(name) !== index))];
}
