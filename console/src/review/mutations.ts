import { useMutation } from "@tanstack/react-query";
import type { Confirmation, Job, Reanalysis } from "../api/types";
import { useApi } from "../ui/context";

export function useReanalyze(job: Job) {
  const api = useApi();
  const path = { job_id: job._id };
  return useMutation({ mutationFn: (body: Reanalysis) => api.POST("/upload-jobs/{job_id}/reanalyze", { path, body }) });
}

/** Confirm a review; `flush` has the draft kept before, for values that do not fit bring it back. */
export function useConfirm(job: Job, flush: () => Promise<void>) {
  const api = useApi();
  const path = { job_id: job._id };
  return useMutation({
    mutationFn: async (body: Confirmation) => {
      await flush();
      return api.POST("/upload-jobs/{job_id}/confirm", { path, body });
    },
  });
}
