import {
  type ClipboardEvent,
  type KeyboardEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import type { ColumnType } from "../api/types";
import { type Cell, formatCell, TYPE_LABELS, TYPE_SIGNS } from "../values/cells";
import { formatCount } from "../values/numbers";
import { CellEditor, type EditEnd } from "./CellEditor";
import { move, type Place } from "./keys";
import { barOf, type Extent, follow, ROW_HEIGHT, scrollHeight, visibleColumns, visibleRows } from "./scroll";

const GUTTER = 72;
const HEADER_HEIGHT = 40;
const LINE_UP_DELAY_MS = 150;

export interface GridColumn {
  name: string;
  label: string;
  type: ColumnType;
  width: number;
  isEditable: boolean;
  sort: "ascending" | "descending" | null;
  sortOrder: number | null;
}

export interface GridRow {
  id: string;
  cells: Readonly<Record<string, Cell>>;
}

export interface CellState {
  text?: string;
  state?: "saving" | "refused" | "unsaved";
  reason?: string;
}

export interface GridProps {
  label: string;
  columns: readonly GridColumn[];
  rowCount: number;
  rowAt: (index: number) => GridRow | undefined;
  cellState: (row: GridRow, column: string) => CellState | undefined;
  selected: ReadonlySet<string>;
  totals?: ReadonlyMap<string, string> | undefined;
  onVisible: (first: number, end: number) => void;
  onSort: (column: string, add: boolean) => void;
  onResize: (column: string, width: number) => void;
  onHeaderMenu: (column: string, anchor: HTMLElement) => void;
  onEdit: (row: GridRow, column: string, text: string) => void;
  onPaste: (place: Place, text: string) => void;
  onSelect: (row: GridRow, extend: boolean) => void;
  onOpenRow: (row: GridRow) => void;
  onUndo: () => void;
}

interface Editing extends Place {
  text: string;
}

/** A grid of any number of rows: only what shows is in the document, one cell has the focus. */
export function Grid(props: GridProps): ReactNode {
  const { columns, rowCount } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const position = useRef({ bar: 0, top: 0 });
  const [view, setView] = useState({ top: 0, left: 0, width: 800, height: 400 });
  const [active, setActive] = useState<Place>({ row: -1, column: 0 });
  const [editing, setEditing] = useState<Editing | null>(null);
  const wantsFocus = useRef(false);
  const footer = props.totals ? ROW_HEIGHT : 0;
  const extent: Extent = { content: rowCount * ROW_HEIGHT, viewport: Math.max(view.height - HEADER_HEIGHT - footer, ROW_HEIGHT) };
  const widths = columns.map((column) => column.width);
  const total = widths.reduce((sum, width) => sum + width, GUTTER);
  const [first, end] = visibleRows(view.top, extent.viewport, rowCount);
  const shown = visibleColumns(widths, view.left, view.width);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      setView((before) => ({ ...before, width: element.clientWidth, height: element.clientHeight }));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const { onVisible } = props;
  useEffect(() => onVisible(first, end), [onVisible, first, end]);

  useLineUp(scroller, position, extent);

  const onScroll = (): void => {
    const element = scroller.current;
    if (!element) return;
    position.current = follow(position.current, element.scrollTop, extent);
    setView((before) => ({ ...before, top: position.current.top, left: element.scrollLeft }));
  };

  const reveal = useCallback(
    (place: Place): void => {
      const element = scroller.current;
      if (!element) return;
      const top = revealedTop(position.current.top, place.row, extent.viewport);
      const left = revealedLeft(element.scrollLeft, widths, place.column, element.clientWidth);
      position.current = { bar: barOf(top, extent), top };
      element.scrollTop = position.current.bar;
      position.current.bar = element.scrollTop; // the browser rounds
      element.scrollLeft = left;
      setView((before) => ({ ...before, top, left: element.scrollLeft }));
    },
    [extent.content, extent.viewport, widths.join()],
  );

  const go = (place: Place): void => {
    wantsFocus.current = true;
    setActive(place);
    reveal(place);
  };

  useLayoutEffect(() => {
    if (!wantsFocus.current || editing) return;
    const cell = scroller.current?.querySelector<HTMLElement>('[data-active="true"]');
    if (cell && cell !== document.activeElement) cell.focus({ preventScroll: true });
    wantsFocus.current = false;
  });

  const begin = (place: Place, text?: string): void => {
    const row = props.rowAt(place.row);
    const column = columns[place.column];
    if (!row || !column?.isEditable) return;
    setEditing({ ...place, text: text ?? formatCell(row.cells[column.name], column.type) });
  };

  const finish = (outcome: EditEnd, text: string): void => {
    if (!editing) return;
    const row = props.rowAt(editing.row);
    const column = columns[editing.column];
    setEditing(null);
    if (outcome !== "cancel" && row && column) props.onEdit(row, column.name, text);
    if (outcome === "blur") return;
    const step = { cancel: [0, 0], down: [1, 0], right: [0, 1], left: [0, -1] }[outcome];
    go(clamp({ row: editing.row + (step?.[0] ?? 0), column: editing.column + (step?.[1] ?? 0) }, rowCount, columns.length));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (editing || event.nativeEvent.isComposing) return;
    const control = event.ctrlKey || event.metaKey;
    const bounds = { rows: rowCount, columns: columns.length, page: Math.max(Math.floor(extent.viewport / ROW_HEIGHT) - 1, 1) };
    const target = event.altKey ? null : move(active, event.key, control, bounds);
    if (target) {
      event.preventDefault();
      go(target);
    } else if (active.row < 0) onHeaderKey(event);
    else onCellKey(event, control);
  };

  const onHeaderKey = (event: KeyboardEvent): void => {
    const column = columns[active.column];
    if (!column) return;
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      props.onSort(column.name, event.shiftKey);
    } else if (event.altKey && event.key === "ArrowDown") {
      event.preventDefault();
      props.onHeaderMenu(column.name, event.target as HTMLElement);
    } else if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
      event.preventDefault();
      props.onResize(column.name, column.width + (event.key === "ArrowRight" ? 16 : -16));
    }
  };

  const onCellKey = (event: KeyboardEvent, control: boolean): void => {
    const row = props.rowAt(active.row);
    if (!row) return;
    const isText = event.key.length === 1 && !control && !event.altKey;
    if (event.key === " " && !control) props.onSelect(row, event.shiftKey);
    else if (event.key === "Enter" || event.key === "F2") begin(active);
    else if (event.key === "Delete" || event.key === "Backspace") editActive(row, "");
    else if (control && event.key.toLowerCase() === "z") props.onUndo();
    else if (control && event.key.toLowerCase() === "c") copyActive(row);
    else if (isText) begin(active, event.key);
    else return;
    event.preventDefault();
  };

  const editActive = (row: GridRow, text: string): void => {
    const column = columns[active.column];
    if (column?.isEditable) props.onEdit(row, column.name, text);
  };

  const copyActive = (row: GridRow): void => {
    const column = columns[active.column];
    if (column) void navigator.clipboard?.writeText(formatCell(row.cells[column.name], column.type));
  };

  const onPaste = (event: ClipboardEvent): void => {
    if (editing || active.row < 0) return;
    event.preventDefault();
    props.onPaste(active, event.clipboardData.getData("text/plain"));
  };

  const rows: number[] = [];
  for (let index = first; index < end; index += 1) rows.push(index);
  // The row that has the focus stays in the document, wherever it is scrolled to: else focus would fall to the body.
  if (active.row >= 0 && active.row < rowCount && (active.row < first || active.row >= end)) rows.push(active.row);

  return (
    <div
      ref={scroller}
      className="mt-grid"
      role="grid"
      aria-label={props.label}
      aria-rowcount={rowCount + 1}
      aria-colcount={columns.length + 1}
      aria-multiselectable="true"
      onScroll={onScroll}
      onKeyDown={onKeyDown}
      onPaste={onPaste}
    >
      <div className="mt-grid-extent" style={{ width: total, height: scrollHeight(extent) + HEADER_HEIGHT + footer }}>
        <div className="mt-grid-window" style={{ height: view.height, width: total }}>
          <HeaderRow {...props} shown={shown} active={active} onFocus={(column) => go({ row: -1, column })} />
          <div role="rowgroup" className="mt-grid-body">
            {rows.map((index) => (
              <DataRow
                key={index}
                index={index}
                y={index * ROW_HEIGHT - view.top}
                shown={shown}
                active={active}
                editing={editing}
                grid={props}
                onFocus={(place) => go(place)}
                onBegin={begin}
                onFinish={finish}
              />
            ))}
          </div>
          {props.totals && <TotalsRow columns={columns} shown={shown} totals={props.totals} />}
        </div>
      </div>
    </div>
  );
}

