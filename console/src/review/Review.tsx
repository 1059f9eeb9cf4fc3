import { useMutation } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useRecipe, useTable } from "../api/queries";
import { type Confirmation, fileNames, type Job, type Reanalysis } from "../api/types";
import { useConsole } from "../ui/context";
import { t } from "../ui/language";
import { Button, Check, type Choices, Failure, Radios, Steps, TextField } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { plural } from "../values/numbers";
import { toName } from "../values/words";
import { CheckList } from "./CheckList";
import { Cancel, ConfirmBar } from "./ConfirmBar";
import { checksOf, type Check as Doubt } from "./checks";
import {
  type Adjustment,
  type Draft,
  keptSentence,
  type Look,
  type ReviewedColumn,
  ReviewProvider,
  review,
  toConfirmation,
  useDraft,
  useReview,
} from "./draft";
import { type Spot, usePlaces } from "./lines";
import { ReadingSection } from "./ReadingSection";

interface ReviewProps {
  job: Job;
  /** Whether the files are being read again: what is shown is of the reading before. */
  isRereading: boolean;
}

/** The file's lines under the columns that they become, what is to be checked, one column's panel, and the way on. */
export function Review({ job, isRereading }: ReviewProps) {
  const table = useTable(job.user_table_id ?? "", job.user_table_id !== null);
  const recipe = useRecipe(job.user_table_id ?? "", job.recipe !== null);
  const targets = table.data?.columns ?? NO_COLUMNS;
  const shared = useConsole();
  const { api, can } = shared;
  const drafted = useDraft(job);
  const { draft, change: setDraft } = drafted;
  const schema = job.inferred_schema;
  const columns = useMemo(
    () => (schema ? review(schema, draft.adjustments, targets, recipe.data, draft.order) : []),
    [schema, draft.adjustments, targets, recipe.data, draft.order],
  );
  const checks = checksOf(job, columns, usePlaces(job), targets);
  const path = { job_id: job._id };
  const reanalyze = useMutation({
    mutationFn: (body: Reanalysis) => api.POST("/upload-jobs/{job_id}/reanalyze", { path, body }),
  });
  const isBusy = isRereading || reanalyze.isPending || recipe.isLoading;
  const confirm = useMutation({
    mutationFn: async (body: Confirmation) => {
      await drafted.flush(); // values that do not fit bring the draft back
      return api.POST("/upload-jobs/{job_id}/confirm", { path, body });
    },
  });
  const look = useLook(job, columns, checks);
  const kept = useKept(job, draft, isBusy);
  const name = draft.tableName ?? schema?.suggested_table_name ?? "";
  const adjust = (sources: readonly string[], changes: Adjustment): void => {
    setDraft({ adjustments: Object.fromEntries(sources.map((source) => [source, changes])) });
  };
  const send = (onMisfit = draft.onMisfit): void => {
    const key = columns.filter((one) => one.include && one.adjustment.isKey).map((one) => one.name);
    const emptied = draft.makeNullable.filter((one) => columns.some(({ into }) => into?.name === one));
    confirm.mutate({
      display_name: toName(name),
      ...(job.user_table_id || toName(name) === name ? {} : { title: name }),
      columns: toConfirmation(columns),
      ...(job.user_table_id || key.length === 0 ? {} : { key }),
      on_misfit: onMisfit,
      remember: draft.remember,
      ...(emptied.length > 0 ? { make_nullable: emptied } : {}),
    });
  };
  const said = { draft, onDraft: setDraft, onAdjust: adjust, table: table.data ?? null, recipe: recipe.data ?? null };
  const parts = { ...shared, ...said, job, look, columns, checks, targets, isBusy };
  return (
    <ReviewProvider value={parts}>
      <section aria-labelledby="review-title" className="mt-review">
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
          <MisfitActions onSeparate={() => send("skip")} />
        </CheckList>
        {reanalyze.error && <Failure error={reanalyze.error} />}
        {drafted.failure !== null && (
          <Failure error={drafted.failure} onRetry={() => void drafted.flush().catch(() => {})} />
        )}
        {kept && <p className="mt-note">{kept}</p>}
        {schema && !job.user_table_id && (
          <TextField
            label={t`Nova tabela`}
            hint={toName(name) === name ? undefined : t`Nos programas de BI: ${toName(name)}`}
            maxLength={200}
            className="mt-target"
            value={name}
            spellCheck={false}
            onText={(tableName) => setDraft({ tableName })}
          />
        )}
        {job.reading && <ReadingSection onState={reanalyze.mutate} />}
        {!can("upload") ? (
          <p className="mt-note">{t`Você pode ver esta revisão, mas não importar nem mudar o que foi dito nela.`}</p>
        ) : schema ? (
          <ConfirmBar name={name} isSending={confirm.isPending} failure={confirm.error} onSend={send} />
        ) : (
          <Cancel job={job} />
        )}
      </section>
    </ReviewProvider>
  );
}

