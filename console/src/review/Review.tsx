import { useEffect, useId, useRef } from "react";
import { fileNames, type InferredSchema, type Job } from "../api/types";
import { useConsole } from "../ui/context";
import { t } from "../ui/language";
import { Button, Check, type Choices, Failure, Radios, Steps } from "../ui/parts";
import { fieldsOf } from "../ui/store";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { toName } from "../values/words";
import { CheckList } from "./CheckList";
import { Cancel, ConfirmBar } from "./ConfirmBar";
import { type Draft, keptSentence, ReviewProvider, useReview, useReviewParts } from "./draft";
import { ReadingSection } from "./ReadingSection";

/**
 * The file's lines under the columns that they become, what is to be checked, one column's panel, and the way on. While
 * the files are read again the job has what the reading before gave.
 */
export function Review({ job }: { job: Job }) {
  const parts = useReviewParts(job);
  const { draft, name, target, reanalysis, failure, flush, isBusy, onDraft, can } = parts;
  const { user_table_id: into, inferred_schema: schema } = job;
  const kept = useKept(schema, draft, isBusy);
  const hint = useId();
  return (
    <ReviewProvider value={parts}>
      <section aria-labelledby="review-title">
        <div className="mt-title-bar">
          <h1 id="review-title">{fileNames(job)}</h1>
          <Steps now={2} />
        </div>
        <p className="mt-quiet">
          {schema && `${plural(schema.total_row_count_estimate, "linha")} · ${plural(schema.columns.length, "coluna")}`}
          {job.recipe?.verdict === "unchanged" && t` · lido como da última vez: nada mudou`}
          {job.expires_at && t` · guardado até ${formatMoment(job.expires_at)}`}
        </p>
        <CheckList>
          <MisfitActions />
        </CheckList>
        {target.error && <Failure error={target.error} onRetry={() => void target.refetch()} />}
        {reanalysis.error && <Failure error={reanalysis.error} />}
        {failure !== null && <Failure error={failure} onRetry={() => void flush().catch(() => {})} />}
        {kept && <p className="mt-note">{kept}</p>}
        {schema && !into && (
          <p className="mt-actions">
            <label>
              <strong>{t`Nova tabela`}</strong>{" "}
              <input
                maxLength={200}
                value={name}
                spellCheck={false}
                aria-describedby={hint}
                onChange={(event) => onDraft({ tableName: event.target.value })}
              />
            </label>
            <span id={hint} className="mt-quiet">
              {toName(name) !== name && t`Nos programas de BI: ${toName(name)}`}
            </span>
          </p>
        )}
        <ReadingSection />
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

const misfitChoices = (): Choices<Draft["onMisfit"]> => [
  ["reject", t`Não importar nada até corrigir`],
  ["skip", t`Importar as linhas que servem e separar as outras num arquivo`],
];

/** What can be done at once about values that do not fit, and about labels that have changed. */
function MisfitActions() {
  const { job, columns, draft, onDraft, onAdjust, onConfirm } = useReview();
  const field = fieldsOf(draft, onDraft);
  const named = new Set((job.error?.details ?? []).map((detail) => detail.column));
  const misfits = columns.filter((one) => named.has(one.name) && !one.into && one.type !== "text");
  return (
    <>
      <div className="mt-actions">
        {misfits.map(({ source }) => (
          <Button
            key={source}
            onClick={() => onAdjust([source], { type: "text" })}
          >{t`Importar “${source}” como texto`}</Button>
        ))}
        {job.error && (
          <Button onClick={() => onConfirm("skip")}>{t`Separar estas linhas num arquivo e importar as outras`}</Button>
        )}
      </div>
      {!job.error && (job.append_plan?.conflicts ?? []).length > 0 && (
        <Radios legend={t`O que fazer com as linhas que não servem`} choices={misfitChoices()} {...field("onMisfit")} />
      )}
      {(job.recipe?.differences ?? []).length > 0 && (
        <Check {...field("remember")}>{t`Ler assim também os próximos arquivos desta tabela`}</Check>
      )}
    </>
  );
}
