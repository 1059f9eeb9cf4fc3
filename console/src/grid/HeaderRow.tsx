import { ArrowDown, ArrowUp, EllipsisVertical } from "lucide-react";
import { t } from "../ui/language";
import { TypeIcon } from "../ui/parts";
import { typeLabels } from "../values/cells";
import type { GridParts } from "./control";
import { cellPlace, InSight } from "./InSight";
import { useParts } from "./sheet";
import { type GridColumn, resized } from "./view";

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
