import { useQueries, useQuery } from "@tanstack/react-query";
import type { Api } from "../api/session";
import type { Cell, ColumnType, InferredColumn, Job, StatedTable } from "../api/types";
import { useConsole } from "../ui/context";
import { formatCell, isDay, parseCell } from "../values/cells";
import { formatLongDate, rezone, zoneName } from "../values/dates";
import type { ReviewedColumn } from "./draft";

export type TableReading = NonNullable<Job["reading"]>["tables"][number];

/** What a person states of one file or sheet; a field that is not there stays as it was stated. */
export type Overrides = Omit<StatedTable, "file" | "sheet">;

export const PAGE_LINES = 50;

/** Where each column stands in the lines of each table of the reading, from 0. */
export type Places = readonly ReadonlyMap<string, number>[];
const MAX_RUNS = 8; // runs of left-out lines that are fetched: each is a request

/** A cell of a file that is to be looked at. */
export interface Spot {
  table: number;
  line: number;
  /** Where in its line, from 0; null where that is not known. */
  place: number | null;
  reason: string;
  /** What the table remembers in its place, where that is known. */
  before?: string;
}

type Place = Pick<TableReading, "file" | "sheet">;

function previewQuery(api: Api, job: Job, { file, sheet }: Place, from: number, lines: number) {
  const query = { file, from_line: from, lines, ...(sheet === null ? {} : { sheet }) };
  return {
    queryKey: ["preview", job._id, job.updated_at, query],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      api.GET("/upload-jobs/{job_id}/preview", { path: { job_id: job._id }, query, signal }),
  };
}

/** Read a page of a file's own lines, or fewer; of no table nothing is asked. */
export function useLines(job: Job, table: Place | undefined, from: number, lines = PAGE_LINES) {
  const query = previewQuery(useConsole().api, job, table ?? { file: 0, sheet: null }, from, lines);
  return useQuery({ ...query, enabled: table !== undefined, placeholderData: (before) => before });
}

/** Read lines of a file from `first` on, or else, once all are there, those that are no data; and what their cells become. */
export function useShownLines(
  job: Job,
  table: TableReading,
  first: number | null,
  places: ReadonlyMap<string, number>,
) {
  const { api } = useConsole();
  const preview = useLines(job, table, first ?? 1);
  const exampleOf = useExamples(job, table, places);
  const runs = first === null ? runsOf(table.skipped_lines).slice(0, MAX_RUNS) : [];
  const leftOut = useQueries({
    queries: runs.map(([from, lines]) => previewQuery(api, job, table, from, lines)),
    combine: (answers) => (answers.every(({ data }) => data) ? answers.flatMap(({ data }) => data?.lines ?? []) : null),
  });
  return { preview, exampleOf, lines: (first === null && leftOut) || (preview.data?.lines ?? []) };
}

/** Group numbers that follow each other: `1 2 9` gives `[1, 2]` and `[9, 1]`, first number and how many. */
function runsOf(lines: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const line of [...lines].sort((one, other) => one - other)) {
    const last = runs.at(-1);
    if (last && line === last[0] + last[1] && last[1] < PAGE_LINES) last[1] += 1;
    else runs.push([line, 1]);
  }
  return runs;
}

/** Read where each column stands in the lines of each table, for letters and for the cells themselves. */
export function usePlaces(job: Job): Places {
  const { api } = useConsole();
  const tables = job.reading?.tables ?? [];
  const columns = job.inferred_schema?.columns ?? [];
  return useQueries({
    queries: tables.map((table) => ({
      ...previewQuery(api, job, table, table.header_line ?? table.first_line ?? 1, 1),
      enabled: table.include && columns.length > 0,
    })),
    combine: (answers) =>
      answers.map(({ data }, index) => placesOf(tables[index]?.header_line ? data?.lines[0]?.cells : [], columns)),
  });
}

/** Return each column's place by the labels of the header; of those without theirs, by their order, where that is free. */
export function placesOf(header: readonly string[] | undefined, columns: readonly InferredColumn[]) {
  if (!header) return new Map<string, number>(); // it is not here yet: by their order they might stand elsewhere
  const free = new Map(header.map((label, place) => [place, label.trim()]));
  const places = new Map<string, number>();
  const put = (name: string, place: number | undefined): void => {
    if (place === undefined || !(free.delete(place) || place >= header.length)) return;
    places.set(name, place);
  };
  for (const { name, source, display_name } of columns) {
    const label = (source ?? display_name).trim();
    put(name, [...free].find(([, text]) => text === label)?.[0]);
  }
  for (const [index, { name }] of columns.entries()) if (!places.has(name)) put(name, index);
  return places;
}

/** Return which table of the reading a detail speaks of, or -1. */
export function tableOf(tables: readonly TableReading[], file: string, sheet: string | null): number {
  const exact = tables.findIndex((table) => table.name === file && (table.sheet ?? null) === sheet);
  return exact >= 0 ? exact : tables.findIndex((table) => table.include && (table.name === file || file === ""));
}

/** What a cell of the file becomes; `fault` where it cannot become that. */
export interface Example {
  after: string;
  fault?: string;
}

/**
 * Return how to find what a cell of a line becomes: as the analysis read it, of the lines it gave samples of, or as the
 * type says that a person has chosen; null where that is not known.
 */
function useExamples(job: Job, table: TableReading, places: ReadonlyMap<string, number>) {
  const lines = useLines(job, table, 1);
  const rows = (lines.data?.lines ?? []).filter((line) => line.kind === "row");
  const isFirst = table === job.reading?.tables.find((one) => one.include);
  const samples = isFirst ? (job.inferred_schema?.sample_rows ?? []) : [];
  return (reviewed: ReviewedColumn, line: number): Example | null => {
    const at = rows.findIndex((row) => row.line === line);
    const before = rows[at]?.cells[places.get(reviewed.column.name) ?? -1] ?? null;
    const sample = samples[at];
    if (before === null || sample === undefined) return null;
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
  const { decimal_mark: mark, date_order: order, timezone, null_tokens, true_tokens, false_tokens } = adjustment;
  const isIn = (words: readonly string[] | null | undefined): boolean =>
    (type === "boolean" && words?.some((one) => one.trim().toLowerCase() === before.trim().toLowerCase())) === true;
  if (null_tokens?.includes(before.trim())) return { after: "" };
  if (isIn(true_tokens) || isIn(false_tokens)) return { after: written(isIn(true_tokens), type) };
  if (type === column.type && !mark && !order) {
    const isMoved = timezone && typeof read === "string" && !HAS_ZONE.test(before);
    return { after: written(isMoved ? rezone(read, zone, timezone) : read, type) };
  }
  if (type === "text") return { after: before };
  // The mark and the order that were found hold, whether whole numbers become decimals or days moments.
  const isRead =
    !mark && !order && (isDay(type) ? isDay(column.type) : type === "decimal" && column.type === "integer");
  const found = isRead && read !== null ? formatCell(read, column.type) : before;
  const text = order === "mdy" ? found.replace(MONTH_FIRST, "$3/$1/$4") : found;
  const parsed = parseCell(text, type, true, mark);
  return parsed.ok ? { after: written(parsed.value, type) } : { after: "", fault: parsed.reason };
}

const HAS_ZONE = /(Z|[+-]\d{2}:?\d{2})\s*$/;
const MONTH_FIRST = /^\s*(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)\b/;

function written(value: Cell, type: ColumnType): string {
  return type === "date" && typeof value === "string" ? formatLongDate(value) : formatCell(value, type);
}
