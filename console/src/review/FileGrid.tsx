import { Circle, CircleDot, Heading, type LucideIcon, Minus, PanelBottom, TriangleAlert, X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { Menu, roving } from "../ui/dialogs";
import { t } from "../ui/language";
import { classes, Pending } from "../ui/parts";
import { columnLetter, isNumeric } from "../values/cells";
import { formatCount } from "../values/numbers";
import { FillBar, NameAndType } from "./ColumnPanel";
import { type ReviewedColumn, useReview } from "./draft";
import { type Example, type Overrides, type Spot, type TableReading, useShownLines } from "./lines";

/** The file's own lines under the columns that they become: what a line is changes by its menu, never by a click on it. */
export function FileGrid({ table }: { table: TableReading }) {
  const { job, look, places, columns, isBusy } = useReview();
  const spot = look.spot?.table === look.table ? look.spot : null;
  const selected = look.column?.column.name;
  const { preview, lines, exampleOf } = useShownLines(job, table, look.shown, places);
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const head = scroller.current?.querySelector(".mt-head-selected");
    head?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }, [selected]);
  const loading = t`Carregando as linhas do arquivo`;
  if (!preview.data) return <Pending query={preview} label={loading} late={loading} />;
  const byPlace = new Map<number, ReviewedColumn>();
  for (const one of table.include ? columns : []) {
    const place = places.get(one.column.name);
    if (place !== undefined) byPlace.set(place, one);
  }
  const width = Math.max(1, ...lines.map((line) => line.cells.length), ...[...byPlace.keys()].map((at) => at + 1));
  const across = Array.from({ length: width }, (_, place) => place);
  const firstPlace = Math.min(...byPlace.keys());
  return (
    <>
      <div
        ref={scroller}
        className={classes("mt-preview", (isBusy || preview.isPlaceholderData) && "mt-dimmed")}
        role="region"
        aria-label={t`Linhas do arquivo`}
      >
        <table>
          <thead {...roving}>
            <tr>
              <th scope="col">{t`Linha`}</th>
              <th scope="col">{t`O que é`}</th>
              {across.map((place) => (
                <ColumnHead key={place} column={byPlace.get(place)} place={place} isFirst={place === firstPlace} />
              ))}
            </tr>
          </thead>
          <tbody {...roving}>
            {lines.map((line, index) => (
              <FileLine key={line.line} table={table} line={line} isFirst={index === 0}>
                {across.map((place) => {
                  const column = byPlace.get(place);
                  const raw = line.cells[place] ?? "";
                  const isSpot =
                    spot?.line === line.line && place === (places.get(spot.column ?? "") ?? spot.place ?? 0);
                  if (isSpot) return <SpotCell key={place} spot={spot} text={raw} />;
                  const example = column && line.kind === "row" ? exampleOf(column, line.line) : null;
                  return <Cell key={place} raw={raw} column={column} example={example} />;
                })}
              </FileLine>
            ))}
          </tbody>
        </table>
      </div>
      {preview.data.truncated && (
        <p className="mt-quiet">{t`Parte do conteúdo não cabe aqui: o arquivo tem ${formatCount(preview.data.columns)} colunas. Tudo será importado.`}</p>
      )}
    </>
  );
}

const lineKinds = (): Record<string, [LucideIcon, string]> => ({
  title: [Heading, t`Título`],
  header: [CircleDot, t`Cabeçalho`],
  row: [Circle, t`Dados`],
  skipped: [X, t`Ignorada`],
  footer: [PanelBottom, t`Rodapé`],
  blank: [Minus, t`Vazia`],
});
const SHOWN_OF_A_CELL = 120;

interface FileLineProps {
  table: TableReading;
  line: { line: number; kind: string; cells: readonly (string | null)[] };
  isFirst: boolean;
  children: ReactNode;
}

function FileLine({ table, line, isFirst, children }: FileLineProps) {
  const { stated, isBusy, onOverride } = useReview();
  const [Sign, label] = lineKinds()[line.kind] ?? [Circle, line.kind];
  return (
    <tr className={`mt-line mt-line-${line.kind}`}>
      <th scope="row">{formatCount(line.line)}</th>
      <td>
        <Menu
          label={t`Linha ${line.line}: ${label}. Mudar o que ela é`}
          className="mt-line-kind"
          tabIndex={isFirst ? 0 : -1}
          isDisabled={isBusy}
          actions={choicesOf(line, table, stated.skip_lines ?? []).map(([name, said]) => [
            name,
            () => onOverride(said),
          ])}
        >
          <Sign /> <span>{label}</span>
        </Menu>
      </td>
      {children}
    </tr>
  );
}

