import { useQuery } from "@tanstack/react-query";
import { Fragment, type ReactNode } from "react";
import type { Cell, Column } from "../api/types";
import { queryRows } from "../table/queries";
import { t } from "../ui/language";
import { Select } from "../ui/parts";
import { formatCell, showCell } from "../values/cells";
import type { GridParts } from "./control";
import { cellPlace, InSight } from "./InSight";
import { useParts } from "./sheet";
import { aggregatesOf, askedOf, type Total, totalChoice, totalOf } from "./view";

/** The foot of the grid: what a person has chosen to see of a column's rows that match. */
export function FootRow({ rowIndex, grid }: { rowIndex: number; grid: GridParts }) {
  const parts = useParts();
  const totals = useTotals();
  return (
    <div ref={grid.port.foot} role="row" aria-rowindex={rowIndex} className="mt-grid-row mt-grid-totals">
      <div role="rowheader" aria-label={t`Rodapé`} className="mt-grid-gutter">
        Σ
      </div>
      <InSight {...grid}>
        {(column) => {
          const { style, frozen } = cellPlace(column);
          const total = totalOf(parts.view, column.name);
          const text = shownTotal(total, totals.get(column.name), column);
          return (
            <div
              key={column.name}
              role="gridcell"
              className={`mt-grid-cell mt-foot${frozen}`}
              style={style}
              title={text}
            >
              <Select
                tabIndex={-1} // by keyboard: the menu of the column
                aria-label={t`Rodapé de ${column.display_name}`}
                {...totalChoice(parts, column, total ? t`Nada` : t`Calcular`)}
              />
              <span className="mt-foot-value">{breakable(text)}</span>
            </div>
          );
        }}
      </InSight>
    </div>
  );
}

/** A number that may go on in another line, at its marks: cut it would say something else. */
function breakable(text: string): ReactNode {
  return text.split(/(?<=\.)/).map((part, at) => (
    <Fragment key={at}>
      {at > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

/** Write what was worked out over a column; a mean comes with twenty places, of which zeros say nothing. */
export function shownTotal(fn: Total | undefined, value: Cell, column: Pick<Column, "type" | "format">): string {
  if (fn === "count" || fn === "count_distinct") return formatCell(value, "decimal");
  const shown = fn === "avg" && value ? String(value).replace(/(\.\d*?[1-9])0+$|\.0+$/, "$1") : value;
  return showCell(shown, fn === "avg" || fn === "sum" ? { ...column, type: "decimal" } : column);
}

/** Work out what the view has at the foot of its columns, over the rows that match. */
function useTotals(): ReadonlyMap<string, Cell> {
  const { api, table, view } = useParts();
  const aggregates = aggregatesOf(table, view);
  const asked = { ...askedOf(view), aggregates };
  const { data } = useQuery({
    queryKey: ["totals", table._id, table.updated_at, asked],
    enabled: aggregates.length > 0,
    retry: false,
    queryFn: async ({ signal }) => {
      const { records } = await queryRows(api, table._id, asked, signal);
      return records[0] ?? null;
    },
  });
  return new Map(aggregates.map(({ column, as }) => [column, data?.[as]]));
}
