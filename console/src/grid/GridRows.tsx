import type { ReactNode } from "react";
import { formatCell, TYPE_LABELS, TYPE_SIGNS } from "../values/cells";
import { formatCount } from "../values/numbers";
import { CellEditor, type EditEnd } from "./CellEditor";
import type { CellState, Editing, GridColumn, GridProps, GridRow } from "./Grid";
import type { Place } from "./keys";
import { isInRange, type Range } from "./range";

/** The columns in sight, and where the first of them begins. */
export interface Shown {
  first: number;
  end: number;
  offset: number;
}

interface HeaderRowProps extends GridProps {
  shown: Shown;
  active: Place;
  onFocus: (column: number) => void;
}

export function HeaderRow({
  columns,
  shown,
  active,
  onFocus,
  onSort,
  onResize,
  onHeaderMenu,
}: HeaderRowProps): ReactNode {
  return (
    <div role="row" aria-rowindex={1} className="mt-grid-row mt-grid-header">
      <div role="columnheader" aria-colindex={1} className="mt-grid-gutter" aria-label="Número da linha" />
      <div className="mt-grid-spacer" style={{ width: shown.offset }} />
      {columns.slice(shown.first, shown.end).map((column, place) => {
        const index = shown.first + place;
        const isActive = active.row < 0 && active.column === index;
        return (
          <div
            key={column.name}
            role="columnheader"
            aria-colindex={index + 2}
            aria-sort={column.sort ?? "none"}
            tabIndex={isActive ? 0 : -1}
            data-active={isActive}
            className="mt-grid-cell mt-grid-label"
            style={{ width: column.width }}
            title={`${column.label} (${TYPE_LABELS[column.type]})`}
            onClick={(event) => {
              onFocus(index);
              onSort(column.name, event.shiftKey);
            }}
            onContextMenu={(event) => {
              event.preventDefault();
              onHeaderMenu(column.name);
            }}
          >
            <span className="mt-type-sign" aria-hidden="true">
              {TYPE_SIGNS[column.type]}
            </span>
            <span className="mt-grid-label-text">{column.label}</span>
            {column.sort && (
              <span aria-hidden="true" className="mt-grid-sort">
                {column.sort === "ascending" ? "▲" : "▼"}
                {column.sortOrder ?? ""}
              </span>
            )}
            <button
              type="button"
              tabIndex={-1} // by keyboard: Alt and the down arrow on the header
              className="mt-grid-menu"
              aria-label={`Opções da coluna ${column.label}`}
              onClick={(event) => {
                event.stopPropagation();
                onFocus(index);
                onHeaderMenu(column.name);
              }}
            >
              ⋮
            </button>
            <ResizeHandle column={column} onResize={onResize} />
          </div>
        );
      })}
    </div>
  );
}

/** Drag to resize; by keyboard Alt and the arrows on the header do the same. */
function ResizeHandle({ column, onResize }: { column: GridColumn; onResize: GridProps["onResize"] }): ReactNode {
  return (
    <span
      className="mt-grid-resize"
      aria-hidden="true"
      onClick={(event) => event.stopPropagation()}
      onPointerDown={(event) => {
        event.preventDefault();
        event.stopPropagation();
        const handle = event.currentTarget;
        const start = event.clientX - column.width;
        handle.setPointerCapture(event.pointerId);
        handle.onpointermove = (moved) => onResize(column.name, moved.clientX - start);
        handle.onpointerup = () => {
          handle.onpointermove = null;
        };
      }}
    />
  );
}

interface DataRowProps {
  index: number;
  y: number;
  shown: Shown;
  active: Place;
  range: Range | null;
  editing: Editing | null;
  grid: GridProps;
  onFocus: (place: Place, extend: boolean) => void;
  onBegin: (place: Place) => void;
  onFinish: (outcome: EditEnd, text: string) => void;
}

