/** A strict client made from the document shows a review: every member typed, no cast. */

import { expect, test } from "vitest";
import type { components } from "./schema";

type Job = components["schemas"]["JobAnswer"];
type Scalar = string | number | boolean | null;

function show(value: Scalar | undefined): string {
  return value === null || value === undefined ? "vazio" : String(value);
}

/** Write what a person reviews, one line a fact. */
function review(
  job: Pick<Job, "reading" | "warnings" | "inferred_schema" | "append_plan" | "progress" | "error">,
): string[] {
  const lines: string[] = [];
  for (const table of job.reading?.tables ?? []) {
    const header: number | null = table.header_line ?? null;
    lines.push(`${table.name} ${table.sheet ?? ""} ${table.kind} ${header ?? "sem cabeçalho"} ${table.rows}`);
    lines.push(...table.reasons.map((reason): string => reason.text));
  }
  for (const column of job.inferred_schema?.columns ?? []) {
    const { inference, profile } = column;
    lines.push(
      `${column.source ?? column.name}: ${column.type} ${inference?.confidence ?? 1} ${inference?.evidence ?? ""}`,
    );
    lines.push(...(inference?.exceptions ?? []).map((one): string => `${one.line}: ${one.reason}`));
    lines.push(...(inference?.alternatives ?? []).map((one): string => `${one.type}: ${one.reason}`));
    lines.push(...(profile?.top ?? []).map(([value, count]): string => `${show(value)} ${show(count)}`));
    lines.push(
      ...(profile?.histogram ?? []).map(([low, high, count]): string => `${show(low)}–${show(high)} ${show(count)}`),
    );
  }
  for (const warning of job.warnings)
    lines.push(`${warning.code}: ${warning.text} ${(warning.columns ?? []).join(", ")}`);
  for (const pair of job.append_plan?.matched ?? []) lines.push(pair.join(" → "));
  for (const conflict of job.append_plan?.conflicts ?? []) {
    lines.push(...conflict.details.map((detail): string => `${detail.code}: ${detail.reason}`));
  }
  if (job.progress) lines.push(`${job.progress.phase} ${job.progress.percent}`);
  if (job.error) lines.push(`${job.error.code}: ${job.error.message}`);
  return lines;
}

test("a review is shown from the document's types alone", () => {
  const shown = review({
    reading: null,
    warnings: [{ code: "FOOTER", text: "O rodapé não foi importado", columns: [], lines: [], preview: [] }],
    inferred_schema: null,
    append_plan: { matched: [["Valor", "valor"]], new: [], missing: [], conflicts: [] },
    progress: null,
    error: null,
  });
  expect(shown).toEqual(["FOOTER: O rodapé não foi importado ", "Valor → valor"]);
});
