import { Circle, CircleDot, Heading, type LucideIcon, Minus, PanelBottom, TriangleAlert, X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { t } from "../ui/language";
import { Menu } from "../ui/Menu";
import { isNumeric } from "../values/cells";
import { formatCount } from "../values/numbers";
import type { ReviewedColumn } from "./adjustments";
import { useReview } from "./draft";
import type { Example } from "./examples";
import type { Overrides, Spot, TableReading } from "./lines";

const lineKinds = (): Record<string, [LucideIcon, string]> => ({
  title: [Heading, t`Título`],
  header: [CircleDot, t`Cabeçalho`],
  row: [Circle, t`Dados`],
  skipped: [X, t`Ignorada`],
  footer: [PanelBottom, t`Rodapé`],
  blank: [Minus, t`Vazia`],
});
const SHOWN_OF_A_CELL = 120;

export interface FileGridProps {
  table: TableReading;
  /** The columns of this table by their place in its lines; none where it is left out. */
  columns: ReadonlyMap<number, ReviewedColumn>;
  exampleOf: (column: ReviewedColumn, line: number) => Example | null;
  onOverride: (overrides: Overrides) => void;
}

interface FileLineProps extends FileGridProps {
  spot: Spot | null;
  line: { line: number; kind: string; cells: readonly (string | null)[] };
  isFirst: boolean;
  width: number;
}

export function FileLine({ line, width, table, spot, columns, ...rest }: FileLineProps): ReactNode {
  const { look, isBusy } = useReview();
  const [Sign, label] = lineKinds()[line.kind] ?? [Circle, line.kind];
  return (
    <tr className={`mt-line mt-line-${line.kind}`}>
      <th scope="row">{formatCount(line.line)}</th>
      <td>
        <Menu
          label={t`Linha ${line.line}: ${label}. Mudar o que ela é`}
          className="mt-line-kind"
          tabIndex={rest.isFirst ? 0 : -1}
          isDisabled={isBusy}
          actions={actionsOf(line, table, rest.onOverride)}
        >
          <Sign /> {label}
        </Menu>
      </td>
      {Array.from({ length: width }, (_, place) => {
        const column = columns.get(place);
        const raw = line.cells[place] ?? "";
        if (spot && (spot.place ?? 0) === place) return <SpotCell key={place} spot={spot} text={raw} />;
        const example = column && line.kind === "row" ? rest.exampleOf(column, line.line) : null;
        return (
          <Cell
            key={place}
            raw={raw}
            column={column}
            example={example}
            isSelected={column !== undefined && column === look.column}
            onSelect={look.select}
          />
        );
      })}
    </tr>
  );
}

interface CellProps {
  raw: string;
  column: ReviewedColumn | undefined;
  example: Example | null;
  isSelected: boolean;
  onSelect: (column: string) => void;
}

/** A cell: what it becomes, and the text of the file where that differs. */
function Cell({ raw, column, example, isSelected, onSelect }: CellProps): ReactNode {
  const classes = ["mt-preview-cell"];
  if (isSelected) classes.push("mt-cell-selected");
  if (column && !column.include) classes.push("mt-cell-out");
  if (column && isNumeric(column.type) && example) classes.push("mt-number");
  const isSame = !example || (!example.fault && example.after.trim() === raw.trim());
  return (
    <td className={classes.join(" ")} onClick={() => column && onSelect(column.column.name)}>
      {isSame ? (
        raw.slice(0, SHOWN_OF_A_CELL)
      ) : (
        <>
          <small className="mt-quiet">{raw.slice(0, SHOWN_OF_A_CELL) || t`(vazia)`}</small>{" "}
          <span aria-hidden="true">→</span>
          <span className="mt-hidden"> {t`será`} </span>{" "}
          {example.fault ? (
            <span className="mt-field-error">
              <TriangleAlert /> {example.fault}
            </span>
          ) : (
            example.after.slice(0, SHOWN_OF_A_CELL) || t`(vazia)`
          )}
        </>
      )}
    </td>
  );
}

/** The cell that an entry of the list spoke of: it takes the focus, and says what is wrong with it. */
function SpotCell({ spot, text }: { spot: Spot; text: string }): ReactNode {
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

function actionsOf(
  { line, kind }: FileLineProps["line"],
  table: TableReading,
  onOverride: (overrides: Overrides) => void,
): [string, () => void][] {
  const isHeader = kind === "header" && table.header_line === line;
  const actions: [string, () => void][] = [
    [t`Começar os dados aqui`, () => onOverride({ first_line: line })],
    [t`Terminar os dados aqui`, () => onOverride({ last_line: line })],
    kind === "row"
      ? [t`Ignorar esta linha`, () => onOverride({ skip_lines: [...table.skipped_lines, line] })]
      : [
          t`Incluir esta linha nos dados`,
          () => onOverride({ skip_lines: table.skipped_lines.filter((one) => one !== line) }),
        ],
  ];
  if (!isHeader) actions.unshift([t`Usar como cabeçalho`, () => onOverride({ header_line: line })]);
  return actions;
}
