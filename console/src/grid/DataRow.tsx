import type { ReactNode } from "react";
import type { RecordOfRow } from "../api/types";
import { t } from "../ui/language";
import { formatCell, isNumeric, showCell } from "../values/cells";
import { formatCount } from "../values/numbers";
import { CellEditor } from "./CellEditor";
import { cellPlace, InSight } from "./InSight";
import type { Place } from "./keys";
import { rangeIn } from "./model";
import { markOf, useParts } from "./parts";
import { isInRange, isOneCell } from "./range";
import { ROW_HEIGHT } from "./scroll";
import type { GridColumn, GridParts } from "./types";

const MOST_SHOWN = 500; // characters of a cell

interface DataRowProps {
  index: number;
  y: number;
  height: number;
  grid: GridParts;
}

export function DataRow({ index, y, height, grid }: DataRowProps): ReactNode {
  const { rows, view, onOpen } = useParts();
  const row = rows.rowAt(index);
  const isNew = grid.hasNewRow && index === grid.rowCount;
  const isSelected = row !== undefined && grid.selected.has(row.id);
  const classes = ["mt-grid-row", "mt-grid-data"];
  if (isSelected) classes.push("mt-selected");
  if (grid.state.editing?.row === index) classes.push("mt-edited-row");
  if (view.rowHeight > ROW_HEIGHT) classes.push("mt-tall");
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
        onClick={(event) => row && grid.onCommand({ do: "select", row: index, extend: event.shiftKey })}
        onDoubleClick={() => row && onOpen({ row })}
      >
        {isNew ? "+" : formatCount(index + 1)}
      </div>
      <InSight {...grid}>
        {(column, at) => (
          <DataCell
            key={column.name}
            column={column}
            place={{ row: index, column: at }}
            row={row}
            isNew={isNew}
            grid={grid}
          />
        )}
      </InSight>
    </div>
  );
}

interface DataCellProps {
  grid: GridParts;
  column: GridColumn;
  place: Place;
  row: RecordOfRow | undefined;
  isNew: boolean;
}

function DataCell({ column, place, row, isNew, grid }: DataCellProps): ReactNode {
  const parts = useParts();
  const { state, dispatch } = grid;
  const { active, editing } = state;
  const { name, type } = column;
  const mark = row && markOf(parts, row, name);
  const value = row?.[name];
  const text = mark?.text ?? showCell(value, column);
  const range = rangeIn(state);
  const isEdited = editing?.row === place.row && editing.column === place.column;
  const isActive = active.row === place.row && active.column === place.column;
  const isWithin = !isOneCell(range) && isInRange(range, place.row, place.column);
  const hasHandle = isActive && !editing && range.top === range.bottom && column.isEditable && !isNew;
  const { style, frozen } = cellPlace(column);
  const classes = [`mt-grid-cell${frozen}`];
  if (isNumeric(type)) classes.push("mt-number");
  if (!row && !isNew) classes.push("mt-loading");
  if (isWithin) classes.push("mt-in-range");
  if (mark?.state) classes.push(`mt-cell-${mark.state}`);
  if (isEdited) classes.push("mt-cell-edited");
  return (
    <div
      role="gridcell"
      aria-colindex={place.column + 2}
      aria-readonly={!column.isEditable}
      aria-selected={isWithin}
      aria-invalid={mark?.state === "refused"}
      aria-description={mark?.reason}
      title={mark?.reason ?? (text.startsWith("≈") ? formatCell(value, type) : undefined)}
      tabIndex={isActive ? 0 : -1}
      data-active={isActive}
      data-name={name}
      className={classes.join(" ")}
      style={style}
      onMouseDown={(event) => {
        if (isEdited) return; // the editor is within
        const isElsewhere = document.activeElement?.closest(".mt-cell-edited") !== null;
        if (!isElsewhere) event.preventDefault(); // the focus is ours to set; an editor elsewhere must see it go
        dispatch({ kind: "focus", place, extend: event.shiftKey });
      }}
      onMouseEnter={(event) => {
        if (event.buttons === 1 && !isEdited) dispatch({ kind: "focus", place, extend: true });
      }}
      onDoubleClick={() => dispatch({ kind: "begin", place })}
      onContextMenu={(event) => {
        if (isEdited) return;
        event.preventDefault(); // by the right button, and by the key of the menu
        if (row) parts.onOpen({ story: row.id, column: name });
      }}
    >
      {type === "boolean" && row && column.isEditable && !isEdited && (
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={column.display_name}
          checked={(mark?.text ?? formatCell(value, type)) === "Sim"}
          onChange={(event) => grid.onCommand({ do: "edit", place, text: event.target.checked ? "Sim" : "Não" })}
        />
      )}
      {isEdited ? (
        <CellEditor
          label={column.display_name}
          text={editing.text}
          type={type}
          isNullable={column.nullable}
          isTyped={editing.isTyped}
          onEnd={(outcome, written) => dispatch({ kind: "finish", outcome, text: written })}
        />
      ) : (
        text.slice(0, MOST_SHOWN).replace(/\r\n|\r|\n/g, parts.view.rowHeight > ROW_HEIGHT ? "\n" : " ↵ ")
      )}
      {hasHandle && (
        <FillHandle onFilled={() => dispatch({ kind: "key", key: "d", control: true, shift: false, alt: false })} />
      )}
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