/** Put the scroll bar where the rows are, once a movement is over: short ones have moved the rows alone. */
function useLineUp(
  scroller: React.RefObject<HTMLDivElement | null>,
  position: React.RefObject<{ bar: number; top: number }>,
  extent: Extent,
): void {
  useEffect(() => {
    const element = scroller.current;
    if (!element || extent.content <= scrollHeight(extent)) return;
    let timer = 0;
    const later = (): void => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        const bar = barOf(position.current.top, extent);
        if (Math.abs(bar - element.scrollTop) < 2) return;
        position.current.bar = bar;
        element.scrollTop = bar;
        position.current.bar = element.scrollTop;
      }, LINE_UP_DELAY_MS);
    };
    element.addEventListener("scroll", later);
    return () => {
      window.clearTimeout(timer);
      element.removeEventListener("scroll", later);
    };
  }, [scroller, position, extent.content, extent.viewport]);
}

function revealedTop(top: number, row: number, viewport: number): number {
  if (row < 0) return top;
  const start = row * ROW_HEIGHT;
  if (start < top) return start;
  return start + ROW_HEIGHT > top + viewport ? start + ROW_HEIGHT - viewport : top;
}

function revealedLeft(left: number, widths: readonly number[], column: number, width: number): number {
  const start = widths.slice(0, column).reduce((sum, one) => sum + one, 0);
  const own = widths[column] ?? 0;
  if (start < left) return start;
  return start + own > left + width - GUTTER ? start + own - (width - GUTTER) : left;
}

