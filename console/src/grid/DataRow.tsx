import { t } from "../ui/language";
import { classes } from "../ui/parts";
import { formatCell, isNumeric, showCell } from "../values/cells";
import { formatCount } from "../values/numbers";
import { CellEditor } from "./CellEditor";
import { CellText } from "./CellText";
import { type GridParts, rangeIn, type SelectionWay } from "./control";
import { RowStory } from "./History";
import { cellPlace, InSight } from "./InSight";
import { RowDialog } from "./RowDialog";
import { NEW_ROW } from "./rows";
import { markOf, useParts } from "./sheet";
import type { GridColumn } from "./view";
import { isInRange, type Place, ROW_HEIGHT } from "./viewport";

export function DataRow({ index, grid }: { index: number; grid: GridParts }) {
  const { rows, view, selected, onOpen } = useParts();
  const { top, rowHeight: height } = grid.port;
  const row = rows.rowAt(index);
  const isNew = index === grid.data;
  const isSelected = row !== undefined && selected.has(row.id);
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      className={classes("mt-grid-row mt-grid-data", view.row_height > ROW_HEIGHT && "mt-tall")}
      style={{ transform: `translateY(${index * height - top}px)`, height }}
    >
      <div
        role="rowheader"
        aria-colindex={1}
        aria-label={isNew ? t`Linha nova` : undefined}
        className="mt-grid-gutter"
        onMouseDown={(event) => {
          event.preventDefault(); // the focus stays in the grid
          if (row && event.button === 0) void grid.control.select(index, selectionWay(event));
        }}
        onMouseEnter={(event) => {
          if (row && event.buttons === 1) void grid.control.select(index, "extend");
        }}
        onDoubleClick={() => row && onOpen(<RowDialog row={row} />)}
      >
        {isNew ? "+" : formatCount(index + 1)}
      </div>
      <InSight {...grid}>
        {(column, at) => <DataCell key={column.name} column={column} place={{ row: index, column: at }} grid={grid} />}
      </InSight>
    </div>
  );
}

function selectionWay({ shiftKey, ctrlKey, metaKey }: React.MouseEvent): SelectionWay {
  return shiftKey ? "extend" : ctrlKey || metaKey ? "toggle" : "only";
}

function DataCell({ column, place, grid }: { column: GridColumn; place: Place; grid: GridParts }) {
  const parts = useParts();
  const row = parts.rows.rowAt(place.row);
  const isNew = place.row === grid.data;
  const { state, control } = grid;
  const { active, editing } = state;
  const { name, type } = column;
  const mark = row || isNew ? markOf(parts, row ?? NEW_ROW, name) : undefined;
  const value = row?.[name];
  const text = mark?.text ?? showCell(value, column);
  const range = rangeIn(state);
  const isEdited = editing?.row === place.row && editing.column === place.column;
  const isActive = active.row === place.row && active.column === place.column;
  const isOne = range.top === range.bottom && range.left === range.right;
  const isWithin = !isOne && isInRange(range, place.row, place.column);
  const hasHandle = isActive && !editing && range.top === range.bottom && parts.isEditable && !isNew;
  const { style, frozen } = cellPlace(column);
  return (
    <div
      role="gridcell"
      aria-colindex={place.column + 2}
      aria-readonly={!parts.isEditable}
      aria-selected={isWithin}
      aria-invalid={mark?.state === "refused"}
      aria-description={mark?.reason}
      title={mark?.reason ?? (text.startsWith("≈") ? formatCell(value, type) : undefined)}
      tabIndex={isActive ? 0 : -1}
      data-active={isActive}
      data-name={name}
      className={classes(
        `mt-grid-cell${frozen}`,
        isNumeric(type) && "mt-number",
        !row && !isNew && "mt-loading",
        mark?.state && `mt-cell-${mark.state}`,
        isEdited && "mt-cell-edited",
      )}
      style={style}
      onMouseDown={(event) => {
        if (isEdited) return; // the editor is within
        if (!editing) event.preventDefault(); // the focus is ours to set; an editor elsewhere must see it go
        control.focus(place, event.shiftKey);
      }}
      onMouseEnter={(event) => {
        if (event.buttons === 1 && !isEdited) control.focus(place, true);
      }}
      onDoubleClick={() => control.begin(place)}
      onContextMenu={(event) => {
        if (isEdited) return;
        event.preventDefault(); // by the right button, and by the key of the menu
        if (row) parts.onOpen(<RowStory rowId={row.id} column={name} />);
      }}
    >
      {type === "boolean" && row && parts.isEditable && !isEdited && (
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={column.display_name}
          checked={(mark?.text ?? formatCell(value, type)) === "Sim"}
          onChange={(event) => control.edit({ record: row, name }, event.target.checked ? "Sim" : "Não")}
        />
      )}
      {isEdited ? (
        <CellEditor column={column} editing={editing} onEnd={control.finish} />
      ) : (
        <CellText column={column} text={text} />
      )}
      {hasHandle && (
        <span // dragged down or up from a cell or a row of cells: those on the way get the same
          className="mt-fill"
          aria-hidden="true"
          onMouseDown={(event) => {
            event.preventDefault();
            event.stopPropagation();
            window.addEventListener("mouseup", () => control.fill(control.state.get().anchor?.row), { once: true });
          }}
        />
      )}
    </div>
  );
}
