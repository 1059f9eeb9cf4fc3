import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered } from "../api/session";
import type { Confirmation, Job, Reanalysis } from "../api/types";
import { useApi } from "../ui/context";

export function useReanalyze(job: Job) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Reanalysis) =>
      answered(
        api.POST("/v1/managed-tables/upload-jobs/{job_id}/reanalyze", {
          params: { path: { job_id: job._id } },
          body,
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["job", job._id] }),
  });
}

/** Confirm a review; `flush` has the draft kept before, for values that do not fit bring it back. */
export function useConfirm(job: Job, flush: () => Promise<void>) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (body: Confirmation) => {
      await flush();
      return answered(
        api.POST("/v1/managed-tables/upload-jobs/{job_id}/confirm", { params: { path: { job_id: job._id } }, body }),
      );
    },
    onSuccess: () => queries.invalidateQueries({ queryKey: ["job", job._id] }),
  });
}
