import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";
import type { Job } from "../api/types";
import { Button, Failure, Loading } from "../ui/parts";
import { columnLetter } from "../values/cells";
import { formatCount } from "../values/numbers";
import { PAGE_LINES, type Spot, type TableReading, useLeftOutLines, useLines } from "./lines";
import type { TableWish } from "./Reading";

const KIND_LABELS: Record<string, string> = {
  title: "Título",
  header: "Cabeçalho",
  row: "Dados",
  skipped: "Ignorada",
  footer: "Rodapé",
  blank: "Vazia",
};
const KIND_SIGNS: Record<string, string> = { title: "T", header: "◉", row: "○", skipped: "✕", footer: "▁", blank: "·" };

interface PreviewProps {
  job: Job;
  table: TableReading;
  isBusy: boolean;
  spot: Spot | null;
  onWish: (wish: Partial<TableWish>) => void;
}

/** The file's own lines, each with what it was taken for; a click makes one the header. */
export function Preview({ job, table, isBusy, spot, onWish }: PreviewProps): ReactNode {
  const [from, setFrom] = useState(1);
  const [onlyLeftOut, setOnlyLeftOut] = useState(false);
  const preview = useLines(job, table, from);
  const leftOut = useLeftOutLines(job, table, onlyLeftOut);
  useEffect(() => {
    if (!spot) return;
    setOnlyLeftOut(false);
    setFrom(Math.max(spot.line - 5, 1));
  }, [spot]);
  if (preview.error) return <Failure error={preview.error} onRetry={() => void preview.refetch()} />;
  if (!preview.data) return <Loading label="Carregando as linhas do arquivo" />;
  const last = preview.data.last_line;
  const lines = onlyLeftOut && leftOut.isComplete ? leftOut.lines : preview.data.lines;
  const width = Math.max(...lines.map((line) => line.cells.length), 1);
  const go = (line: number): void => {
    setOnlyLeftOut(false);
    setFrom(line);
  };
  return (
    <>
      <div className="mt-actions" role="group" aria-label="Ver">
        <Button aria-pressed={!onlyLeftOut && from === 1} onClick={() => go(1)}>
          Início
        </Button>
        <Button
          aria-pressed={!onlyLeftOut && from > 1 && from >= last - PAGE_LINES}
          onClick={() => go(Math.max(last - PAGE_LINES + 1, 1))}
        >
          Fim
        </Button>
        {table.skipped_lines.length > 0 && (
          <Button aria-pressed={onlyLeftOut} onClick={() => setOnlyLeftOut(true)}>
            Linhas fora ({formatCount(table.skipped_lines.length)})
          </Button>
        )}
        <GoToLine last={last} onGo={go} />
      </div>
      <div
        className={isBusy || preview.isPlaceholderData ? "mt-preview mt-dimmed" : "mt-preview"}
        tabIndex={0}
        role="region"
        aria-label="Linhas do arquivo"
      >
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
              <Line
                key={line.line}
                line={line}
                width={width}
                table={table}
                isBusy={isBusy}
                spot={spot}
                onWish={onWish}
              />
            ))}
          </tbody>
        </table>
      </div>
      {preview.data.truncated && (
        <p className="mt-quiet">
          Parte do conteúdo não cabe aqui: o arquivo tem {formatCount(preview.data.columns)} colunas. Tudo será
          importado.
        </p>
      )}
      <HeaderChoices table={table} firstShown={lines[0]?.line ?? 1} isBusy={isBusy} onWish={onWish} />
    </>
  );
}

interface HeaderChoicesProps {
  table: TableReading;
  firstShown: number;
  isBusy: boolean;
  onWish: (wish: Partial<TableWish>) => void;
}

function HeaderChoices({ table, firstShown, isBusy, onWish }: HeaderChoicesProps): ReactNode {
  return (
    <div className="mt-actions">
      <label className="mt-check">
        <input
          type="checkbox"
          checked={table.header_line === null}
          disabled={isBusy}
          onChange={(event) => onWish({ header_line: event.target.checked ? null : firstShown })}
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
        Ir para a linha <input className="mt-line-number" name="line" type="number" min={1} max={last} />
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
  spot: Spot | null;
  onWish: (wish: Partial<TableWish>) => void;
}

function Line({ line, width, table, isBusy, spot, onWish }: LineProps): ReactNode {
  const isHeader = line.kind === "header";
  const asHeader = (): void => {
    if (!isBusy && !(isHeader && table.header_line === line.line)) onWish({ header_line: line.line });
  };
  const isSpot = spot?.line === line.line;
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
      {Array.from({ length: width }, (_, index) =>
        isSpot && (spot.place ?? 0) === index ? (
          <SpotCell key={index} spot={spot} text={line.cells[index] ?? ""} />
        ) : (
          <td key={index} className="mt-preview-cell" onClick={asHeader}>
            {line.cells[index] ?? ""}
          </td>
        ),
      )}
      <td>
        <LineMenu line={line} table={table} isBusy={isBusy} asHeader={asHeader} onWish={onWish} />
      </td>
    </tr>
  );
}

/** The cell that an error spoke of: it takes the focus, and says what is wrong with it. */
function SpotCell({ spot, text }: { spot: Spot; text: string }): ReactNode {
  const cell = useRef<HTMLTableCellElement>(null);
  useEffect(() => {
    cell.current?.focus({ preventScroll: true });
    cell.current?.scrollIntoView({ block: "center", inline: "center" });
  }, [spot]);
  return (
    <td ref={cell} tabIndex={-1} className="mt-preview-cell mt-preview-wrong" title={spot.reason}>
      ⚠ {text}
      <span className="mt-hidden">: {spot.reason}</span>
    </td>
  );
}

interface LineMenuProps {
  line: LineProps["line"];
  table: TableReading;
  isBusy: boolean;
  asHeader: () => void;
  onWish: (wish: Partial<TableWish>) => void;
}

function LineMenu({ line, table, isBusy, asHeader, onWish }: LineMenuProps): ReactNode {
  const actions: [string, () => void][] = [
    ["Usar como cabeçalho", asHeader],
    ["Começar os dados aqui", () => onWish({ first_line: line.line })],
    ["Terminar os dados aqui", () => onWish({ last_line: line.line })],
    line.kind === "skipped"
      ? ["Incluir esta linha", () => onWish({ skip_lines: table.skipped_lines.filter((one) => one !== line.line) })]
      : ["Ignorar esta linha", () => onWish({ skip_lines: [...table.skipped_lines, line.line] })],
  ];
  return (
    <details className="mt-menu" onKeyDown={closeByEscape} name="mt-line-menu">
      <summary aria-label={`Ações da linha ${line.line}`}>⋯</summary>
      <div className="mt-menu-list">
        {actions.map(([label, run]) => (
          <Button key={label} kind="quiet" disabled={isBusy} onClick={run}>
            {label}
          </Button>
        ))}
      </div>
    </details>
  );
}

function closeByEscape(event: KeyboardEvent<HTMLDetailsElement>): void {
  if (event.key !== "Escape") return;
  event.currentTarget.open = false;
  event.currentTarget.querySelector("summary")?.focus();
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
