import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered } from "../api/session";
import type { Confirmation, Job, StatedTable } from "../api/types";
import { useApi } from "../ui/context";
import { forget } from "./memory";

export function useReanalyze(job: Job) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (table: StatedTable) =>
      answered(
        api.POST("/v1/managed-tables/upload-jobs/{job_id}/reanalyze", {
          params: { path: { job_id: job._id } },
          body: { tables: [table] },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["job", job._id] }),
  });
}

export function useConfirm(job: Job) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Confirmation) =>
      answered(
        api.POST("/v1/managed-tables/upload-jobs/{job_id}/confirm", { params: { path: { job_id: job._id } }, body }),
      ),
    onSuccess: async () => {
      forget(job); // values that do not fit bring it back, with what was confirmed
      await queries.invalidateQueries({ queryKey: ["job", job._id] });
    },
  });
}
