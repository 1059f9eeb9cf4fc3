import { useEffect, useState } from "react";
import { Link } from "wouter";
import { ApiFailure, isGone } from "../api/session";
import { type ErrorBody, fileNames, type Job } from "../api/types";
import { Cancel } from "../review/ConfirmBar";
import { MergeReview } from "../review/MergeReview";
import { Review } from "../review/Review";
import { useConsole, useJob, useTable } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Empty, Failure, Pending, ProgressBar, Steps } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { formatCount, formatMeasure, plural } from "../values/numbers";
import { statusLabels } from "../values/words";
import { CameIn } from "./CameIn";

/** One upload from arrival to its end: progress, the review, the result, the errors. */
export default function JobScreen({ jobId }: { jobId: string }) {
  const job = useJob(jobId);
  const [reviewed, setReviewed] = useState<Job | null>(null); // what is on the screen while the files are read again
  if (job.data?.status === "waiting_confirm" && reviewed !== job.data) setReviewed(job.data);
  if (isGone(job.error))
    return (
      <Empty title={t`Este envio não existe`}>
        <Link href="/envios">{t`Ver os envios`}</Link>
      </Empty>
    );
  if (!job.data) return <Pending query={job} label={t`Carregando o envio`} />;
  const { status, draft, merge_plan: plan } = job.data;
  if (status === "waiting_confirm" && plan) return <MergeReview job={job.data} plan={plan} />;
  if (status === "waiting_confirm") return <Review job={job.data} />;
  if (status === "analisando" && reviewed?._id === jobId) return <Review job={{ ...reviewed, status, draft }} />;
  const Screen = { done: Done, failed: Failed, queued: Working, analisando: Working, inserting: Working }[status];
  return <Screen job={job.data} />;
}

const ARRIVING_MS = 8_000; // what was sent is known to have arrived within a few seconds

function Working({ job }: { job: Job }) {
  const [isLate, setLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), ARRIVING_MS);
    return () => window.clearTimeout(timer);
  }, []);
  const phase = job.progress?.phase === "inferring" ? t`Identificando colunas` : statusLabels()[job.status];
  const rows =
    job.progress?.total_rows !== undefined && job.progress.phase === "inserting"
      ? t`: ${formatCount(job.progress.processed_rows ?? 0)} de ${formatCount(job.progress.total_rows)} linhas`
      : "";
  return (
    <section aria-labelledby="job-title">
      <h1 id="job-title">{fileNames(job)}</h1>
      <Steps now={job.status === "inserting" ? 3 : 1} />
      {job.status === "queued" && isLate && (
        <p className="mt-note">
          {t`Os arquivos ainda não chegaram todos. Se a página foi fechada durante o envio, cancele este e`}{" "}
          <Link href={uploadPath(job)}>{t`envie de novo`}</Link>.
        </p>
      )}
      <ProgressBar label={`${phase}${rows}`} percent={job.progress?.percent ?? null} />
      <Cancel job={job} />
    </section>
  );
}

function uploadPath({ user_table_id: table }: Job): string {
  return table ? `/enviar?tabela=${table}` : "/enviar";
}

function Done({ job }: { job: Job }) {
  const { api, can } = useConsole();
  const hasTable = job.user_table_id !== null && !(job.undone_at && job.mode === "create");
  const { data: table } = useTable(job.user_table_id ?? "", hasTable);
  const result = job.result;
  const counts = result && [
    plural(result.inserted, "linha gravada", "linhas gravadas"),
    result.updated && plural(result.updated, "linha atualizada", "linhas atualizadas"),
    result.deleted && plural(result.deleted, "linha excluída", "linhas excluídas"),
    result.unchanged && plural(result.unchanged, "já estava igual", "já estavam iguais"),
    result.rejected && plural(result.rejected, "não entrou", "não entraram"),
    result.repaired && plural(result.repaired, "célula consertada", "células consertadas"),
  ];
  const download = async (): Promise<void> => {
    const { url } = await api.GET("/upload-jobs/{job_id}/rejects", { path: { job_id: job._id } });
    window.location.assign(url);
  };
  return (
    <section aria-labelledby="job-title">
      <h1 id="job-title">{job.undone_at ? t`Importação desfeita` : t`Concluído`}</h1>
      <p>
        {fileNames(job)}
        {table && ` → ${table.title || table.display_name}`}
      </p>
      {counts && <h2>{t`${counts.filter(Boolean).join(" · ")} em ${formatMeasure(result.seconds)} s`}</h2>}
      {result && result.rejected > 0 && (
        <p className="mt-quiet">
          {t`O que não entrou pode ser consertado já na revisão, em Corrigir valores: envie o arquivo de novo. A tabela lembra os consertos.`}
        </p>
      )}
      {job.undone_at && <p>{t`Desfeita em ${formatMoment(job.undone_at)}`}</p>}
      <div className="mt-actions">
        {hasTable && (
          <Link href={`/tabelas/${job.user_table_id}`} className="mt-button mt-button-primary">{t`Ver tabela`}</Link>
        )}
        {result && result.rejected > 0 && (
          <Ask label={t`Baixar as linhas que não entraram`} kind="plain" onGo={download} />
        )}
        {!job.undone_at && <Undo job={job} />}
        <Link href="/enviar" className="mt-button mt-button-plain">{t`Enviar outro arquivo`}</Link>
      </div>
      {table && !job.undone_at && can("data-read") && <CameIn job={job} table={table} />}
    </section>
  );
}

function Undo({ job }: { job: Job }) {
  const { api } = useConsole();
  const [force, setForce] = useState(false); // once it is known that rows have changed since
  const undo = async (): Promise<void> => {
    try {
      await api.POST("/upload-jobs/{job_id}/undo", { path: { job_id: job._id }, body: { force } });
    } catch (fault) {
      setForce(fault instanceof ApiFailure && fault.code === "CHANGED_SINCE");
      throw fault;
    }
  };
  return (
    <Ask
      label={t`Desfazer importação`}
      kind="plain"
      title={t`Desfazer esta importação?`}
      keep={t`Deixar como está`}
      yes={force ? t`Desfazer só as outras` : t`Desfazer importação`}
      onGo={undo}
    >
      <p>{undoSentences()[job.mode]}</p>
    </Ask>
  );
}

const undoSentences = (): Record<string, string> => ({
  create: t`A tabela que ela criou será apagada.`,
  append: t`As linhas que ela acrescentou sairão da tabela.`,
  replace: t`As linhas de antes voltarão à tabela.`,
  upsert: t`As linhas novas sairão, e as atualizadas voltarão aos valores de antes.`,
  merge: t`As linhas novas sairão, as atualizadas voltarão aos valores de antes, e as excluídas voltarão à tabela.`,
});

function Failed({ job }: { job: Job }) {
  const isCancelled = job.error?.code === "JOB_CANCELLED";
  const details = (job.error?.details ?? []) as NonNullable<ErrorBody["details"]>;
  return (
    <section aria-labelledby="job-title">
      <h1 id="job-title">{isCancelled ? t`Importação cancelada` : t`Não foi possível importar`}</h1>
      <p>{fileNames(job)}</p>
      {!isCancelled && job.error && <Failure error={new ApiFailure(0, { error: job.error.message, details })} />}
      <Link href={uploadPath(job)} className="mt-button mt-button-primary">{t`Enviar de novo`}</Link>
    </section>
  );
}
