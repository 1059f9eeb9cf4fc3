import { useMutation } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { useRecipe, useTable } from "../api/queries";
import { type Confirmation, fileNames, type InferredSchema, type Job, type Reanalysis } from "../api/types";
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
  type Draft,
  keptSentence,
  type Look,
  type ReviewedColumn,
  type ReviewParts,
  ReviewProvider,
  review,
  toConfirmation,
  useDraft,
  useReview,
} from "./draft";
import { type Overrides, type Spot, usePlaces } from "./lines";
import { ReadingSection } from "./ReadingSection";

/**
 * The file's lines under the columns that they become, what is to be checked, one column's panel, and the way on. While
 * the files are read again the job has what the reading before gave.
 */
export function Review({ job }: { job: Job }) {
  const { user_table_id: into, inferred_schema: schema } = job;
  const { data: table = null } = useTable(into ?? "", into !== null);
  const { data: recipe = null, isLoading } = useRecipe(into ?? "", job.recipe !== null);
  const targets = table?.columns ?? NO_COLUMNS;
  const shared = useConsole();
  const { api, can } = shared;
  const { draft, change: onDraft, flush, failure } = useDraft(job);
  const columns = useMemo(
    () => (schema ? review(schema, draft.adjustments, targets, recipe, draft.order) : []),
    [schema, draft.adjustments, targets, recipe, draft.order],
  );
  const allPlaces = usePlaces(job);
  const checks = checksOf(job, columns, allPlaces, targets);
  const look = useLook(job, columns, checks);
  const path = { job_id: job._id };
  const reanalyze = useMutation({
    mutationFn: (body: Reanalysis) => api.POST("/upload-jobs/{job_id}/reanalyze", { path, body }),
  });
  const confirm = useMutation({
    mutationFn: async (body: Confirmation) => {
      await flush(); // values that do not fit bring the draft back
      return api.POST("/upload-jobs/{job_id}/confirm", { path, body });
    },
  });
  const onOverride = (overrides: Overrides): void => {
    const { file = 0, sheet = null } = job.reading?.tables[look.table] ?? {};
    reanalyze.mutate({ tables: [{ file, sheet, ...overrides }] });
  };
  const isBusy = job.status === "analisando" || reanalyze.isPending || isLoading;
  const kept = useKept(schema, draft, isBusy);
  const name = draft.tableName ?? schema?.suggested_table_name ?? "";
  const onAdjust: ReviewParts["onAdjust"] = (sources, changes) =>
    onDraft({ adjustments: Object.fromEntries(sources.map((source) => [source, changes])) });
  const onConfirm = (onMisfit = draft.onMisfit): void => {
    const key = columns.filter((one) => one.include && one.adjustment.isKey).map((one) => one.name);
    const emptied = draft.makeNullable.filter((one) => columns.some((column) => column.into?.name === one));
    confirm.mutate({
      display_name: toName(name),
      ...(into || toName(name) === name ? {} : { title: name }),
      columns: toConfirmation(columns),
      ...(into || key.length === 0 ? {} : { key }),
      on_misfit: onMisfit,
      remember: draft.remember,
      ...(emptied.length > 0 ? { make_nullable: emptied } : {}),
    });
  };
  const places = allPlaces[look.table] ?? new Map();
  const shown = { ...shared, job, table, recipe, look, columns, places, checks, targets, isBusy, draft, name };
  const acts = { onDraft, onAdjust, onState: reanalyze.mutate, onOverride, confirmation: confirm, onConfirm };
  return (
    <ReviewProvider value={{ ...shown, ...acts }}>
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
        {reanalyze.error && <Failure error={reanalyze.error} />}
        {failure !== null && <Failure error={failure} onRetry={() => void flush().catch(() => {})} />}
        {kept && <p className="mt-note">{kept}</p>}
        {schema && !into && (
          <TextField
            label={t`Nova tabela`}
            hint={toName(name) === name ? undefined : t`Nos programas de BI: ${toName(name)}`}
            maxLength={200}
            className="mt-target"
            value={name}
            spellCheck={false}
            onText={(tableName) => onDraft({ tableName })}
          />
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

const NO_COLUMNS: [] = [];

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
  const column = columns.find((one) => one.column.name === (selected ?? doubtful)) ?? columns[0] ?? null;
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
        <Radios
          legend={t`O que fazer com as linhas que não servem`}
          choices={misfitChoices()}
          value={draft.onMisfit}
          onChoose={(onMisfit) => onDraft({ onMisfit })}
        />
      )}
      {(job.recipe?.differences ?? []).length > 0 && (
        <Check
          isChecked={draft.remember}
          onCheck={(remember) => onDraft({ remember })}
        >{t`Ler assim também os próximos arquivos desta tabela`}</Check>
      )}
    </>
  );
}
