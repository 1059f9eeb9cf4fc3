import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, type ReactNode, useState } from "react";
import { answered } from "../api/session";
import type { Job } from "../api/types";
import { useApi } from "../ui/context";
import { Button, Failure, Field, Loading } from "../ui/parts";
import { columnLetter } from "../values/cells";
import { formatCount } from "../values/numbers";

type JobReading = NonNullable<Job["reading"]>;
export type TableReading = JobReading["tables"][number];

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

const PAGE_LINES = 50;
const KIND_LABELS: Record<string, string> = {
  title: "Título",
  header: "Cabeçalho",
  row: "Dados",
  skipped: "Ignorada",
  footer: "Rodapé",
  blank: "Vazia",
};
const KIND_SIGNS: Record<string, string> = { title: "T", header: "◉", row: "○", skipped: "✕", footer: "▁", blank: "·" };
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
  onWish: (wish: TableWish) => void;
}

/** How each file and sheet was read, and the ways to say otherwise. */
export function Reading({ job, reading, isBusy, onWish }: ReadingProps): ReactNode {
  const [chosen, setChosen] = useState(() => Math.max(reading.tables.findIndex((table) => table.include), 0));
  const [wishes, setWishes] = useState<ReadonlyMap<number, TableWish>>(new Map());
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
              {one.include ? `✓ ${formatCount(one.rows)} linhas` : "– fora"}
            </button>
          ))}
        </div>
      )}
      <Summary table={table} origin={wishes.has(chosen) ? "definido por você" : "detectado"} />
      {table.reasons.length > 0 && (
        <ul className="mt-quiet">
          {table.reasons.map((reason, index) => (
            <li key={index}>{reason.text}</li>
          ))}
        </ul>
      )}
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
      <Preview key={`${chosen}`} job={job} table={table} isBusy={isBusy} onWish={wish} />
    </section>
  );
}

