import { Link } from "wouter";
import { fileNames, type Job } from "../api/types";
import { ACTIVE, useConsole, useTable } from "../ui/context";
import { Listing, useAddress } from "../ui/Listing";
import { t } from "../ui/language";
import { Empty, SelectField } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { statusLabels } from "../values/words";

const modeLabels = (): Record<string, string> => ({
  create: t`nova tabela`,
  append: t`acrescentar`,
  replace: t`substituir`,
  upsert: t`atualizar pela chave`,
});

/** Every upload of the company, newest first. */
export default function History() {
  const { api, can } = useConsole();
  const { query, change, at } = useAddress();
  const status = (query.get("situacao") ?? "") as Job["status"] | "";
  return (
    <section aria-labelledby="history-title">
      <div className="mt-title-bar">
        <h1 id="history-title">{t`Envios`}</h1>
        <Link href="/exportados" className="mt-button mt-button-plain">{t`Arquivos exportados`}</Link>
      </div>
      <SelectField
        label={t`Situação`}
        choices={[["", t`Todas`], ...Object.entries(statusLabels())]}
        value={status}
        onValue={(situacao) => change({ situacao, pagina: "" })}
      />
      <Listing
        queryKey={["/upload-jobs", status]}
        at={at}
        load={(page, signal) =>
          api.GET("/upload-jobs", { query: { page, per_page: 20, ...(status && { status }) }, signal })
        }
        again={(jobs) => jobs.some((job) => ACTIVE.has(job.status)) && 5_000}
        empty={
          <Empty
            title={t`Nenhum envio`}
            {...(status === "" ? { hint: t`Cada arquivo que chega fica aqui, com o que foi feito dele.` } : {})}
          >
            {can("upload") && status === "" && (
              <Link href="/enviar" className="mt-button mt-button-primary">{t`Enviar arquivo`}</Link>
            )}
          </Empty>
        }
      >
        {(job) => <JobCard key={job._id} job={job} />}
      </Listing>
    </section>
  );
}

function JobCard({ job }: { job: Job }) {
  const { who } = useConsole();
  const { data: table } = useTable(job.user_table_id ?? "", job.user_table_id !== null);
  const isCancelled = job.error?.code === "JOB_CANCELLED";
  return (
    <li className="mt-record">
      <Link href={`/envios/${job._id}`}>{fileNames(job)}</Link>
      <span>
        {isCancelled ? t`Cancelado` : statusLabels()[job.status]} · {modeLabels()[job.mode]}
        {job.origin === "inbox" && t` · recebido pela caixa de entrada`}
        {job.undone_at && t` · desfeito`}
        {job.result && ` · ${plural(job.result.inserted, "linha gravada", "linhas gravadas")}`}
        {job.result?.updated ? ` · ${plural(job.result.updated, "linha atualizada", "linhas atualizadas")}` : ""}
        {job.status === "failed" && !isCancelled && ` · ${job.error?.message}`}
      </span>
      <span className="mt-quiet">
        {formatMoment(job.created_at)}
        {job.user_id && t` · ${who(job.user_id)} enviou`}
      </span>
      {table && <Link href={`/tabelas/${table._id}`}>{t`Tabela: ${table.title || table.display_name}`}</Link>}
    </li>
  );
}
