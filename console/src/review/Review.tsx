import { ArrowRight } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { fileNames, type InferredSchema, type Job } from "../api/types";
import type { Mode } from "../api/uploads";
import { useConsole } from "../ui/context";
import { t } from "../ui/language";
import { Failure, Select, Steps } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { modes, toName } from "../values/words";
import { CheckList } from "./CheckList";
import { ColumnPanel } from "./ColumnPanel";
import { Cancel, ConfirmBar } from "./ConfirmBar";
import { Corrections } from "./Corrections";
import { Decisions } from "./Decisions";
import { type Draft, keptSentence, ReviewProvider, useReview, useReviewParts } from "./draft";
import { FileGrid } from "./FileGrid";
import { ReadingBar } from "./ReadingBar";

/**
 * The file's lines under the columns that they become, beside them what is to be checked and one column's panel, and the
 * way on. While the files are read again the job has what the reading before gave.
 */
export function Review({ job }: { job: Job }) {
  const parts = useReviewParts(job);
  const { look, target, reanalysis, failure, flush, isBusy, can } = parts;
  const schema = job.inferred_schema;
  const table = job.reading?.tables[look.table];
  const [isCorrecting, setCorrecting] = useState(false);
  return (
    <ReviewProvider value={parts}>
      <section className="mt-review" aria-labelledby="review-title">
        {can("upload") && schema && (
          <button type="button" className="mt-skip" onClick={toConfirm}>{t`Ir para o botão de importar`}</button>
        )}
        <div className="mt-title-bar">
          <div className="mt-actions">
            <h1 id="review-title">{fileNames(job)}</h1>
            {schema && <Destination />}
            <Known />
          </div>
          <Steps now={2} />
        </div>
        {target.error && <Failure error={target.error} onRetry={() => void target.refetch()} />}
        {reanalysis.error && <Failure error={reanalysis.error} />}
        {failure !== null && <Failure error={failure} onRetry={() => void flush().catch(() => {})} />}
        <h2 id="reading-title" className="mt-hidden">{t`Como o arquivo foi lido`}</h2>
        {table && <ReadingBar table={table} />}
        <div className="mt-review-sheet" role="region" aria-labelledby="reading-title" aria-busy={isBusy}>
          {table && (
            <div className="mt-review-lines">
              <FileGrid key={look.table} table={table} />
            </div>
          )}
          <div className="mt-review-side">
            {isCorrecting ? (
              <Corrections onClose={() => setCorrecting(false)} />
            ) : (
              <CheckList>
                <Decisions onCorrect={() => setCorrecting(true)} />
              </CheckList>
            )}
            {table && look.column && !isCorrecting && (
              <ColumnPanel key={`${look.column.column.name}/${job.updated_at}`} column={look.column} />
            )}
          </div>
        </div>
        {!can("upload") ? (
          <p className="mt-note">{t`Você pode ver esta revisão, mas não importar nem mudar o que foi dito nela.`}</p>
        ) : schema ? (
          <ConfirmBar />
        ) : (
          <Cancel job={job} />
        )}
      </section>
    </ReviewProvider>
  );
}

function toConfirm(): void {
  document.getElementById("mt-confirm")?.focus();
}

/** Where the rows go: the name of a new table, or what they do with those of one that is there. */
function Destination() {
  const { job, draft, name, table, onDraft } = useReview();
  const hint = useId();
  if (job.user_table_id !== null) {
    return table ? (
      <>
        <ArrowRight />
        <Select
          aria-label={t`O que estas linhas fazem com a tabela`}
          choices={table.key ? modes() : modes().slice(0, 2)}
          value={job.mode as Mode}
          onValue={(mode) => onDraft({ mode })}
        />
      </>
    ) : null;
  }
  return (
    <>
      <ArrowRight />
      <label>
        {t`Nova tabela`}{" "}
        <input
          maxLength={200}
          value={draft.tableName ?? name}
          spellCheck={false}
          aria-describedby={hint}
          onChange={(event) => onDraft({ tableName: event.target.value })}
        />
      </label>
      <span id={hint} className="mt-quiet">
        {toName(name) !== name && t`Nos programas de BI: ${toName(name)}`}
      </span>
    </>
  );
}

/** What is known of the files, and what became of a person's changes. */
function Known() {
  const { job, draft, isBusy } = useReview();
  const schema = job.inferred_schema;
  const kept = useKept(schema, draft, isBusy);
  const isAsBefore = job.recipe?.verdict === "unchanged" && job.proofs?.every((one) => one.holds);
  const known = [
    schema && plural(schema.total_row_count_estimate, "linha"),
    schema && plural(schema.columns.length, "coluna"),
    isAsBefore && t`lido como da última vez: nada mudou`,
    job.expires_at && t`guardado até ${formatMoment(job.expires_at)}`,
  ];
  return (
    <>
      <span className="mt-quiet">{known.filter(Boolean).join(" · ")}</span>
      {kept && <span className="mt-quiet">{kept}</span>}
    </>
  );
}

/** Say what became of a person's changes when the files were read again. */
function useKept(schema: InferredSchema | null, { adjustments }: Draft, isBusy: boolean): string | null {
  const { announce } = useConsole();
  const read = useRef(schema);
  const kept = schema && keptSentence(schema, adjustments);
  useEffect(() => {
    if (read.current === schema || !schema) return;
    read.current = schema;
    announce(kept ?? t`Arquivo lido de novo: ${plural(schema.total_row_count_estimate, "linha")}`);
  }, [schema]);
  return isBusy ? null : kept;
}
