import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import { useTable } from "../api/queries";
import { answered } from "../api/session";
import type { Job } from "../api/types";
import { Cancel, fileNames } from "../screens/JobScreen";
import { Steps } from "../screens/Upload";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { Button, Dialog, Failure, Field } from "../ui/parts";
import { formatMoment } from "../values/dates";
import { formatCount, plural } from "../values/numbers";
import { AppendPlan } from "./AppendPlan";
import { type Adjustment, type Draft, keptSentence, type ReviewedColumn, review, toConfirmation } from "./adjustments";
import { Columns } from "./Columns";
import { useExamples } from "./examples";
import type { Spot, TableReading } from "./lines";
import { Misfits } from "./Misfits";
import { Reading, type TableWish } from "./Reading";
import { Warnings } from "./Warnings";

export interface ReviewProps {
  job: Job;
  /** Whether the files are being read again: what is shown is of the reading before. */
  isRereading: boolean;
  draft: Draft;
  onDraft: (changes: Partial<Draft>) => void;
}

/** How the file was read, what its columns are, and the way on. */
export function Review({ job, isRereading, draft, onDraft }: ReviewProps): ReactNode {
  const announce = useAnnounce();
  const { adjustments, onMisfit } = draft;
  const [spot, setSpot] = useState<Spot | null>(null);
  const schema = job.inferred_schema;
  const tableName = draft.tableName ?? schema?.suggested_table_name ?? "";
  const columns = useMemo(() => (schema ? review(schema, adjustments) : []), [schema, adjustments]);
  const reanalyze = useReanalyze(job);
  const confirm = useConfirm(job, tableName, columns, onMisfit);
  const isBusy = isRereading || reanalyze.isPending;

  const readings = useRef(job.inferred_schema);
  useEffect(() => {
    if (readings.current === schema || !schema) return;
    readings.current = schema;
    announce(
      keptSentence(schema, adjustments) ?? `Arquivo lido de novo: ${plural(schema.total_row_count_estimate, "linha")}`,
    );
  }, [schema]);

  const adjust = (source: string, changes: Adjustment): void => adjustAll([source], changes);
  const adjustAll = (sources: readonly string[], changes: Adjustment): void => {
    const after = new Map(adjustments);
    for (const source of sources) after.set(source, { ...after.get(source), ...changes });
    onDraft({ adjustments: after });
  };
  const kept = schema && !isBusy ? keptSentence(schema, adjustments) : null;

  return (
    <section aria-labelledby="review-title" className="mt-review">
      <h1 id="review-title">{fileNames(job)}</h1>
      <Steps now={2} />
      <p className="mt-quiet">
        {schema && `${plural(schema.total_row_count_estimate, "linha")} · ${plural(schema.columns.length, "coluna")}`}
        {job.expires_at && ` · guardado até ${formatMoment(job.expires_at)}`}
      </p>
      {job.error && (
        <Misfits
          job={job}
          onSpot={setSpot}
          onText={(source) => adjust(source, { type: "text" })}
          onSkip={() => onDraft({ onMisfit: "skip" })}
        />
      )}
      {reanalyze.error && <Failure error={reanalyze.error} />}
      {job.reading && (
        <Reading
          job={job}
          reading={job.reading}
          isBusy={isBusy}
          spot={spot}
          onWish={(wish) => reanalyze.mutate(wish)}
        />
      )}
      <Warnings warnings={job.warnings} />
      {kept && <p className="mt-note">{kept}</p>}
      {schema && (
        <>
          <Target job={job} name={tableName} onName={(tableName) => onDraft({ tableName })} />
          {job.append_plan && (
            <AppendPlan plan={job.append_plan} onMisfit={onMisfit} onChoice={(onMisfit) => onDraft({ onMisfit })} />
          )}
          <ColumnsOfFile job={job} columns={columns} onAdjust={adjust} onAll={adjustAll} />
          <ConfirmBar job={job} columns={columns} isBusy={isBusy} confirm={confirm} />
        </>
      )}
      {!schema && <Cancel job={job} />}
    </section>
  );
}

type ColumnsOfFileProps = Pick<Parameters<typeof Columns>[0], "columns" | "onAdjust" | "onAll"> & { job: Job };

