import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { answered } from "../api/session";
import type { Job } from "../api/types";
import { Ask } from "../ui/Ask";
import { useApi } from "../ui/context";
import { t } from "../ui/language";

export function Cancel({ job }: { job: Job }): ReactNode {
  const api = useApi();
  const queries = useQueryClient();
  const cancel = async (): Promise<void> => {
    try {
      const path = { job_id: job._id };
      await answered(api.DELETE("/v1/managed-tables/upload-jobs/{job_id}", { params: { path } }));
    } finally {
      void queries.invalidateQueries({ queryKey: ["job", job._id] });
      void queries.invalidateQueries({ queryKey: ["jobs"] });
    }
  };
  return (
    <Ask
      label={t`Cancelar importação`}
      title={t`Cancelar esta importação?`}
      keep={t`Continuar com ela`}
      go={t`Cancelar importação`}
      onGo={cancel}
    >
      <p>{t`Nada será gravado, e os arquivos enviados serão apagados.`}</p>
    </Ask>
  );
}
