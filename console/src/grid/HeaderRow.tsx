import { ArrowDown, ArrowUp, EllipsisVertical } from "lucide-react";
import type { ReactNode } from "react";
import { t } from "../ui/language";
import { TypeIcon } from "../ui/TypeIcon";
import { typeLabels } from "../values/cells";
import { cellPlace, InSight } from "./InSight";
import { useParts } from "./parts";
import type { GridColumn, GridParts } from "./types";
import { resized } from "./view";
import { fittingWidth } from "./width";

export function HeaderRow({ grid }: { grid: GridParts }): ReactNode {
  return (
    <div role="row" aria-rowindex={1} className="mt-grid-row mt-grid-header">
      <div role="columnheader" aria-colindex={1} className="mt-grid-gutter" aria-label={t`Número da linha`} />
      <InSight {...grid}>
        {(column, index) => <Header key={column.name} grid={grid} column={column} index={index} />}
      </InSight>
    </div>
  );
}

interface HeaderProps {
  grid: GridParts;
  column: GridColumn;
  index: number;
}

function Header({ grid, column, index }: HeaderProps): ReactNode {
  const { active } = grid.state;
  const isActive = active.row < 0 && active.column === index;
  const { style, frozen } = cellPlace(column);
  const focus = (): void => grid.dispatch({ kind: "focus", place: { row: -1, column: index }, extend: false });
  return (
    <div
      role="columnheader"
      aria-colindex={index + 2}
      aria-sort={column.sort ?? "none"}
      tabIndex={isActive ? 0 : -1}
      data-active={isActive}
      className={`mt-grid-cell mt-grid-label${frozen}`}
      style={style}
      title={`${column.display_name} (${typeLabels()[column.type]})`}
      onClick={(event) => {
        focus();
        grid.onCommand({ do: "sort", column: index, add: event.shiftKey });
      }}
      onContextMenu={(event) => {
        event.preventDefault();
        grid.onCommand({ do: "menu", column: index });
      }}
    >
      <TypeIcon type={column.type} />
      <span className="mt-grid-label-text">{column.display_name}</span>
      {column.sort && (
        <span aria-hidden="true">
          {column.sort === "ascending" ? <ArrowUp /> : <ArrowDown />}
          {column.sortOrder ?? ""}
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
          grid.onCommand({ do: "menu", column: index });
        }}
      >
        <EllipsisVertical />
      </button>
      <ResizeHandle column={column} />
    </div>
  );
}

/** Drag to resize, double-click to fit; by keyboard Alt and the arrows on the header resize, too. */
function ResizeHandle({ column }: { column: GridColumn }): ReactNode {
  const { view, onView } = useParts();
  const resize = (width: number): void => onView(resized(view, column.name, width));
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
        handle.setPointerCapture(event.pointerId);
        handle.onpointermove = (moved) => resize(moved.clientX - start);
        handle.onpointerup = () => {
          handle.onpointermove = null;
        };
      }}
    />
  );
}
