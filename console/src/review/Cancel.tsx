import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { answered } from "../api/session";
import type { Job } from "../api/types";
import { useApi } from "../ui/context";
import { Button, Dialog, Failure } from "../ui/parts";

export function Cancel({ job }: { job: Job }): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const [isAsked, setAsked] = useState(false);
  const cancel = useMutation({
    mutationFn: () =>
      answered(api.DELETE("/v1/managed-tables/upload-jobs/{job_id}", { params: { path: { job_id: job._id } } })),
    onSettled: async () => {
      setAsked(false);
      await queries.invalidateQueries({ queryKey: ["job", job._id] });
      await queries.invalidateQueries({ queryKey: ["jobs"] });
    },
  });
  return (
    <>
      {cancel.error && <Failure error={cancel.error} />}
      <Button kind="quiet" onClick={() => setAsked(true)}>
        Cancelar importação
      </Button>
      {isAsked && (
        <Dialog
          title="Cancelar esta importação?"
          onClose={() => setAsked(false)}
          actions={
            <>
              <Button onClick={() => setAsked(false)}>Continuar com ela</Button>
              <Button kind="danger" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
                Cancelar importação
              </Button>
            </>
          }
        >
          <p>Nada será gravado, e os arquivos enviados serão apagados.</p>
        </Dialog>
      )}
    </>
  );
}
