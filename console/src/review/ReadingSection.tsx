import { Check as Tick } from "lucide-react";
import { useState } from "react";
import type { Reanalysis, StatedTable } from "../api/types";
import { t } from "../ui/language";
import { Button, Check, SelectField } from "../ui/parts";
import { formatCount, plural } from "../values/numbers";
import { delimiters, encodings, wordOf } from "../values/words";
import { ColumnPanel } from "./ColumnPanel";
import { type ReviewedColumn, useReview } from "./draft";
import { FileGrid } from "./FileGrid";
import { type Overrides, type TableReading, useExamples, usePlaces } from "./lines";

interface ReadingSectionProps {
  /** Have the files read again, with this said of them. */
  onState: (statement: Reanalysis) => void;
}

/** How a file or sheet was read, the ways to say otherwise, its lines, and the panel of one column. */
export function ReadingSection({ onState }: ReadingSectionProps) {
  const { job, look, columns, isBusy, onAdjust } = useReview();
  const tables = job.reading?.tables ?? [];
  const table = tables[look.table];
  if (!table) return null;
  const { file, sheet } = table;
  const isOneFile = tables.every(({ name }) => name === table.name); // and no ZIP, whose members have names of their own
  const stated = job.stated?.tables?.find((one) => one.file === file && (one.sheet ?? null) === sheet);
  const overrides = (changes: Overrides): void => onState({ tables: [{ file, sheet, ...changes }] });
  return (
    <section className="mt-panel" aria-labelledby="reading-title" aria-busy={isBusy}>
      <h2 id="reading-title">{t`Como o arquivo foi lido`}</h2>
      {tables.length > 1 && (
        <div role="group" aria-label={t`Arquivos e abas`} className="mt-tabs">
          {tables.map(({ name, sheet, ...one }, index) => (
            <Button key={`${one.file}/${sheet}`} aria-pressed={index === look.table} onClick={() => look.choose(index)}>
              {sheet === null ? name : isOneFile ? sheet : `${name} · ${sheet}`} {one.include && <Tick />}{" "}
              {one.include ? plural(one.rows, "linha") : t`– fora`}
            </Button>
          ))}
        </div>
      )}
      <ReadingSummary table={table} isStated={isStated(stated)} />
      {!table.include && <p>{table.reasons.map((reason) => reason.text).join(" · ")}</p>}
      <div className="mt-actions mt-reading-bar">
        {tables.length > 1 && (
          <Button disabled={isBusy} onClick={() => overrides({ include: !table.include })}>
            {table.include ? t`Deixar de fora` : t`Incluir na importação`}
          </Button>
        )}
        <ReadingOptions
          key={`${look.table}/${job.updated_at}`}
          table={table}
          stated={stated ?? {}}
          isBusy={isBusy}
          onOverride={overrides}
        />
        {isStated(stated) && <Button disabled={isBusy} onClick={() => overrides({})}>{t`Voltar ao detectado`}</Button>}
        {(job.recipe || job.stated?.recipe === false) && (
          <Button disabled={isBusy} onClick={() => onState({ recipe: job.recipe ? false : null })}>
            {job.recipe ? t`Ler sem o modelo da tabela` : t`Ler com o modelo da tabela`}
          </Button>
        )}
        <Button
          onClick={() =>
            onAdjust(
              columns.map((one) => one.source),
              { type: "text" },
            )
          }
        >{t`Importar tudo como texto`}</Button>
      </div>
      <Sheet table={table} onOverride={overrides} />
    </section>
  );
}

/** Whether anything is stated of a table: more than where it is. */
function isStated(stated: StatedTable | undefined): boolean {
  return stated !== undefined && Object.keys(stated).length > 2;
}

/** The lines of the chosen file or sheet, and beside them the panel of the chosen column. */
function Sheet({ table, onOverride }: { table: TableReading; onOverride: (overrides: Overrides) => void }) {
  const { job, look, columns } = useReview();
  const places = usePlaces(job)[look.table];
  const exampleOf = useExamples(job, table);
  const byPlace = new Map<number, ReviewedColumn>();
  for (const one of table.include ? columns : []) {
    const place = places?.get(one.column.name);
    if (place !== undefined) byPlace.set(place, one);
  }
  const { column: chosen } = look;
  return (
    <div className="mt-review-sheet">
      <div className="mt-review-lines">
        <FileGrid key={look.table} table={table} columns={byPlace} exampleOf={exampleOf} onOverride={onOverride} />
      </div>
      {chosen && (
        <ColumnPanel
          key={`${chosen.column.name}/${job.updated_at}`}
          column={chosen}
          place={places?.get(chosen.column.name) ?? null}
        />
      )}
    </div>
  );
}