export function DataRow({
  index,
  y,
  shown,
  active,
  range,
  editing,
  grid,
  onFocus,
  onBegin,
  onFinish,
}: DataRowProps): ReactNode {
  const row = grid.rowAt(index);
  const isSelected = row !== undefined && grid.selected.has(row.id);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      className={isSelected ? "mt-grid-row mt-grid-data mt-selected" : "mt-grid-row mt-grid-data"}
      style={{ transform: `translateY(${y}px)` }}
    >
      <div
        role="rowheader"
        aria-colindex={1}
        className="mt-grid-gutter"
        onClick={(event) => row && grid.onSelect(row, event.shiftKey)}
        onDoubleClick={() => row && grid.onOpenRow(row)}
      >
        {formatCount(index + 1)}
      </div>
      <div className="mt-grid-spacer" style={{ width: shown.offset }} />
      {grid.columns.slice(shown.first, shown.end).map((column, offset) => {
        const place = { row: index, column: shown.first + offset };
        const isActive = active.row === index && active.column === place.column;
        const isEdited = editing?.row === index && editing.column === place.column;
        return (
          <DataCell
            key={column.name}
            column={column}
            place={place}
            row={row}
            state={row && grid.cellState(row, column.name)}
            isActive={isActive}
            isSelected={range !== null && isInRange(range, index, place.column)}
            onFocus={(extend) => onFocus(place, extend)}
            onBegin={() => onBegin(place)}
          >
            {isEdited && <CellEditor label={column.label} text={editing.text} type={column.type} onEnd={onFinish} />}
          </DataCell>
        );
      })}
    </div>
  );
}

interface DataCellProps {
  column: GridColumn;
  place: Place;
  row: GridRow | undefined;
  state: CellState | undefined;
  isActive: boolean;
  isSelected: boolean;
  onFocus: (extend: boolean) => void;
  onBegin: () => void;
  children: ReactNode;
}

function DataCell({
  column,
  place,
  row,
  state,
  isActive,
  isSelected,
  onFocus,
  onBegin,
  children,
}: DataCellProps): ReactNode {
  const text = state?.text ?? (row ? formatCell(row.cells[column.name], column.type) : "");
  const isNumber = column.type === "integer" || column.type === "decimal";
  const classes = ["mt-grid-cell"];
  if (isNumber) classes.push("mt-number");
  if (!row) classes.push("mt-loading");
  if (isSelected) classes.push("mt-in-range");
  if (state?.state) classes.push(`mt-cell-${state.state}`);
  return (
    <div
      role="gridcell"
      aria-colindex={place.column + 2}
      aria-readonly={!column.isEditable}
      aria-selected={isSelected}
      aria-invalid={state?.state === "refused"}
      aria-description={state?.reason}
      title={state?.reason}
      tabIndex={isActive ? 0 : -1}
      data-active={isActive}
      className={classes.join(" ")}
      style={{ width: column.width }}
      onMouseDown={(event) => {
        if (event.target instanceof HTMLInputElement) return;
        event.preventDefault(); // the focus is ours to set
        onFocus(event.shiftKey);
      }}
      onMouseEnter={(event) => {
        if (event.buttons === 1) onFocus(true);
      }}
      onDoubleClick={onBegin}
    >
      {children || text.slice(0, 300)}
    </div>
  );
}

interface TotalsRowProps {
  columns: readonly GridColumn[];
  shown: Shown;
  totals: ReadonlyMap<string, string>;
}

export function TotalsRow({ columns, shown, totals }: TotalsRowProps): ReactNode {
  return (
    <div role="presentation" className="mt-grid-row mt-grid-totals">
      <div className="mt-grid-gutter">Total</div>
      <div className="mt-grid-spacer" style={{ width: shown.offset }} />
      {columns.slice(shown.first, shown.end).map((column) => (
        <div key={column.name} className="mt-grid-cell mt-number" style={{ width: column.width }}>
          {totals.get(column.name) ?? ""}
        </div>
      ))}
    </div>
  );
}
