import type { ColumnType, Job } from "../api/types";
import { type Cell, formatCell, parseCell } from "../values/cells";
import { formatLongDate, rezone, zoneName } from "../values/dates";
import type { ReviewedColumn } from "./adjustments";
import { type TableReading, useLines, usePlaces } from "./lines";

/** A cell as the file has it, and what it becomes; `fault` where it cannot become that. */
export interface Example {
  before: string;
  after: string;
  fault?: string;
}

/**
 * Return how to find what a cell of a line becomes: as the analysis read it, of the lines it gave samples of, or as the
 * type says that a person has chosen; null where that is not known.
 */
export function useExamples(job: Job, table: TableReading | undefined) {
  const index = table ? (job.reading?.tables.indexOf(table) ?? -1) : -1;
  const isFirst = index >= 0 && index === job.reading?.tables.findIndex((one) => one.include);
  const places = usePlaces(job)[index];
  const lines = useLines(job, table ?? job.reading?.tables[0], 1);
  const rows = (lines.data?.lines ?? []).filter((line) => line.kind === "row");
  const samples = job.inferred_schema?.sample_rows ?? [];
  return (reviewed: ReviewedColumn, line: number): Example | null => {
    const at = rows.findIndex((row) => row.line === line);
    const place = places?.get(reviewed.column.name);
    const before = place === undefined ? undefined : rows[at]?.cells[place];
    const sample = isFirst ? samples[at] : undefined;
    if (before === undefined || before === null || sample === undefined) return null;
    const read = sample[reviewed.column.name] as Cell;
    // Lines and samples that have drifted apart (a row of two lines) would show another row's values.
    if (reviewed.column.type === "text" && typeof read === "string" && !isOf(before, read)) return null;
    return exampleOf(reviewed, before, read, job.reading?.timezone);
  };
}

function isOf(before: string, read: string): boolean {
  const [one, other] = [before.trim(), read.trim()];
  return one.startsWith(other.slice(0, 50)) || other.startsWith(one.slice(0, 50)) || /^="/.test(one);
}

/** Return what becomes of `before`: as the analysis read it, or as the type says that a person chose. */
export function exampleOf(reviewed: ReviewedColumn, before: string, read: Cell, zone = zoneName()): Example {
  const { column, type, adjustment } = reviewed;
  if (type === column.type && !adjustment.decimal_mark && !adjustment.date_order) {
    const to = adjustment.timezone;
    const moved = to && typeof read === "string" && !HAS_ZONE.test(before) ? rezone(read, zone, to) : read;
    return { before, after: written(moved, type) };
  }
  if (type === "text") return { before, after: before };
  const parsed = parseCell(dayFirst(before, reviewed), type, true, adjustment.decimal_mark);
  return parsed.ok ? { before, after: written(parsed.value, type) } : { before, after: "", fault: parsed.reason };
}

const HAS_ZONE = /(Z|[+-]\d{2}:?\d{2})\s*$/;

function written(value: Cell, type: ColumnType): string {
  return type === "date" && typeof value === "string" ? formatLongDate(value) : formatCell(value, type);
}

/** Write a day as Brazilians do, where the person says that the file writes its month first. */
function dayFirst(text: string, { adjustment }: ReviewedColumn): string {
  const parts = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})/.exec(text);
  if (adjustment.date_order === "mdy" && parts) return `${parts[3]}/${parts[1]}/${parts[4]}`;
  return text;
}
