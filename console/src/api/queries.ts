import { useQuery } from "@tanstack/react-query";
import { useRef } from "react";
import { useApi } from "../ui/context";
import { ApiFailure } from "./session";
import type { Job } from "./types";

const POLL_STEPS_MS = [1_000, 1_000, 2_000, 2_000, 5_000];
/** A job that goes on by itself. */
export const ACTIVE: ReadonlySet<string> = new Set(["queued", "analisando", "inserting"]);

export function useTable(tableId: string, isWanted = true) {
  const api = useApi();
  return useQuery({
    queryKey: ["table", tableId],
    enabled: isWanted,
    queryFn: ({ signal }) => api.GET("/{table_id}", { path: { table_id: tableId }, signal }),
  });
}

/** What a table remembers of its files; null where it remembers nothing. */
export function useRecipe(tableId: string, isWanted = true) {
  const api = useApi();
  return useQuery({
    queryKey: ["recipe", tableId],
    enabled: isWanted,
    queryFn: async ({ signal }) => {
      try {
        return await api.GET("/{table_id}/recipe", { path: { table_id: tableId }, signal });
      } catch (error) {
        if (error instanceof ApiFailure && error.status === 404) return null;
        throw error;
      }
    },
  });
}

export function useStatus() {
  const api = useApi();
  return useQuery({
    queryKey: ["status"],
    queryFn: ({ signal }) => api.GET("/status", { signal }),
  });
}

/**
 * Follow a job: asked each second at first and after each change of its status, each five seconds later, and not
 * while the page is out of sight.
 */
export function useJob(jobId: string) {
  const api = useApi();
  const change = useRef({ status: "", count: 0 });
  return useQuery({
    queryKey: ["job", jobId],
    queryFn: ({ signal }) =>
      api.GET("/upload-jobs/{job_id}", { path: { job_id: jobId }, query: { numbers: "string" }, signal }),
    refetchInterval: ({ state: { data, dataUpdateCount } }) => {
      if (data && data.status !== change.current.status)
        change.current = { status: data.status, count: dataUpdateCount };
      return nextPoll(data, dataUpdateCount - change.current.count);
    },
    staleTime: 0,
  });
}

function nextPoll(job: Job | undefined, count: number): number | false {
  if (job && !ACTIVE.has(job.status)) return false;
  return POLL_STEPS_MS[Math.min(count, POLL_STEPS_MS.length - 1)] ?? 5_000;
}
