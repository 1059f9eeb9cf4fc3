import { Check as Tick } from "lucide-react";
import { useState } from "react";
import { t } from "../ui/language";
import { Button, Check, type Choices, SelectField } from "../ui/parts";
import { fieldsOf } from "../ui/store";
import { formatCount, plural } from "../values/numbers";
import { delimiters, encodings, wordOf } from "../values/words";
import { ColumnPanel } from "./ColumnPanel";
import { useReview } from "./draft";
import { FileGrid } from "./FileGrid";
import type { Overrides, TableReading } from "./lines";

/** How a file or sheet was read, the ways to say otherwise, its lines, and the panel of one column. */
export function ReadingSection() {
  const { job, look, columns, isBusy, onAdjust, reanalysis, onOverride } = useReview();
  const tables = job.reading?.tables ?? [];
  const table = tables[look.table];
  if (!table) return null;
  const { file, sheet } = table;
  const isOneFile = tables.every(({ name }) => name === table.name); // and no ZIP, whose members have names of their own
  const told = job.stated?.tables?.find((one) => one.file === file && (one.sheet ?? null) === sheet) ?? {};
  const { file: _, sheet: __, ...stated } = { file, sheet, ...told };
  const isStated = Object.keys(stated).length > 0;
  const sources = columns.map((one) => one.source);
  const actions: [is: boolean, label: string, run: () => void][] = [
    [
      tables.length > 1,
      table.include ? t`Deixar de fora` : t`Incluir na importação`,
      () => onOverride({ include: !table.include }),
    ],
    [isStated, t`Voltar ao detectado`, () => onOverride({})],
    [job.recipe !== null, t`Ler sem o modelo da tabela`, () => reanalysis.mutate({ recipe: false })],
    [job.stated?.recipe === false, t`Ler com o modelo da tabela`, () => reanalysis.mutate({ recipe: null })],
    [true, t`Importar tudo como texto`, () => onAdjust(sources, { type: "text" })],
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
        {actions.map(
          ([is, label, run]) =>
            is && (
              <Button key={label} disabled={isBusy} onClick={run}>
                {label}
              </Button>
            ),
        )}
      </div>
      <ReadingOptions key={`${look.table}/${job.updated_at}`} table={table} stated={stated} />
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

/** Every choice of a reading that is no line's: they are sent together. `stated` is what has been said so far. */
function ReadingOptions({ table, stated }: { table: TableReading; stated: Overrides }) {
  const { isBusy, onOverride } = useReview();
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
