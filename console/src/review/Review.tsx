import { Check as Tick, TriangleAlert } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { fileNames, type InferredSchema, type Job } from "../api/types";
import type { Mode } from "../api/uploads";
import { useConsole } from "../ui/context";
import { Ask } from "../ui/dialogs";
import { t } from "../ui/language";
import { Button, Check, type Choices, Dialog, Failure, Radios, SelectField, Steps } from "../ui/parts";
import { type Edited, fieldsOf } from "../ui/store";
import { formatMoment } from "../values/dates";
import { formatCount, plural } from "../values/numbers";
import { delimiters, encodings, modes, toName, wordOf } from "../values/words";
import { CheckList } from "./CheckList";
import { ColumnPanel } from "./ColumnPanel";
import {
  type Draft,
  keptSentence,
  type ReviewParts,
  ReviewProvider,
  rememberedWords,
  useReview,
  useReviewParts,
} from "./draft";
import { FileGrid } from "./FileGrid";
import type { Overrides, TableReading } from "./lines";

/**
 * The file's lines under the columns that they become, what is to be checked, one column's panel, and the way on. While
 * the files are read again the job has what the reading before gave.
 */
export function Review({ job }: { job: Job }) {
  const parts = useReviewParts(job);
  const { draft, name, table, target, reanalysis, failure, flush, isBusy, onDraft, can } = parts;
  const { user_table_id: into, inferred_schema: schema } = job;
  const kept = useKept(schema, draft, isBusy);
  const hint = useId();
  return (
    <ReviewProvider value={parts}>
      <section aria-labelledby="review-title">
        {can("upload") && schema && (
          <button type="button" className="mt-skip" onClick={toConfirm}>{t`Ir para o botão de importar`}</button>
        )}
        <div className="mt-title-bar">
          <h1 id="review-title">{fileNames(job)}</h1>
          <Steps now={2} />
        </div>
        <p className="mt-quiet">
          {schema && `${plural(schema.total_row_count_estimate, "linha")} · ${plural(schema.columns.length, "coluna")}`}
          {job.recipe?.verdict === "unchanged" &&
            job.proofs?.every((one) => one.holds) &&
            t` · lido como da última vez: nada mudou`}
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
                value={draft.tableName ?? name}
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
        {schema && table && (
          <SelectField
            label={t`O que estas linhas fazem com a tabela`}
            choices={table.key ? modes() : modes().slice(0, 2)}
            value={parts.job.mode as Mode}
            onValue={(mode) => onDraft({ mode })}
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

function toConfirm(): void {
  document.getElementById("mt-confirm")?.focus();
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
  const { job, columns, out, draft, isAlone, can, onDraft, onAdjust, onConfirm } = useReview();
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
      {!job.error && out.least > 0 && (
        <Radios legend={t`O que fazer com as linhas que não servem`} choices={misfitChoices()} {...field("onMisfit")} />
      )}
      {job.recipe !== null && (
        <>
          <Check {...field("remember")}>{t`Lembrar: ler assim também os próximos arquivos desta tabela`}</Check>
          <p className="mt-quiet">
            {draft.remember ? rememberedWords(columns) : t`Nada deste envio será lembrado: o modelo fica como está.`}
          </p>
          {isAlone && draft.remember && <GoingOnAlone isAllowed={can("update")} {...field("keepAutoConfirm")} />}
        </>
      )}
    </>
  );
}

/** Whether a table's next files go on loading by themselves: only who may update it says so. */
function GoingOnAlone({ isAllowed, ...said }: Edited<boolean> & { isAllowed: boolean }) {
  if (isAllowed)
    return <Check {...said}>{t`Continuar importando sozinho, mesmo que esta leitura mude o modelo`}</Check>;
  return <p className="mt-quiet">{t`Se esta leitura mudar o modelo, os próximos arquivos esperam por uma pessoa.`}</p>;
}

/** How a file or sheet was read, the ways to say otherwise, its lines, and the panel of one column. */
function ReadingSection() {
  const { job, look, columns, stated, isBusy, onAdjust, reanalysis, onOverride, can } = useReview();
  const tables = job.reading?.tables ?? [];
  const table = tables[look.table];
  if (!table) return null;
  const isOneFile = tables.every(({ name }) => name === table.name); // and no ZIP, whose members have names of their own
  const isStated = Object.keys(stated).length > 0;
  const sources = columns.map((one) => one.source);
  const origins = { file: isOneFile ? null : t`Arquivo`, sheet: table.sheet && t`Aba` }; // the labels of the columns
  const actions: [is: boolean, label: string, run: () => void][] = [
    [
      tables.length > 1,
      table.include ? t`Deixar de fora` : t`Incluir na importação`,
      () => onOverride({ include: !table.include }),
    ],
    [isStated, t`Voltar ao detectado`, () => onOverride({})],
    [job.recipe !== null, t`Ler sem o modelo da tabela`, () => reanalysis.mutate({ recipe: false })],
    [job.stated?.recipe === false, t`Ler com o modelo da tabela`, () => reanalysis.mutate({ recipe: null })],
    [columns.some((one) => !one.into), t`Importar tudo como texto`, () => onAdjust(sources, { type: "text" })],
    [
      tables.filter((one) => one.include).length > 1 && !job.stated?.origin_columns,
      t`Acrescentar a cada linha o nome do arquivo e da aba`,
      () => reanalysis.mutate({ origin_columns: origins }),
    ],
  ];
  return (
    <section className="mt-panel" aria-labelledby="reading-title" aria-busy={isBusy}>
      <h2 id="reading-title">{t`Como o arquivo foi lido`}</h2>
      {tables.length > 1 && (
        <div role="group" aria-label={t`Arquivos e abas`} className="mt-actions">
          {tables.map(({ name, sheet, ...one }, index) => (
            <Button key={`${one.file}/${sheet}`} aria-pressed={index === look.table} onClick={() => look.choose(index)}>
              {sheet === null ? name : isOneFile ? sheet : `${name} · ${sheet}`} {one.include && <Tick />}{" "}
              {one.include ? plural(one.rows, "linha") : t`– fora`}
            </Button>
          ))}
        </div>
      )}
      <p>
        {summaryOf(table)} <span className="mt-badge">{isStated ? t`definido por você` : t`detectado`}</span>
      </p>
      {!table.include && <p>{table.reasons.map((reason) => reason.text).join(" · ")}</p>}
      <div className="mt-actions mt-reading-bar">
        {actions
          .filter(([is]) => is && can("upload"))
          .map(([, label, run]) => (
            <Button key={label} disabled={isBusy} onClick={run}>
              {label}
            </Button>
          ))}
      </div>
      <ReadingOptions key={`${look.table}/${job.updated_at}`} table={table} />
      <div className="mt-review-sheet">
        <div className="mt-review-lines">
          <FileGrid key={look.table} table={table} />
        </div>
        {look.column && <ColumnPanel key={`${look.column.column.name}/${job.updated_at}`} column={look.column} />}
      </div>
    </section>
  );
}

/** How a file or sheet was read, in one line. */
function summaryOf(table: TableReading): string {
  const { encoding, delimiter, header_line: line, header_lines: count, first_line, last_line, skipped_lines } = table;
  const left = skipped_lines.length - SHOWN_LINES;
  const lines = skipped_lines.slice(0, SHOWN_LINES).map(formatCount).join(", ");
  return [
    encoding && wordOf(encodings(), encoding),
    delimiter && t`separador ${wordOf(delimiters(), delimiter)}`,
    line === null
      ? t`sem cabeçalho`
      : count > 1
        ? t`cabeçalho: linhas ${line} a ${line + count - 1}`
        : t`cabeçalho: linha ${line}`,
    first_line !== null &&
      last_line !== null &&
      t`dados: linhas ${formatCount(first_line)} a ${formatCount(last_line)}`,
    lines && t`fora: ${left > 0 ? t`${lines} e mais ${formatCount(left)}` : lines}`,
  ]
    .filter(Boolean)
    .join(" · ");
}

const SHOWN_LINES = 8;

const textFields = () =>
  [
    [t`Codificação do texto (acentos)`, "encoding", encodings()],
    [t`Separador`, "delimiter", delimiters()],
    [t`Aspas em volta dos textos`, "quote", quotes()],
  ] as const;
const quotes = (): Choices => [
  ['"', t`Aspas ( " )`],
  ["'", t`Apóstrofos ( ' )`],
  ["", t`Nenhuma`],
];
const headers = (): Choices => [
  ["0", t`O arquivo não tem`],
  ["1", t`Ocupa 1 linha`],
  ["2", t`Ocupa 2 linhas`],
  ["3", t`Ocupa 3 linhas`],
];

/** Every choice of a reading that is no line's: they are sent together. */
function ReadingOptions({ table }: { table: TableReading }) {
  const { stated, isBusy, onOverride } = useReview();
  const [overrides, setOverrides] = useState<Overrides>({});
  const isText = table.encoding !== null;
  const shown = { ...table, trim: stated.trim, fill_merged: stated.fill_merged, ...overrides };
  const set = (changes: Overrides): void => setOverrides({ ...overrides, ...changes });
  const field = fieldsOf(shown, set);
  return (
    <details>
      <summary>{t`Alterar a leitura`}</summary>
      <div className="mt-fields">
        {isText &&
          textFields().map(([label, field, choices]) => (
            <SelectField
              key={field}
              label={label}
              value={shown[field] ?? ""}
              choices={choices}
              onValue={(value) => set({ [field]: value || null })}
            />
          ))}
        <SelectField
          label={t`Cabeçalho`}
          value={shown.header_line === null ? "0" : String(shown.header_lines)}
          choices={headers()}
          onValue={(count) => {
            const line = table.header_line ?? 1;
            set(count === "0" ? { header_line: null } : { header_line: line, header_lines: Number(count) });
          }}
        />
        <Check {...field("trim")} value={shown.trim === true}>{t`Retirar espaços nas pontas das células`}</Check>
        {!isText && table.kind !== "html" && (
          <Check
            {...field("fill_merged")}
            value={shown.fill_merged !== false}
          >{t`Repetir em cada linha o valor das células mescladas`}</Check>
        )}
      </div>
      <Button
        disabled={isBusy || Object.keys(overrides).length === 0}
        onClick={() => onOverride(overrides)}
      >{t`Reler o arquivo`}</Button>
    </details>
  );
}

/** What will happen, and the button that does it: it asks where a value may change, or rows go. */
function ConfirmBar() {
  const parts = useReview();
  const { job, table, columns, checks, out, draft, isBusy, look, announce, problem, confirmation, onConfirm } = parts;
  const [isAsked, setAsked] = useState(false);
  const isReplacing = job.mode === "replace";
  const doubts = checks.filter((check) => check.weight === "value");
  const label = labelOf(parts);
  const answer = (act: () => void): void => {
    setAsked(false);
    act();
  };
  const go = (): void => {
    if (problem) {
      const [words, at = columns[0]] = problem;
      announce(words);
      if (!isBusy) document.querySelector<HTMLElement>(`[data-column="${at?.column.name}"] button`)?.focus();
    } else if (isReplacing || doubts.length > 0) setAsked(true);
    else onConfirm();
  };
  return (
    <div className="mt-sticky-bar">
      {confirmation.error && <Failure error={confirmation.error} />}
      <Cancel job={job} />
      {out.least > 0 && (
        <span className="mt-quiet">
          {draft.onMisfit === "reject"
            ? t`Nenhuma linha entra enquanto houver valores que não servem`
            : out.least === out.most
              ? plural(out.least, "linha fica fora", "linhas ficam fora")
              : t`Ao menos ${plural(out.least, "linha fica fora", "linhas ficam fora")}`}
        </span>
      )}
      <Button
        id="mt-confirm"
        kind="primary"
        aria-disabled={problem !== null}
        disabled={confirmation.isPending}
        onClick={go}
      >
        <span>{confirmation.isPending ? t`Começando…` : label}</span>
      </Button>
      {isAsked && (
        <Dialog
          title={isReplacing ? t`Substituir as linhas da tabela?` : t`Importar assim?`}
          onClose={() => setAsked(false)}
          keep={t`Voltar à revisão`}
          yes={label}
          kind={isReplacing ? "danger" : "primary"}
          onYes={() => answer(onConfirm)}
        >
          {isReplacing && (
            <p>{t`O que a tabela tem hoje (${plural(table?.row_count ?? 0, "linha")}) sai quando as linhas novas entrarem. Dá para desfazer por 7 dias, na página do envio.`}</p>
          )}
          {doubts.length > 0 && <p>{t`Confira antes de importar:`}</p>}
          {doubts.map((check, index) => (
            <p key={index}>
              <button type="button" className="mt-link" onClick={() => answer(() => look.at(check))}>
                <TriangleAlert /> {check.text}
              </button>
            </p>
          ))}
        </Dialog>
      )}
    </div>
  );
}

/** What the button does, and with how many rows: those that will go, or none where a value that does not fit stops all. */
function labelOf({ job, table, name, out, draft }: ReviewParts): string {
  const all = job.inferred_schema?.total_row_count_estimate ?? 0;
  const isKnown = table !== null || job.mode === "create";
  const { least, most } = isKnown ? out : { least: 0, most: 0 };
  const going = plural(all - least, "linha");
  const rows = least === most ? going : t`até ${going}`;
  const place = table ? table.title || table.display_name : name;
  if (least > 0 && draft.onMisfit === "reject") {
    return {
      append: t`Acrescentar a ${place}`,
      upsert: t`Atualizar ${place}`,
      replace: t`Substituir ${place}`,
      create: t`Importar em ${place}`,
    }[job.mode];
  }
  return {
    append: table ? t`Acrescentar ${rows} a ${place}` : t`Acrescentar ${rows}`, // its name is still to come
    upsert: t`Atualizar ${place} com ${rows}`,
    replace: t`Substituir ${place} por ${rows}`,
    create: t`Importar ${rows} em ${place}`,
  }[job.mode];
}

export function Cancel({ job }: { job: Job }) {
  const { api } = useConsole();
  const cancel = () => api.DELETE("/upload-jobs/{job_id}", { path: { job_id: job._id } });
  return (
    <Ask label={t`Cancelar importação`} title={t`Cancelar esta importação?`} keep={t`Continuar com ela`} onGo={cancel}>
      <p>{t`Nada será gravado, e os arquivos enviados serão apagados.`}</p>
    </Ask>
  );
}
