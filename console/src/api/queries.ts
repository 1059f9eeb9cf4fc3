import { type UseQueryOptions, useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useConsole } from "../ui/context";
import { type Answer, type Asked, type Having, isGone } from "./session";
import type { Operations } from "./types";

const POLL_STEPS_MS = [1_000, 1_000, 2_000, 2_000, 5_000];
/** A job that goes on by itself. */
export const ACTIVE: ReadonlySet<string> = new Set(["queued", "analisando", "inserting"]);

type Got<Path extends Having<"get">> = Answer<Operations[Path]["get"]>;

/** Read from the API; the answer is kept under its question: the path, and what is asked of it. */
export function useGet<Path extends Having<"get">>(
  path: Path,
  asked: Asked<Operations[Path]["get"]>,
  options: Omit<UseQueryOptions<Got<Path>>, "queryKey" | "queryFn"> = {},
) {
  const api = useConsole().api as { GET: (path: Path, asked: object) => Promise<Got<Path>> };
  return useQuery({
    queryKey: [path, asked],
    queryFn: ({ signal }) => api.GET(path, { ...asked, signal }),
    ...options,
  });
}

export const jobQuestion = (jobId: string) =>
  ["/upload-jobs/{job_id}", { path: { job_id: jobId }, query: { numbers: "string" } }] as const;

export function useTable(tableId: string, enabled = true) {
  return useGet("/{table_id}", { path: { table_id: tableId } }, { enabled });
}

/** What a table remembers of its files; null where it remembers nothing. */
export function useRecipe(tableId: string, enabled = true) {
  const { api } = useConsole();
  return useQuery({
    queryKey: ["recipe", tableId],
    enabled,
    queryFn: ({ signal }) =>
      api.GET("/{table_id}/recipe", { path: { table_id: tableId }, signal }).catch((error: unknown) => {
        if (isGone(error)) return null;
        throw error;
      }),
  });
}

/**
 * Follow a job: asked each second at first and after each change of its status, each five seconds later, and not
 * while the page is out of sight.
 */
export function useJob(jobId: string) {
  const change = useRef({ status: "", count: 0 });
  return useGet(...jobQuestion(jobId), {
    refetchInterval: ({ state: { data, dataUpdateCount: count } }) => {
      if (data && data.status !== change.current.status) change.current = { status: data.status, count };
      const step = Math.min(count - change.current.count, POLL_STEPS_MS.length - 1);
      return !data || ACTIVE.has(data.status) ? (POLL_STEPS_MS[step] ?? 5_000) : false;
    },
    staleTime: 0,
  });
}
