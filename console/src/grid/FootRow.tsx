import type { ReactNode } from "react";
import type { Column } from "../api/types";
import { Select } from "../ui/fields";
import { t } from "../ui/language";
import { type Cell, formatCell, showCell } from "../values/cells";
import { cellPlace, InSight } from "./InSight";
import { useParts } from "./parts";
import { type Totals, useTotals } from "./totals";
import type { GridColumn, GridParts } from "./types";
import { type Total, totalLabels, totalsOf, withTotal } from "./view";

interface FootRowProps extends Pick<GridParts, "columns" | "shown"> {
  rowIndex: number;
}

/** The foot of the grid: what a person has chosen to see of a column's rows that match. */
export function FootRow({ rowIndex, columns, shown }: FootRowProps): ReactNode {
  const { table, view } = useParts();
  const totals = useTotals(table, view);
  return (
    <div role="row" aria-rowindex={rowIndex} className="mt-grid-row mt-grid-totals">
      <div role="rowheader" aria-label={t`Rodapé`} className="mt-grid-gutter">
        Σ
      </div>
      <InSight columns={columns} shown={shown}>
        {(column) => <Foot key={column.name} column={column} total={totals[column.name]} />}
      </InSight>
    </div>
  );
}

function Foot({ column, total }: { column: GridColumn; total: Totals[string] }): ReactNode {
  const { view, onView } = useParts();
  const { style, frozen } = cellPlace(column);
  const text = total ? shownTotal(total.fn, total.text, column) : "";
  return (
    <div role="gridcell" className={`mt-grid-cell mt-foot${frozen}`} style={style} title={text}>
      <Select
        tabIndex={-1} // by keyboard: the menu of the column
        aria-label={t`Rodapé de ${column.display_name}`}
        choices={[
          ["", total ? t`Nada` : t`Calcular`],
          ...totalsOf(column.type).map((fn) => [fn, totalLabels()[fn]] as const),
        ]}
        value={total?.fn ?? ""}
        onChoose={(fn) => onView({ totals: withTotal(view, column.name, fn || null) })}
      />
      <span className="mt-foot-value">{text}</span>
    </div>
  );
}

/** Write what was worked out over a column. */
export function shownTotal(fn: Total, value: Cell, column: Pick<Column, "type" | "format">): string {
  if (fn === "count" || fn === "count_distinct") return formatCell(value, "decimal");
  return showCell(value, fn === "avg" || fn === "sum" ? { ...column, type: "decimal" } : column);
}
