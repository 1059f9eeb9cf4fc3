import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Job } from "../api/types";
import { Ask } from "../ui/Ask";
import { useApi } from "../ui/context";
import { t } from "../ui/language";

export function Cancel({ job }: { job: Job }): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const cancel = async (): Promise<void> => {
    try {
      await api.DELETE("/upload-jobs/{job_id}", { path: { job_id: job._id } });
    } catch (fault) {
      void queries.invalidateQueries({ queryKey: ["job", job._id] }); // it may have gone on meanwhile
      throw fault;
    }
  };
  return (
    <Ask label={t`Cancelar importação`} title={t`Cancelar esta importação?`} keep={t`Continuar com ela`} onGo={cancel}>
      <p>{t`Nada será gravado, e os arquivos enviados serão apagados.`}</p>
    </Ask>
  );
}
