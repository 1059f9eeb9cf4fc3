import { Check as Tick } from "lucide-react";
import { useState } from "react";
import { t } from "../ui/language";
import { Popover } from "../ui/Popover";
import { Button, Check, type Choices, Form, SelectField } from "../ui/parts";
import { fieldsOf } from "../ui/store";
import { formatCount, plural } from "../values/numbers";
import { delimiters, encodings, wordOf } from "../values/words";
import { useReview } from "./draft";
import { type Overrides, PAGE_LINES, type TableReading, useLines } from "./lines";

/** Which file or sheet is looked at, how it was read, the ways to say otherwise, and which of its lines are shown. */
export function ReadingBar({ table }: { table: TableReading }) {
  const { job, look, stated, isBusy, onOverride, can } = useReview();
  const tables = job.reading?.tables ?? [];
  const isOneFile = tables.every(({ name }) => name === table.name); // and no ZIP, whose members have names of their own
  const isStated = Object.keys(stated).length > 0;
  const summary = table.include ? summaryOf(table) : table.reasons.map((reason) => reason.text).join(" · ");
  const isMine = can("upload");
  return (
    <>
      {tables.length > 1 && (
        <div role="group" aria-label={t`Arquivos e abas`} className="mt-actions mt-review-bar">
          {tables.map(({ name, sheet, ...one }, index) => (
            <Button key={`${one.file}/${sheet}`} aria-pressed={index === look.table} onClick={() => look.choose(index)}>
              {sheet === null ? name : isOneFile ? sheet : `${name} · ${sheet}`} {one.include && <Tick />}{" "}
              {one.include ? plural(one.rows, "linha") : t`– fora`}
            </Button>
          ))}
        </div>
      )}
      <div className="mt-actions mt-review-bar">
        {isMine && (
          <Popover label={t`Alterar a leitura`}>
            {(shut) => <ReadingChoices key={`${look.table}/${job.updated_at}`} table={table} onDone={shut} />}
          </Popover>
        )}
        <span className="mt-quiet mt-review-summary" title={summary}>
          {summary}
        </span>
        {isStated && <span className="mt-badge">{t`definido por você`}</span>}
        {isStated && isMine && (
          <Button kind="quiet" disabled={isBusy} onClick={() => onOverride({})}>{t`Voltar ao detectado`}</Button>
        )}
        {tables.length > 1 && isMine && (
          <Button kind="quiet" disabled={isBusy} onClick={() => onOverride({ include: !table.include })}>
            {table.include ? t`Deixar de fora` : t`Incluir na importação`}
          </Button>
        )}
        <Where table={table} />
      </div>
    </>
  );
}

/** Which lines of the file are shown. */
function Where({ table }: { table: TableReading }) {
  const { job, look } = useReview();
  const last = useLines(job, table, 1).data?.last_line ?? 0;
  const isLong = last > PAGE_LINES;
  const out = table.skipped_lines.length;
  const places: [is: boolean, label: string, number | null][] = [
    [isLong, t`Início`, 1],
    [isLong, t`Fim`, last - PAGE_LINES + 1],
    [out > 0, t`Linhas fora (${formatCount(out)})`, null],
  ];
  return (
    <div className="mt-actions" role="group" aria-label={t`Ver`}>
      {places.map(
        ([is, label, place]) =>
          is && (
            <Button
              key={label}
              kind="quiet"
              aria-pressed={look.shown === place}
              onClick={() => look.show(look.shown === place ? 1 : place)}
            >
              {label}
            </Button>
          ),
      )}
      {isLong && (
        <Form
          className="mt-inline"
          onSubmit={(form) => look.show(Math.min(Number(new FormData(form).get("line")) || 1, last))}
        >
          <label>
            {t`Ir para a linha`} <input name="line" type="number" min={1} max={last} />
          </label>
          <Button kind="quiet" type="submit">{t`Ir`}</Button>
        </Form>
      )}
    </div>
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

interface ChoicesProps {
  table: TableReading;
  onDone: () => void;
}

/** Every choice of a reading that is no line's, and what is said of all files: done at once, and the panel is shut. */
function ReadingChoices({ table, onDone }: ChoicesProps) {
  const { job, columns, isBusy, onAdjust, reanalysis } = useReview();
  const tables = job.reading?.tables ?? [];
  const sources = columns.map((one) => one.source);
  const isOneFile = tables.every(({ name }) => name === table.name);
  const origins = { file: isOneFile ? null : t`Arquivo`, sheet: table.sheet && t`Aba` }; // the labels of the columns
  const actions: [is: boolean, label: string, run: () => void][] = [
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
    <>
      <p className="mt-quiet mt-of-a-phone">{summaryOf(table)}</p>
      <ReadingOptions table={table} onDone={onDone} />
      {actions.map(
        ([is, label, run]) =>
          is && (
            <Button
              key={label}
              kind="quiet"
              disabled={isBusy}
              onClick={() => {
                onDone();
                run();
              }}
            >
              {label}
            </Button>
          ),
      )}
    </>
  );
}

/** The choices that are sent together. */
function ReadingOptions({ table, onDone }: ChoicesProps) {
  const { stated, isBusy, onOverride } = useReview();
  const [overrides, setOverrides] = useState<Overrides>({});
  const isText = table.encoding !== null;
  const shown = { ...table, trim: stated.trim, fill_merged: stated.fill_merged, ...overrides };
  const set = (changes: Overrides): void => setOverrides({ ...overrides, ...changes });
  const field = fieldsOf(shown, set);
  return (
    <>
      <div className="mt-stack">
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
        onClick={() => {
          onDone();
          onOverride(overrides);
        }}
      >{t`Reler o arquivo`}</Button>
    </>
  );
}