function Summary({ table, origin }: { table: TableReading; origin: string }): ReactNode {
  const parts: string[] = [];
  if (table.encoding) parts.push(ENCODINGS.find(([value]) => value === table.encoding)?.[1] ?? table.encoding);
  if (table.delimiter) parts.push(`separador ${DELIMITERS.find(([value]) => value === table.delimiter)?.[1] ?? table.delimiter}`);
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

function Options({ table, isBusy, onWish }: { table: TableReading; isBusy: boolean; onWish: (wish: Partial<TableWish>) => void }): ReactNode {
  const [encoding, setEncoding] = useState(table.encoding ?? "");
  const [delimiter, setDelimiter] = useState(table.delimiter ?? "");
  if (table.encoding === null) return null;
  const select = (label: string, value: string, set: (value: string) => void, options: [string, string][]): ReactNode => (
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

interface PreviewProps {
  job: Job;
  table: TableReading;
  isBusy: boolean;
  onWish: (wish: Partial<TableWish>) => void;
}

/** The file's own lines, each with what it was taken for; a click makes one the header. */
function Preview({ job, table, isBusy, onWish }: PreviewProps): ReactNode {
  const api = useApi();
  const [from, setFrom] = useState(1);
  const preview = useQuery({
    queryKey: ["preview", job._id, job.updated_at, table.file, table.sheet, from],
    queryFn: ({ signal }) =>
      answered(
        api.GET("/v1/managed-tables/upload-jobs/{job_id}/preview", {
          params: {
            path: { job_id: job._id },
            query: { file: table.file, from_line: from, lines: PAGE_LINES, ...(table.sheet === null ? {} : { sheet: table.sheet }) },
          },
          signal,
        }),
      ),
    placeholderData: (before) => before,
  });
  if (preview.error) return <Failure error={preview.error} onRetry={() => void preview.refetch()} />;
  if (!preview.data) return <Loading label="Carregando as linhas do arquivo" />;
  const { lines, last_line: last } = preview.data;
  const width = Math.max(...lines.map((line) => line.cells.length), 1);
  return (
    <>
      <div className="mt-actions" role="group" aria-label="Ver">
        <Button aria-pressed={from === 1} onClick={() => setFrom(1)}>
          Início
        </Button>
        <Button aria-pressed={from > 1 && from >= last - PAGE_LINES} onClick={() => setFrom(Math.max(last - PAGE_LINES + 1, 1))}>
          Fim
        </Button>
        <GoToLine last={last} onGo={setFrom} />
      </div>
      <div className={isBusy ? "mt-preview mt-dimmed" : "mt-preview"} tabIndex={0} role="region" aria-label="Linhas do arquivo">
        <table>
          <thead>
            <tr>
              <th scope="col">Linha</th>
              <th scope="col">Leitura</th>
              {Array.from({ length: width }, (_, index) => (
                <th key={index} scope="col">
                  {columnLetter(index)}
                </th>
              ))}
              <th scope="col">
                <span className="mt-hidden">Mais</span>
              </th>
            </tr>
          </thead>
          <tbody onKeyDown={moveBetweenLines}>
            {lines.map((line) => (
              <Line key={line.line} line={line} width={width} table={table} isBusy={isBusy} onWish={onWish} />
            ))}
          </tbody>
        </table>
      </div>
      {preview.data.truncated && (
        <p className="mt-quiet">
          Parte do conteúdo não cabe aqui: o arquivo tem {formatCount(preview.data.columns)} colunas. Tudo será importado.
        </p>
      )}
      <div className="mt-actions">
        <label className="mt-check">
          <input
            type="checkbox"
            checked={table.header_line === null}
            disabled={isBusy}
            onChange={(event) => onWish({ header_line: event.target.checked ? null : (lines[0]?.line ?? 1) })}
          />{" "}
          O arquivo não tem cabeçalho
        </label>
        {table.header_line !== null && (
          <label>
            O cabeçalho ocupa{" "}
            <select
              value={table.header_lines ?? 1}
              disabled={isBusy}
              onChange={(event) => onWish({ header_line: table.header_line, header_lines: Number(event.target.value) })}
            >
              {[1, 2, 3].map((count) => (
                <option key={count} value={count}>
                  {count === 1 ? "1 linha" : `${count} linhas`}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
    </>
  );
}

function GoToLine({ last, onGo }: { last: number; onGo: (line: number) => void }): ReactNode {
  return (
    <form
      className="mt-inline"
      onSubmit={(event) => {
        event.preventDefault();
        const line = Number(new FormData(event.currentTarget).get("line"));
        if (line >= 1) onGo(Math.min(line, last));
      }}
    >
      <label>
        Ir para a linha <input name="line" type="number" min={1} max={last} />
      </label>
      <Button type="submit">Ir</Button>
    </form>
  );
}

interface LineProps {
  line: { line: number; kind: string; cells: readonly (string | null)[] };
  width: number;
  table: TableReading;
  isBusy: boolean;
  onWish: (wish: Partial<TableWish>) => void;
}

function Line({ line, width, table, isBusy, onWish }: LineProps): ReactNode {
  const isHeader = line.kind === "header";
  const asHeader = (): void => {
    if (!isBusy && !(isHeader && table.header_line === line.line)) onWish({ header_line: line.line });
  };
  const actions: [string, () => void][] = [
    ["Usar como cabeçalho", asHeader],
    ["Começar os dados aqui", () => onWish({ first_line: line.line })],
    ["Terminar os dados aqui", () => onWish({ last_line: line.line })],
    line.kind === "skipped"
      ? ["Incluir esta linha", () => onWish({ skip_lines: table.skipped_lines.filter((one) => one !== line.line) })]
      : ["Ignorar esta linha", () => onWish({ skip_lines: [...table.skipped_lines, line.line] })],
  ];
  return (
    <tr className={`mt-line mt-line-${line.kind}`}>
      <th scope="row">{formatCount(line.line)}</th>
      <td>
        <label className="mt-line-kind">
          <input
            type="radio"
            name="header-line"
            data-line={line.line}
            checked={isHeader && table.header_line === line.line}
            onChange={() => {}}
            onClick={asHeader}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return;
              event.preventDefault();
              asHeader();
            }}
          />
          <span aria-hidden="true">{KIND_SIGNS[line.kind]}</span> {KIND_LABELS[line.kind] ?? line.kind}
          <span className="mt-hidden">, linha {line.line}: usar como cabeçalho</span>
        </label>
      </td>
      {Array.from({ length: width }, (_, index) => (
        <td key={index} className="mt-preview-cell">
          {line.cells[index] ?? ""}
        </td>
      ))}
      <td>
        <details className="mt-menu">
          <summary aria-label={`Ações da linha ${line.line}`}>⋯</summary>
          <div className="mt-menu-list">
            {actions.map(([label, run]) => (
              <Button key={label} kind="quiet" disabled={isBusy} onClick={run}>
                {label}
              </Button>
            ))}
          </div>
        </details>
      </td>
    </tr>
  );
}

/** Arrows move between the lines without choosing one: Enter chooses. */
function moveBetweenLines(event: KeyboardEvent<HTMLElement>): void {
  const target = event.target;
  if (!(target instanceof HTMLInputElement) || target.type !== "radio") return;
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  const radios = [...event.currentTarget.querySelectorAll<HTMLInputElement>('input[type="radio"]')];
  radios[radios.indexOf(target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
}