const quotes = (): [string, string][] => [
  ['"', t`Aspas ( " )`],
  ["'", t`Apóstrofos ( ' )`],
  ["", t`Nenhuma`],
];

/** How a file or sheet was read, in one line. */
function ReadingSummary({ table, isStated }: { table: TableReading; isStated: boolean }) {
  const parts: string[] = [];
  if (table.encoding) parts.push(wordOf(encodings(), table.encoding));
  if (table.delimiter) parts.push(t`separador ${wordOf(delimiters(), table.delimiter)}`);
  const { header_line: line, header_lines: count } = table;
  if (line === null) parts.push(t`sem cabeçalho`);
  else parts.push(count > 1 ? t`cabeçalho: linhas ${line} a ${line + count - 1}` : t`cabeçalho: linha ${line}`);
  if (table.first_line !== null && table.last_line !== null) {
    parts.push(t`dados: linhas ${formatCount(table.first_line)} a ${formatCount(table.last_line)}`);
  }
  if (table.skipped_lines.length > 0) parts.push(t`fora: ${lineList(table.skipped_lines)}`);
  return (
    <p>
      {parts.join(" · ")} <span className="mt-badge">{isStated ? t`definido por você` : t`detectado`}</span>
    </p>
  );
}

function lineList(lines: readonly number[]): string {
  const shown = lines.slice(0, 8).map(formatCount).join(", ");
  return lines.length > 8 ? t`${shown} e mais ${formatCount(lines.length - 8)}` : shown;
}

interface ReadingOptionsProps {
  table: TableReading;
  /** What has been stated of it so far. */
  stated: Overrides;
  isBusy: boolean;
  onOverride: (overrides: Overrides) => void;
}

const textFields = () =>
  [
    [t`Codificação do texto (acentos)`, "encoding", encodings()],
    [t`Separador`, "delimiter", delimiters()],
    [t`Aspas em volta dos textos`, "quote", quotes()],
  ] as const;

/** Every choice of a reading that is no line's: they are sent together. */
function ReadingOptions({ table, stated, isBusy, onOverride }: ReadingOptionsProps) {
  const [overrides, setOverrides] = useState<Overrides>({});
  const isText = table.encoding !== null;
  const isWorkbook = !isText && table.kind !== "html";
  const set = (changes: Overrides): void => setOverrides({ ...overrides, ...changes });
  return (
    <details className="mt-options">
      <summary>{t`Alterar a leitura`}</summary>
      <div className="mt-fields">
        {isText &&
          textFields().map(([label, field, choices]) => (
            <SelectField
              key={field}
              label={label}
              value={(field in overrides ? overrides[field] : table[field]) ?? ""}
              choices={choices}
              onChoose={(value) => set({ [field]: value || null })}
            />
          ))}
        <SelectField
          label={t`Cabeçalho`}
          value={String(
            "header_line" in overrides && overrides.header_line === null
              ? 0
              : (overrides.header_lines ?? (table.header_line === null ? 0 : table.header_lines)),
          )}
          choices={[
            ["0", t`O arquivo não tem`],
            ["1", t`Ocupa 1 linha`],
            ["2", t`Ocupa 2 linhas`],
            ["3", t`Ocupa 3 linhas`],
          ]}
          onChoose={(count) =>
            set(
              count === "0"
                ? { header_line: null }
                : { header_line: table.header_line ?? 1, header_lines: Number(count) },
            )
          }
        />
        <Check
          isChecked={(overrides.trim ?? stated.trim) === true}
          onCheck={(trim) => set({ trim })}
        >{t`Retirar espaços nas pontas das células`}</Check>
        {isWorkbook && (
          <Check
            isChecked={(overrides.fill_merged ?? stated.fill_merged) !== false}
            onCheck={(fill_merged) => set({ fill_merged })}
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
