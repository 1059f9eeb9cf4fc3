import type { ColumnType, Job } from "../api/types";
import { type Cell, formatCell, parseCell } from "../values/cells";
import { formatLongDate } from "../values/dates";
import type { ReviewedColumn } from "./adjustments";
import { type TableReading, useLines, usePlaces } from "./lines";

/** A cell as the file has it, and what it becomes; `fault` where it cannot become that. */
export interface Example {
  before: string;
  after: string;
  fault?: string;
}

/** Return how to find a column's example: its first cell with a value, raw from the file and as it was read. */
export function useExamples(job: Job, table: TableReading): (column: ReviewedColumn) => Example | null {
  const places = usePlaces(job)[job.reading?.tables.indexOf(table) ?? -1];
  const lines = useLines(job, table, 1);
  const rows = (lines.data?.lines ?? []).filter((line) => line.kind === "row");
  return (column) => {
    const samples = job.inferred_schema?.sample_rows ?? [];
    const index = samples.findIndex((row) => isFilled(row[column.column.name]));
    const place = places?.get(column.column.name);
    const before = place === undefined ? undefined : rows[index]?.cells[place];
    return before === undefined ? null : exampleOf(column, before, samples[index]?.[column.column.name] as Cell);
  };
}

function isFilled(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** Return what becomes of `before`: as the analysis read it, or as the type says that a person chose. */
export function exampleOf(reviewed: ReviewedColumn, before: string, read: Cell): Example {
  const { column, type, adjustment } = reviewed;
  if (type === column.type && !adjustment.decimal_mark && !adjustment.date_order) {
    return { before, after: written(read, type) };
  }
  if (type === "text") return { before, after: before };
  const parsed = parseCell(marked(before, reviewed), type, true);
  return parsed.ok ? { before, after: written(parsed.value, type) } : { before, after: "", fault: parsed.reason };
}

function written(value: Cell, type: ColumnType): string {
  return type === "date" && typeof value === "string" ? formatLongDate(value) : formatCell(value, type);
}

/** Write a cell as Brazilians do, where the person says that the file writes otherwise. */
function marked(text: string, { type, adjustment }: ReviewedColumn): string {
  if (adjustment.decimal_mark === "." && (type === "decimal" || type === "integer")) {
    return text.replaceAll(",", "").replace(".", ",");
  }
  const parts = /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4})/.exec(text);
  if (adjustment.date_order === "mdy" && parts) return `${parts[3]}/${parts[1]}/${parts[4]}`;
  return text;
}
