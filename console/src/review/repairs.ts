import type { Confirmation, InferredSchema, Job, Misfits, Recipe } from "../api/types";
import type { Adjustment, Draft, ReviewedColumn } from "./draft";

// What is put in the place of values of a file: the person's decisions, and what is left to decide.

export type Repair = NonNullable<Confirmation["repairs"]>[number];

/** What names a decision: another one about the same value takes its place. */
export function keyOf({ column, from, file, sheet, line }: Repair): string {
  return JSON.stringify([column, from, file, sheet, line]);
}

/** Return the repairs with these decisions on top, by their keys; null takes one back. */
export function decided(
  repairs: readonly Repair[] | null,
  decisions: Readonly<Record<string, Repair | null>>,
): readonly Repair[] | null {
  const known = new Map((repairs ?? []).map((one) => [keyOf(one), one]));
  for (const [key, repair] of Object.entries(decisions)) {
    if (repair) known.set(key, repair);
    else known.delete(key);
  }
  return repairs || known.size > 0 ? [...known.values()] : null;
}

/** Return what the table remembers, which holds until a person says something of repairs. */
export function rememberedRepairs(recipe: Recipe | null): Record<string, Repair> {
  const kept = (recipe?.columns ?? []).flatMap(({ name: column, repairs = [] }) =>
    repairs.map((one): Repair => ({ ...one, column })),
  );
  return Object.fromEntries(kept.map((one) => [keyOf(one), one]));
}

/** The column that a repair, or a value that does not fit, is about. */
export function columnNamed(columns: readonly ReviewedColumn[], name: string): ReviewedColumn | undefined {
  return columns.find(({ column, into }) => (into?.name ?? column.name) === name);
}

/** Return the repairs as they are confirmed: by the names that columns get; those of columns that stay out are none. */
export function toConfirmed(repairs: readonly Repair[], columns: readonly ReviewedColumn[]): Repair[] {
  return repairs.flatMap((one) => {
    const about = columnNamed(columns, one.column);
    return about?.include ? [{ ...one, column: about.name }] : [];
  });
}

/** Return what a draft says of columns, as the API takes it: types, and where they go, by their inferred names. */
export function statedColumns(
  schema: InferredSchema | null,
  keys: readonly string[],
  adjustments: Draft["adjustments"],
): object[] {
  return (schema?.columns ?? []).flatMap(({ name }, index) => {
    const { type, into, isKey, nullable }: Adjustment = adjustments[keys[index] ?? name] ?? {};
    const stated = {
      ...(type ? { type } : {}),
      ...(into === undefined ? {} : { table_column: into === null ? null : { name: into } }),
      ...(isKey || nullable === false ? { nullable: false } : {}),
    };
    return Object.keys(stated).length > 0 ? [{ name, ...stated }] : [];
  });
}

/** Return the job with what is left of its misfits after the repairs of a draft, in the place of what the files have. */
export function withLeft(job: Job, left: Misfits["left"] | undefined, repairs: readonly Repair[] | null): Job {
  if (!left || !repairs) return job;
  const rows = (column: string, rule: string | null): number =>
    left.find((one) => one.column === column && one.rule === rule)?.count ?? 0;
  const isRepaired = (column: unknown, value: unknown): boolean =>
    repairs.some((one) => one.column === column && one.from === value);
  const plan = job.append_plan;
  const conflicts = (plan?.conflicts ?? []).flatMap((one) => {
    const count = rows(one.column, null);
    const details = one.details.filter(({ value }) => !isRepaired(one.column, value));
    return count > 0 ? [{ ...one, count, details }] : [];
  });
  const error = job.error && {
    ...job.error,
    details: job.error.details.filter(({ column, value }) => !isRepaired(column, value)),
  };
  return {
    ...job,
    append_plan: plan && { ...plan, conflicts },
    checks: job.checks.map((check) => ({ ...check, broken: rows(check.columns[0] ?? "", check.rule) })),
    error: error && error.details.length > 0 ? error : null,
  };
}
