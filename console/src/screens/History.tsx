import type { ReactNode } from "react";
import { Link } from "wouter";
import { ACTIVE } from "../api/queries";
import { answered } from "../api/session";
import { fileNames, type Job } from "../api/types";
import { pageOf, useAddress } from "../ui/address";
import { useApi } from "../ui/context";
import { SelectField } from "../ui/fields";
import { Listing } from "../ui/Listing";
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
  const api = useApi();
  const address = useAddress();
  const [query, setQuery] = address;
  const status = query.get("situacao") ?? "";
  return (
    <section aria-labelledby="history-title">
      <div className="mt-title-bar">
        <h1 id="history-title">Envios</h1>
        <Link href="/exportados" className="mt-button mt-button-plain">
          Arquivos exportados
        </Link>
      </div>
      <SelectField
        label="Situação"
        choices={[["", "Todas"], ...Object.entries(STATUS_LABELS)]}
        value={status}
        onChoose={(situacao) => setQuery({ situacao, pagina: "" })}
      />
      <Listing
        queryKey={["jobs", status]}
        at={pageOf(address)}
        load={(page, signal) =>
          answered(
            api.GET("/v1/managed-tables/upload-jobs", {
              params: { query: { page, per_page: 20, ...(status ? { status: status as Job["status"] } : {}) } },
              signal,
            }),
          )
        }
        again={(jobs) => jobs.some((job) => ACTIVE.has(job.status)) && 5_000}
        empty="Nenhum envio"
      >
        {(jobs) => (
          <ul className="mt-list">
            {jobs.map((job) => (
              <JobCard key={job._id} job={job} />
            ))}
          </ul>
        )}
      </Listing>
    </section>
  );
}

function JobCard({ job }: { job: Job }): ReactNode {
  const isCancelled = job.error?.code === "JOB_CANCELLED";
  return (
    <li className="mt-record">
      <Link href={`/envios/${job._id}`}>{fileNames(job)}</Link>
      <span>
        {isCancelled ? "Cancelado" : STATUS_LABELS[job.status]} · {MODE_LABELS[job.mode]}
        {job.origin === "inbox" && " · recebido pela caixa de entrada"}
        {job.undone_at && " · desfeito"}
        {job.result && ` · ${plural(job.result.inserted, "linha gravada", "linhas gravadas")}`}
        {job.status === "failed" && !isCancelled && ` · ⚠ ${job.error?.message}`}
      </span>
      <span className="mt-quiet">{formatMoment(job.created_at)}</span>
    </li>
  );
}
