import type { ReactNode } from "react";
import type { RecordOfRow } from "../api/types";
import { t } from "../ui/language";
import { formatCell, isNumeric, showCell } from "../values/cells";
import { formatCount } from "../values/numbers";
import { CellEditor } from "./CellEditor";
import { cellPlace, InSight } from "./InSight";
import { type GridEvent, type GridState, rangeIn } from "./model";
import { isInRange, isOneCell } from "./range";
import { ROW_HEIGHT } from "./scroll";
import type { CellState, GridColumn, GridProps } from "./types";
import type { Shown } from "./viewport";

const MOST_SHOWN = 500; // characters of a cell

interface DataRowProps {
  index: number;
  y: number;
  height: number;
  shown: Shown;
  state: GridState;
  grid: GridProps;
  dispatch: (event: GridEvent) => void;
}

export function DataRow({ index, y, height, shown, state, grid, dispatch }: DataRowProps): ReactNode {
  const row = grid.rowAt(index);
  const isNew = grid.hasNewRow && index === grid.rowCount;
  const isSelected = row !== undefined && grid.selected.has(row.id);
  const { active, editing } = state;
  const range = rangeIn(state);
  const classes = ["mt-grid-row", "mt-grid-data"];
  if (isSelected) classes.push("mt-selected");
  if (editing?.row === index) classes.push("mt-edited-row");
  if (grid.rowHeight > ROW_HEIGHT) classes.push("mt-tall");
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      className={classes.join(" ")}
      style={{ transform: `translateY(${y}px)`, height }}
    >
      <div
        role="rowheader"
        aria-colindex={1}
        aria-label={isNew ? t`Linha nova` : undefined}
        className="mt-grid-gutter"
        onClick={(event) => row && grid.onSelect(index, event.shiftKey)}
        onDoubleClick={() => row && grid.onOpenRow(row)}
      >
        {isNew ? "+" : formatCount(index + 1)}
      </div>
      <InSight columns={grid.columns} shown={shown}>
        {(column, at) => {
          const place = { row: index, column: at };
          const isEdited = editing?.row === index && editing.column === place.column;
          const isActive = active.row === index && active.column === place.column;
          return (
            <DataCell
              key={column.name}
              column={column}
              index={place.column}
              row={row}
              isLoading={!row && !isNew}
              state={row && grid.cellState(row, column.name)}
              isActive={isActive}
              hasHandle={isActive && !editing && range.top === range.bottom && column.isEditable && !isNew}
              isInRange={!isOneCell(range) && isInRange(range, index, place.column)}
              isTall={grid.rowHeight > ROW_HEIGHT}
              onFocus={(extend) => dispatch({ kind: "focus", place, extend })}
              onBegin={() => dispatch({ kind: "begin", place })}
              onCheck={(isOn) => row && grid.onEdit(row, column.name, isOn ? "Sim" : "Não")}
              onStory={() => row && grid.onStory(row, column.name)}
              onFilled={() => dispatch({ kind: "key", key: "d", control: true, shift: false, alt: false })}
            >
              {isEdited && (
                <CellEditor
                  label={column.display_name}
                  text={editing.text}
                  type={column.type}
                  isNullable={column.nullable}
                  isTyped={editing.isTyped}
                  onEnd={(outcome, text) => dispatch({ kind: "finish", outcome, text })}
                />
              )}
            </DataCell>
          );
        }}
      </InSight>
    </div>
  );
}

interface DataCellProps {
  column: GridColumn;
  index: number;
  row: RecordOfRow | undefined;
  isLoading: boolean;
  state: CellState | undefined;
  isActive: boolean;
  hasHandle: boolean;
  isInRange: boolean;
  /** Whether there is room for more than one line. */
  isTall: boolean;
  onFocus: (extend: boolean) => void;
  onBegin: () => void;
  onCheck: (isOn: boolean) => void;
  onStory: () => void;
  onFilled: () => void;
  children: ReactNode;
}

function DataCell({ column, index, row, state, isActive, children, ...rest }: DataCellProps): ReactNode {
  const value = row?.[column.name];
  const text = state?.text ?? showCell(value, column);
  const exact = text.startsWith("≈") ? formatCell(value, column.type) : undefined;
  const { style, frozen } = cellPlace(column);
  const classes = [`mt-grid-cell${frozen}`];
  if (isNumeric(column.type)) classes.push("mt-number");
  if (rest.isLoading) classes.push("mt-loading");
  if (rest.isInRange) classes.push("mt-in-range");
  if (state?.state) classes.push(`mt-cell-${state.state}`);
  if (children) classes.push("mt-cell-edited");
  return (
    <div
      role="gridcell"
      aria-colindex={index + 2}
      aria-readonly={!column.isEditable}
      aria-selected={rest.isInRange}
      aria-invalid={state?.state === "refused"}
      aria-description={state?.reason}
      title={state?.reason ?? exact}
      tabIndex={isActive ? 0 : -1}
      data-active={isActive}
      data-name={column.name}
      className={classes.join(" ")}
      style={style}
      onMouseDown={(event) => {
        if (children) return; // the editor is within
        const isElsewhere = document.activeElement?.closest(".mt-cell-edited") !== null;
        if (!isElsewhere) event.preventDefault(); // the focus is ours to set; an editor elsewhere must see it go
        rest.onFocus(event.shiftKey);
      }}
      onMouseEnter={(event) => {
        if (event.buttons === 1 && !children) rest.onFocus(true);
      }}
      onDoubleClick={rest.onBegin}
      onContextMenu={(event) => {
        if (children) return;
        event.preventDefault(); // by the right button, and by the key of the menu
        rest.onStory();
      }}
    >
      {column.type === "boolean" && row && column.isEditable && !children && (
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={column.display_name}
          checked={(state?.text ?? formatCell(value, column.type)) === "Sim"}
          onChange={(event) => rest.onCheck(event.target.checked)}
        />
      )}
      {children || text.slice(0, MOST_SHOWN).replace(/\r\n|\r|\n/g, rest.isTall ? "\n" : " ↵ ")}
      {rest.hasHandle && <FillHandle onFilled={rest.onFilled} />}
    </div>
  );
}

/** Drag down from a cell or a row of cells: those below get the same. */
function FillHandle({ onFilled }: { onFilled: () => void }): ReactNode {
  return (
    <span
      className="mt-fill"
      aria-hidden="true"
      onMouseDown={(event) => {
        event.preventDefault();
        event.stopPropagation();
        window.addEventListener("mouseup", onFilled, { once: true });
      }}
    />
  );
}
