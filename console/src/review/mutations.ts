import { useMutation, useQueryClient } from "@tanstack/react-query";
import { answered } from "../api/session";
import type { Confirmation, Job, Reanalysis } from "../api/types";
import { useApi } from "../ui/context";

/** Send something of a job, which is asked for again then. */
function useSent<Body>(job: Job, send: (body: Body) => Promise<unknown>) {
  const queries = useQueryClient();
  return useMutation({ mutationFn: send, onSuccess: () => queries.invalidateQueries({ queryKey: ["job", job._id] }) });
}

export function useReanalyze(job: Job) {
  const api = useApi();
  const params = { path: { job_id: job._id } };
  return useSent(job, (body: Reanalysis) =>
    answered(api.POST("/v1/managed-tables/upload-jobs/{job_id}/reanalyze", { params, body })),
  );
}

/** Confirm a review; `flush` has the draft kept before, for values that do not fit bring it back. */
export function useConfirm(job: Job, flush: () => Promise<void>) {
  const api = useApi();
  const params = { path: { job_id: job._id } };
  return useSent(job, async (body: Confirmation) => {
    await flush();
    return answered(api.POST("/v1/managed-tables/upload-jobs/{job_id}/confirm", { params, body }));
  });
}
