import { type ReactNode, useEffect, useState } from "react";
import type { Job } from "../api/types";
import { Button, Field } from "../ui/parts";
import { formatCount, plural } from "../values/numbers";
import type { Spot, TableReading } from "./lines";
import { Preview } from "./Preview";

type JobReading = NonNullable<Job["reading"]>;

/** What a person states of one file or sheet: all of it holds at the next reading, and the rest is inferred. */
export interface TableWish {
  file: number;
  sheet: string | null;
  include?: boolean;
  encoding?: string;
  delimiter?: string;
  quote?: string;
  header_line?: number | null;
  header_lines?: number;
  first_line?: number;
  last_line?: number;
  skip_lines?: number[];
}

const DELIMITERS: [string, string][] = [
  [";", "Ponto e vírgula ( ; )"],
  [",", "Vírgula ( , )"],
  ["\t", "Tabulação"],
  ["|", "Barra ( | )"],
];
const ENCODINGS: [string, string][] = [
  ["utf-8", "UTF-8"],
  ["cp1252", "Windows-1252 (Europa ocidental)"],
  ["latin-1", "ISO 8859-1"],
  ["cp850", "CP850 (DOS)"],
  ["utf-16", "UTF-16"],
];

interface ReadingProps {
  job: Job;
  reading: JobReading;
  isBusy: boolean;
  spot: Spot | null;
  onWish: (wish: TableWish) => void;
}

/** How each file and sheet was read, and the ways to say otherwise. */
export function Reading({ job, reading, isBusy, spot, onWish }: ReadingProps): ReactNode {
  const [chosen, setChosen] = useState(() =>
    Math.max(
      reading.tables.findIndex((table) => table.include),
      0,
    ),
  );
  const [wishes, setWishes] = useState<ReadonlyMap<number, TableWish>>(new Map());
  useEffect(() => {
    if (spot) setChosen(spot.table);
  }, [spot]);
  const table = reading.tables[chosen];
  if (!table) return null;
  const wish = (changes: Partial<TableWish>): void => {
    const base: TableWish = { file: table.file, sheet: table.sheet };
    const next = { ...base, ...wishes.get(chosen), ...changes };
    setWishes(new Map(wishes).set(chosen, next));
    onWish(next);
  };
  const reset = (): void => {
    const rest = new Map(wishes);
    rest.delete(chosen);
    setWishes(rest);
    onWish({ file: table.file, sheet: table.sheet });
  };
  return (
    <section className="mt-panel" aria-labelledby="reading-title" aria-busy={isBusy}>
      <h2 id="reading-title">Como o arquivo foi lido</h2>
      {reading.tables.length > 1 && (
        <div role="group" aria-label="Arquivos e abas" className="mt-tabs">
          {reading.tables.map((one, index) => (
            <button
              key={`${one.file}/${one.sheet}`}
              type="button"
              aria-pressed={index === chosen}
              className="mt-tab"
              onClick={() => setChosen(index)}
            >
              {one.sheet ?? job.files[one.file]?.original_name ?? `Arquivo ${one.file + 1}`}{" "}
              {one.include ? `✓ ${plural(one.rows, "linha")}` : "– fora"}
            </button>
          ))}
        </div>
      )}
      <Summary table={table} origin={wishes.has(chosen) ? "definido por você" : "detectado"} />
      {table.reasons.length > 0 && <p className="mt-quiet">{table.reasons.map((reason) => reason.text).join(" · ")}</p>}
      <div className="mt-actions">
        {reading.tables.length > 1 && (
          <Button disabled={isBusy} onClick={() => wish({ include: !table.include })}>
            {table.include ? "Deixar de fora" : "Incluir na importação"}
          </Button>
        )}
        <Options table={table} isBusy={isBusy} onWish={wish} />
        {wishes.has(chosen) && (
          <Button disabled={isBusy} onClick={reset}>
            Voltar ao detectado
          </Button>
        )}
      </div>
      <Preview
        key={chosen}
        job={job}
        table={table}
        isBusy={isBusy}
        spot={spot?.table === chosen ? spot : null}
        onWish={wish}
      />
    </section>
  );
}

function Summary({ table, origin }: { table: TableReading; origin: string }): ReactNode {
  const parts: string[] = [];
  if (table.encoding) parts.push(ENCODINGS.find(([value]) => value === table.encoding)?.[1] ?? table.encoding);
  if (table.delimiter)
    parts.push(`separador ${DELIMITERS.find(([value]) => value === table.delimiter)?.[1] ?? table.delimiter}`);
  if (table.quote) parts.push(`aspas ${table.quote}`);
  const header =
    table.header_line === null
      ? "sem cabeçalho"
      : (table.header_lines ?? 1) > 1
        ? `cabeçalho: linhas ${table.header_line} a ${table.header_line + (table.header_lines ?? 1) - 1}`
        : `cabeçalho: linha ${table.header_line}`;
  parts.push(header);
  if (table.first_line !== null && table.last_line !== null) {
    parts.push(`dados: linhas ${formatCount(table.first_line)} a ${formatCount(table.last_line)}`);
  }
  if (table.skipped_lines.length > 0) parts.push(`fora: ${lineList(table.skipped_lines)}`);
  return (
    <p>
      {parts.join(" · ")} <span className="mt-badge">{origin}</span>
    </p>
  );
}

function lineList(lines: readonly number[]): string {
  const shown = lines.slice(0, 8).map(formatCount).join(", ");
  return lines.length > 8 ? `${shown} e mais ${formatCount(lines.length - 8)}` : shown;
}

function Options({
  table,
  isBusy,
  onWish,
}: {
  table: TableReading;
  isBusy: boolean;
  onWish: (wish: Partial<TableWish>) => void;
}): ReactNode {
  const [encoding, setEncoding] = useState(table.encoding ?? "");
  const [delimiter, setDelimiter] = useState(table.delimiter ?? "");
  if (table.encoding === null) return null;
  const select = (
    label: string,
    value: string,
    set: (value: string) => void,
    options: [string, string][],
  ): ReactNode => (
    <Field label={label}>
      {(ids) => (
        <select {...ids} value={value} onChange={(event) => set(event.target.value)}>
          {!options.some(([one]) => one === value) && <option value={value}>{value || "nenhum"}</option>}
          {options.map(([one, name]) => (
            <option key={one} value={one}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
  return (
    <details className="mt-options">
      <summary>Alterar a leitura</summary>
      {select("Codificação do texto", encoding, setEncoding, ENCODINGS)}
      {select("Separador", delimiter, setDelimiter, DELIMITERS)}
      <Button
        disabled={isBusy}
        onClick={() =>
          onWish({
            ...(encoding !== table.encoding ? { encoding } : {}),
            ...(delimiter !== table.delimiter ? { delimiter } : {}),
          })
        }
      >
        Reler o arquivo
      </Button>
    </details>
  );
}
