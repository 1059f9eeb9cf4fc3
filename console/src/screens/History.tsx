import type { ReactNode } from "react";
import { Link } from "wouter";
import { useJobs } from "../api/queries";
import { fileNames, type Job } from "../api/types";
import { pageOf, useAddress } from "../ui/address";
import { SelectField } from "../ui/fields";
import { Pager } from "../ui/Pager";
import { Empty, Failure, Loading } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";

const STATUS_LABELS: Record<Job["status"], string> = {
  queued: "Recebendo",
  analisando: "Lendo",
  waiting_confirm: "Aguardando sua revisão",
  inserting: "Gravando",
  done: "Concluído",
  failed: "Não importado",
};
const MODE_LABELS: Record<string, string> = {
  create: "nova tabela",
  append: "acrescentar",
  replace: "substituir",
  upsert: "atualizar pela chave",
};

/** Every upload of the company, newest first. */
export default function History(): ReactNode {
  const [query, setQuery] = useAddress();
  const page = pageOf(query);
  const status = query.get("situacao") ?? "";
  const jobs = useJobs(page, status);
  return (
    <section aria-labelledby="history-title">
      <h1 id="history-title">Envios</h1>
      <SelectField
        label="Situação"
        choices={[["", "Todas"], ...Object.entries(STATUS_LABELS)]}
        value={status}
        onChoose={(situacao) => setQuery({ situacao, pagina: "" })}
      />
      {jobs.error && <Failure error={jobs.error} onRetry={() => void jobs.refetch()} />}
      {!jobs.data && !jobs.error && <Loading label="Carregando os envios" />}
      {jobs.data?.records.length === 0 && <Empty title="Nenhum envio" />}
      <ul className="mt-cards">
        {jobs.data?.records.map((job) => (
          <li key={job._id} className="mt-card">
            <h2>
              <Link href={`/envios/${job._id}`}>{fileNames(job)}</Link>
            </h2>
            <p>
              {job.error?.code === "JOB_CANCELLED" ? "Cancelado" : STATUS_LABELS[job.status]} · {MODE_LABELS[job.mode]}
              {job.origin === "inbox" && " · recebido pela caixa de entrada"}
              {job.undone_at && " · desfeito"}
            </p>
            {job.result && <p>{plural(job.result.inserted, "linha gravada", "linhas gravadas")}</p>}
            {job.status === "failed" && job.error?.code !== "JOB_CANCELLED" && <p>⚠ {job.error?.message}</p>}
            <p className="mt-quiet">{formatMoment(job.created_at)}</p>
          </li>
        ))}
      </ul>
      {jobs.data && (
        <Pager
          page={page}
          perPage={20}
          total={jobs.data.total}
          onPage={(next) => setQuery({ pagina: next > 1 ? String(next) : "" })}
        />
      )}
    </section>
  );
}