function clamp(place: Place, rows: number, columns: number): Place {
  return { row: Math.min(Math.max(place.row, 0), rows - 1), column: Math.min(Math.max(place.column, 0), columns - 1) };
}

interface Shown {
  first: number;
  end: number;
  offset: number;
}

interface HeaderRowProps extends GridProps {
  shown: Shown;
  active: Place;
  onFocus: (column: number) => void;
}

function HeaderRow({ columns, shown, active, onFocus, onSort, onResize, onHeaderMenu }: HeaderRowProps): ReactNode {
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
              onHeaderMenu(column.name, event.currentTarget);
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
  editing: Editing | null;
  grid: GridProps;
  onFocus: (place: Place) => void;
  onBegin: (place: Place) => void;
  onFinish: (outcome: EditEnd, text: string) => void;
}

function DataRow({ index, y, shown, active, editing, grid, onFocus, onBegin, onFinish }: DataRowProps): ReactNode {
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
            onFocus={() => onFocus(place)}
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
  onFocus: () => void;
  onBegin: () => void;
  children: ReactNode;
}

function DataCell({ column, place, row, state, isActive, onFocus, onBegin, children }: DataCellProps): ReactNode {
  const text = state?.text ?? (row ? formatCell(row.cells[column.name], column.type) : "");
  const isNumber = column.type === "integer" || column.type === "decimal";
  const classes = ["mt-grid-cell"];
  if (isNumber) classes.push("mt-number");
  if (!row) classes.push("mt-loading");
  if (state?.state) classes.push(`mt-cell-${state.state}`);
  return (
    <div
      role="gridcell"
      aria-colindex={place.column + 2}
      aria-readonly={!column.isEditable}
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
        onFocus();
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

function TotalsRow({ columns, shown, totals }: TotalsRowProps): ReactNode {
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