/** A cell: what it becomes, and the text of the file where that differs. */
function Cell({ raw, column, example }: { raw: string; column: ReviewedColumn | undefined; example: Example | null }) {
  const { look } = useReview();
  const shown = (text: string): string => text.slice(0, SHOWN_OF_A_CELL) || t`(vazia)`;
  const isSame = !example || (!example.fault && example.after.trim() === raw.trim());
  return (
    <td
      className={classes(
        "mt-preview-cell",
        column && column === look.column && "mt-cell-selected",
        column && !column.include && "mt-left-out",
        column && isNumeric(column.type) && example !== null && "mt-number",
      )}
      onClick={() => column && look.select(column.column.name)}
    >
      {isSame ? (
        raw.slice(0, SHOWN_OF_A_CELL)
      ) : (
        <>
          <small className="mt-quiet">{shown(raw)}</small> <span aria-hidden="true">→</span>
          <span className="mt-hidden"> {t`será`} </span>{" "}
          {example.fault ? (
            <span className="mt-field-error">
              <TriangleAlert /> {example.fault}
            </span>
          ) : (
            shown(example.after)
          )}
        </>
      )}
    </td>
  );
}

/** The cell that an entry of the list spoke of: it takes the focus, and says what is wrong with it. */
function SpotCell({ spot, text }: { spot: Spot; text: string }) {
  const cell = useRef<HTMLTableCellElement>(null);
  useEffect(() => {
    cell.current?.focus({ preventScroll: true });
    cell.current?.scrollIntoView({ block: "center", inline: "center" });
  }, [spot]);
  return (
    <td ref={cell} tabIndex={-1} className="mt-preview-cell mt-preview-wrong" title={spot.reason}>
      <TriangleAlert /> {text}
      {spot.before && <small className="mt-quiet"> {t`(antes: ${spot.before})`}</small>}
      <span className="mt-hidden">: {spot.reason}</span>
    </td>
  );
}

/** What a line may be said to be; `said` are those that a person has left out. */
function choicesOf({ line, kind, cells }: FileLineProps["line"], table: TableReading, said: readonly number[]) {
  const breaks = (table.kind === "csv" && cells.join("").match(/\r\n|\r|\n/g)?.length) || 0;
  const own = Array.from({ length: breaks + 1 }, (_, at) => line + at); // lines of the file: a cell may have several
  const [first, last] = [table.first_line ?? line, table.last_line ?? line];
  const isBelow = line > last;
  // Titles and footers are left out unsaid, else they would stay out where the data are to begin, or end, there.
  const isWithin = (one: number): boolean => (one > first && one < Math.max(last, line)) || said.includes(one);
  const others = table.skipped_lines.filter((one) => isWithin(one) && !own.includes(one));
  const choices: [string, Overrides][] = [
    [t`Usar como cabeçalho`, { header_line: line }],
    [t`Começar os dados aqui`, { first_line: line }],
    [t`Terminar os dados aqui`, { last_line: line + breaks }],
    kind === "row"
      ? [t`Ignorar esta linha`, { skip_lines: [...others, ...own] }]
      : [t`Incluir esta linha nos dados`, { skip_lines: others, ...(isBelow ? { last_line: line + breaks } : {}) }],
  ];
  return choices.slice(kind === "header" && table.header_line === line ? 1 : 0, /title|header/.test(kind) ? 3 : 4);
}

interface HeadProps {
  /** None where the file's column becomes none. */
  column: ReviewedColumn | undefined;
  place: number;
  isFirst: boolean;
}

/** A column's head: its label in the file, its name and type (or the table's column), and how full it is. */
function ColumnHead({ column: reviewed, place, isFirst }: HeadProps) {
  const { look, checks } = useReview();
  const letter = columnLetter(place);
  if (!reviewed) {
    return (
      <th scope="col" className="mt-head">
        {letter}
      </th>
    );
  }
  const { column, source, include } = reviewed;
  const isSelected = reviewed === look.column;
  const count = checks.filter((check) => check.column === column.name).length;
  return (
    <th
      scope="col"
      className={classes("mt-head", isSelected && "mt-head-selected", !include && "mt-left-out")}
      data-column={column.name}
    >
      <button
        type="button"
        data-rove
        className="mt-head-button"
        tabIndex={isFirst ? 0 : -1}
        aria-pressed={isSelected}
        onClick={() => look.select(column.name)}
      >
        <span className="mt-quiet">{letter}</span> {source}
        {count > 0 && (
          <span className="mt-badge mt-doubt">
            <TriangleAlert /> {count}
            <span className="mt-hidden"> {t`a conferir`}</span>
          </span>
        )}
      </button>
      <NameAndType column={reviewed} isTabbed={isSelected} />
      {column.profile && <FillBar profile={column.profile} odd={column.inference?.exceptions.length ?? 0} />}
    </th>
  );
}
