import { useQuery } from "@tanstack/react-query";
import { ArrowDown, ArrowUp, EllipsisVertical } from "lucide-react";
import { Fragment, type ReactNode } from "react";
import type { Cell, Column } from "../api/types";
import { t } from "../ui/language";
import { classes, Select, TypeIcon } from "../ui/parts";
import { formatCell, isNumeric, showCell, typeLabels } from "../values/cells";
import { formatCount } from "../values/numbers";
import { CellEditor, RowDialog } from "./CellEditor";
import { CellText } from "./CellText";
import { type GridParts, rangeIn, type SelectionWay } from "./control";
import { RowStory } from "./History";
import { NEW_ROW, queryRows } from "./rows";
import { markOf, useParts } from "./sheet";
import { aggregatesOf, askedOf, type GridColumn, resized, type Total, totalChoice, totalOf } from "./view";
import { isInRange, type Place, ROW_HEIGHT } from "./viewport";

export function HeaderRow({ grid }: { grid: GridParts }) {
  return (
    <div role="row" aria-rowindex={1} className="mt-grid-row mt-grid-header">
      <div role="columnheader" aria-colindex={1} className="mt-grid-gutter" aria-label={t`Número da linha`} />
      <InSight {...grid}>
        {(column, index) => <Header key={column.name} grid={grid} column={column} index={index} />}
      </InSight>
    </div>
  );
}

function Header({ grid, column, index }: { grid: GridParts; column: GridColumn; index: number }) {
  const { sort } = useParts().view;
  const { active } = grid.state;
  const place = sort.findIndex((one) => one.replace(/^-/, "") === column.name);
  const order = place < 0 ? "none" : sort[place]?.startsWith("-") ? "descending" : "ascending";
  const isActive = active.row < 0 && active.column === index;
  const { style, frozen } = cellPlace(column);
  const focus = (): void => grid.control.focus({ row: -1, column: index });
  return (
    <div
      role="columnheader"
      aria-colindex={index + 2}
      aria-sort={order}
      tabIndex={isActive ? 0 : -1}
      data-active={isActive}
      className={`mt-grid-cell mt-grid-label${frozen}`}
      style={style}
      title={`${column.display_name} (${typeLabels()[column.type]})`}
      onClick={(event) => {
        focus();
        grid.control.sort(index, event.shiftKey);
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        grid.control.menu(index);
      }}
    >
      <TypeIcon type={column.type} />
      <span className="mt-grid-label-text">{column.display_name}</span>
      {place >= 0 && (
        <span aria-hidden="true">
          {order === "ascending" ? <ArrowUp /> : <ArrowDown />}
          {sort.length > 1 && place + 1}
        </span>
      )}
      <button
        type="button"
        tabIndex={-1} // by keyboard: Alt and the down arrow on the header
        className="mt-grid-menu"
        aria-label={t`Opções da coluna ${column.display_name}`}
        onClick={(event) => {
          event.stopPropagation();
          focus();
          grid.control.menu(index);
        }}
      >
        <EllipsisVertical />
      </button>
      <ResizeHandle column={column} />
    </div>
  );
}

const DRAG_STEP = 8; // px: the address changes at each, and a browser takes some 200 changes in ten seconds

/** Drag to resize, double-click to fit; by keyboard the menu of the column. */
function ResizeHandle({ column }: { column: GridColumn }) {
  const { table, view, onView } = useParts();
  const resize = (width: number): void => onView(resized(table, view, column.name, width));
  return (
    <span
      className="mt-grid-resize"
      aria-hidden="true"
      onClick={(event) => event.stopPropagation()}
      onDoubleClick={(event) => {
        event.stopPropagation();
        const cells = event.currentTarget.closest('[role="grid"]')?.querySelectorAll(`[data-name="${column.name}"]`);
        resize(fittingWidth(column.display_name, [...(cells ?? [])]));
      }}
      onPointerDown={(event) => {
        event.preventDefault();
        event.stopPropagation();
        const handle = event.currentTarget;
        const start = event.clientX - column.width;
        let shown = column.width;
        handle.setPointerCapture(event.pointerId);
        handle.onpointermove = ({ clientX, buttons }) => {
          const width = Math.round((clientX - start) / DRAG_STEP) * DRAG_STEP;
          if (buttons === 0 || width === shown) return; // and no longer dragged
          resize(width);
          shown = width;
        };
      }}
    />
  );
}

const PADDING = 20;
const HEADER_EXTRAS = 72; // the sign of the type, the sort and the menu
const WIDEST = 640;

/** Return the width that shows a label and the cells that are in sight in full. */
function fittingWidth(label: string, cells: readonly Element[]): number {
  const context = document.createElement("canvas").getContext("2d");
  const [sample] = cells;
  if (!context || !sample) return WIDEST / 4;
  context.font = getComputedStyle(sample).font;
  const widths = cells.map((cell) => context.measureText(cell.textContent ?? "").width + PADDING);
  return Math.ceil(Math.min(Math.max(context.measureText(label).width + HEADER_EXTRAS, ...widths), WIDEST));
}

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
        const isElsewhere = document.activeElement?.closest(".mt-cell-edited") !== null;
        if (!isElsewhere) event.preventDefault(); // the focus is ours to set; an editor elsewhere must see it go
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

type InSightProps = GridParts & { children: (column: GridColumn, index: number) => ReactNode };

/** The cells of a row that are in sight: those that stay at the left, a gap for what was scrolled away, the others. */
function InSight({ columns, port: { columns: shown }, children }: InSightProps) {
  return (
    <>
      {columns.slice(0, shown.frozen).map(children)}
      <div className="mt-grid-spacer" style={{ width: shown.offset }} />
      {columns.slice(shown.first, shown.end).map((column, place) => children(column, shown.first + place))}
    </>
  );
}

/** Return the style of a cell, and the class of one that stays where it is. */
function cellPlace({ width, left }: GridColumn): { style: { width: number; left?: string }; frozen: string } {
  return left === null
    ? { style: { width }, frozen: "" }
    : { style: { width, left: `calc(4.5rem + ${left}px)` }, frozen: " mt-frozen" };
}