const NO_COLUMNS: [] = [];
const misfitChoices = (): Choices<Draft["onMisfit"]> => [
  ["reject", t`Não importar nada até corrigir`],
  ["skip", t`Importar as linhas que servem e separar as outras num arquivo`],
];

/** What a person looks at: a file or sheet, a column, a cell. */
function useLook(job: Job, columns: readonly ReviewedColumn[], checks: readonly Doubt[]): Look {
  const included = job.reading?.tables.findIndex((table) => table.include) ?? -1;
  const [table, choose] = useState(Math.max(included, 0));
  const [spot, setSpot] = useState<Spot | null>(null);
  const [selected, setSelected] = useState<string | null>(null);
  const select = (name: string | null): void => {
    setSelected(name);
    setSpot(null); // a phone shows the panel or the cell
  };
  const doubtful = checks.find((check) => check.column !== null)?.column;
  const name = selected ?? doubtful;
  const column = columns.find((one) => one.column.name === name) ?? columns[0] ?? null;
  const at = (check: Doubt): void => {
    if (check.column !== null) select(check.column);
    if (check.spot) {
      choose(check.spot.table);
      setSpot({ ...check.spot }); // another object: the same cell takes the focus again
    } else document.getElementById("panel-title")?.scrollIntoView({ block: "nearest" });
  };
  return { table, spot, column, choose, select, isChosen: selected !== null && spot === null, at };
}

/** Say what became of a person's changes when the files were read again. */
function useKept(job: Job, { adjustments }: Draft, isBusy: boolean): string | null {
  const { announce } = useConsole();
  const schema = job.inferred_schema;
  const readings = useRef(schema);
  useEffect(() => {
    if (readings.current === schema || !schema) return;
    readings.current = schema;
    announce(
      keptSentence(schema, adjustments) ?? t`Arquivo lido de novo: ${plural(schema.total_row_count_estimate, "linha")}`,
    );
  }, [schema]);
  return schema && !isBusy ? keptSentence(schema, adjustments) : null;
}

/** What can be done at once about values that do not fit, and about labels that have changed. */
function MisfitActions({ onSeparate }: { onSeparate: () => void }) {
  const { job, columns, draft, onDraft, onAdjust } = useReview();
  const named = new Set((job.error?.details ?? []).map((detail) => detail.column));
  const misfits = columns.filter((one) => named.has(one.name) && !one.into && one.type !== "text");
  const differences = job.recipe?.differences ?? [];
  return (
    <>
      <div className="mt-actions">
        {misfits.map(({ source }) => (
          <Button
            key={source}
            onClick={() => onAdjust([source], { type: "text" })}
          >{t`Importar “${source}” como texto`}</Button>
        ))}
        {job.error && <Button onClick={onSeparate}>{t`Separar estas linhas num arquivo e importar as outras`}</Button>}
      </div>
      {!job.error && (job.append_plan?.conflicts.length ?? 0) > 0 && (
        <Radios
          legend={t`O que fazer com as linhas que não servem`}
          choices={misfitChoices()}
          value={draft.onMisfit}
          onChoose={(onMisfit) => onDraft({ onMisfit })}
        />
      )}
      {differences.length > 0 && (
        <Check
          isChecked={draft.remember}
          onCheck={(remember) => onDraft({ remember })}
        >{t`Ler assim também os próximos arquivos desta tabela`}</Check>
      )}
    </>
  );
}