/** The columns, with examples from the first table that is imported. */
function ColumnsOfFile({ job, ...rest }: ColumnsOfFileProps): ReactNode {
  const table = job.reading?.tables.find((one) => one.include);
  return table ? (
    <WithExamples job={job} table={table} {...rest} />
  ) : (
    <Columns warnings={job.warnings} exampleOf={() => null} {...rest} />
  );
}

function WithExamples({ job, table, ...rest }: ColumnsOfFileProps & { table: TableReading }): ReactNode {
  return <Columns warnings={job.warnings} exampleOf={useExamples(job, table)} {...rest} />;
}

function Target({ job, name, onName }: { job: Job; name: string; onName: (name: string) => void }): ReactNode {
  if (job.user_table_id) return <ExistingTarget tableId={job.user_table_id} mode={job.mode} />;
  return (
    <Field label="Nova tabela" hint="Letras minúsculas, números e _">
      {(ids) => <input {...ids} value={name} spellCheck={false} onChange={(event) => onName(event.target.value)} />}
    </Field>
  );
}

function ExistingTarget({ tableId, mode }: { tableId: string; mode: Job["mode"] }): ReactNode {
  const table = useTable(tableId);
  const action = mode === "replace" ? "As linhas de" : mode === "upsert" ? "Atualiza" : "Acrescenta a";
  return (
    <p>
      {action} <strong>{table.data?.title || table.data?.display_name || "…"}</strong>
      {mode === "replace" && ` (${formatCount(table.data?.row_count ?? 0)}) serão substituídas`}
    </p>
  );
}

function useReanalyze(job: Job) {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wish: TableWish) =>
      answered(
        api.POST("/v1/managed-tables/upload-jobs/{job_id}/reanalyze", {
          params: { path: { job_id: job._id } },
          body: { tables: [wish] },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["job", job._id] }),
  });
}

function useConfirm(job: Job, name: string, columns: readonly ReviewedColumn[], onMisfit: "reject" | "skip") {
  const api = useApi();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () =>
      answered(
        api.POST("/v1/managed-tables/upload-jobs/{job_id}/confirm", {
          params: { path: { job_id: job._id } },
          body: { display_name: name, columns: toConfirmation(columns), on_misfit: onMisfit },
        }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["job", job._id] }),
  });
}

interface ConfirmBarProps {
  job: Job;
  columns: readonly ReviewedColumn[];
  isBusy: boolean;
  confirm: ReturnType<typeof useConfirm>;
}

function ConfirmBar({ job, columns, isBusy, confirm }: ConfirmBarProps): ReactNode {
  const announce = useAnnounce();
  const [isAsked, setAsked] = useState(false);
  const rows = plural(job.inferred_schema?.total_row_count_estimate ?? 0, "linha");
  const label = {
    create: `Importar ${rows}`,
    append: `Acrescentar ${rows}`,
    upsert: `Atualizar com ${rows}`,
    replace: `Substituir por ${rows}`,
  }[job.mode];
  const problem = isBusy
    ? "O arquivo está sendo lido de novo"
    : columns.some((one) => one.include)
      ? null
      : "Escolha ao menos uma coluna";
  const go = (): void => {
    if (problem) {
      announce(problem);
      if (!isBusy) document.querySelector<HTMLElement>(".mt-column input")?.focus();
    } else if (job.mode === "replace") setAsked(true);
    else confirm.mutate();
  };
  return (
    <div className="mt-sticky-bar">
      {confirm.error && <Failure error={confirm.error} />}
      <Cancel job={job} />
      <Button kind="primary" aria-disabled={problem !== null || confirm.isPending} onClick={go}>
        {confirm.isPending ? "Começando…" : label}
      </Button>
      {isAsked && (
        <Dialog
          title="Substituir as linhas da tabela?"
          onClose={() => setAsked(false)}
          actions={
            <>
              <Button onClick={() => setAsked(false)}>Voltar à revisão</Button>
              <Button
                kind="danger"
                onClick={() => {
                  setAsked(false);
                  confirm.mutate();
                }}
              >
                {label}
              </Button>
            </>
          }
        >
          <p>Todas as linhas de hoje saem quando as novas entrarem. Dá para desfazer por 7 dias, na página do envio.</p>
        </Dialog>
      )}
    </div>
  );
}
