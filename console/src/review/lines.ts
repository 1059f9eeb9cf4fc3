import { useQueries, useQuery } from "@tanstack/react-query";
import type { Api } from "../api/session";
import type { InferredColumn, Job, StatedTable } from "../api/types";
import { useApi } from "../ui/context";

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

const NO_TABLE = { file: -1, sheet: null };

function previewQuery(
  api: Api,
  job: Job,
  table: Pick<TableReading, "file" | "sheet">,
  from: number,
  lines = PAGE_LINES,
) {
  return {
    queryKey: ["preview", job._id, job.updated_at, table.file, table.sheet, from, lines],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      api.GET("/upload-jobs/{job_id}/preview", {
        path: { job_id: job._id },
        query: { file: table.file, from_line: from, lines, ...(table.sheet === null ? {} : { sheet: table.sheet }) },
        signal,
      }),
  };
}

/** Read a page of a file's own lines, or fewer; of no table nothing is asked. */
export function useLines(job: Job, table: TableReading | undefined, from: number, lines = PAGE_LINES) {
  const query = previewQuery(useApi(), job, table ?? NO_TABLE, from, lines);
  return useQuery({ ...query, enabled: table !== undefined, placeholderData: (before) => before });
}

/** Read the lines that are no data: before them, within, and after. */
export function useLeftOutLines(job: Job, table: TableReading, isWanted: boolean) {
  const api = useApi();
  const runs = runsOf(table.skipped_lines).slice(0, MAX_RUNS);
  return useQueries({
    queries: runs.map(([from, lines]) => ({ ...previewQuery(api, job, table, from, lines), enabled: isWanted })),
    combine: (answers) => ({
      lines: answers.flatMap((answer) => answer.data?.lines ?? []),
      isComplete: answers.every((answer) => answer.data !== undefined),
    }),
  });
}

/** Group numbers that follow each other: `1 2 9` gives `[1, 2]` and `[9, 1]`, first number and how many. */
export function runsOf(lines: readonly number[]): [number, number][] {
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
  const api = useApi();
  const tables = job.reading?.tables ?? [];
  const columns = job.inferred_schema?.columns ?? [];
  return useQueries({
    queries: tables.map((table) => ({
      ...previewQuery(api, job, table, table.header_line ?? table.first_line ?? 1, 1),
      enabled: table.include && columns.length > 0,
    })),
    combine: (answers) =>
      answers.map(({ data }, index) =>
        placesOf(tables[index]?.header_line ? (data?.lines[0]?.cells ?? []) : [], columns),
      ),
  });
}

/** Return each column's place by the labels of the header; where a label is not there, by the order of the columns. */
export function placesOf(header: readonly string[], columns: readonly InferredColumn[]): ReadonlyMap<string, number> {
  const free = new Map(header.map((label, place) => [place, label.trim()]));
  const places = new Map<string, number>();
  columns.forEach((column, index) => {
    const label = (column.source ?? column.display_name).trim();
    const found = [...free].find(([, text]) => text === label)?.[0] ?? index;
    free.delete(found);
    places.set(column.name, found);
  });
  return places;
}

/** Return which table of the reading a detail speaks of, or -1. */
export function tableOf(tables: readonly TableReading[], file: string, sheet: string | null): number {
  const exact = tables.findIndex((table) => table.name === file && (table.sheet ?? null) === sheet);
  return exact >= 0 ? exact : tables.findIndex((table) => table.include && (table.name === file || file === ""));
}
