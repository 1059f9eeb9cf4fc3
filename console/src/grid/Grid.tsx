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
import { type Cell, formatCell, toClipboard } from "../values/cells";
import type { EditEnd } from "./CellEditor";
import { DataRow, HeaderRow, TotalsRow } from "./GridRows";
import { move, type Place } from "./keys";
import { isOneCell, type Range, rangeOf } from "./range";
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
  /** Where a row of this id is, or -1. */
  indexOf: (id: string) => number;
  cellState: (row: GridRow, column: string) => CellState | undefined;
  selected: ReadonlySet<string>;
  totals?: ReadonlyMap<string, string> | undefined;
  onVisible: (first: number, end: number) => void;
  onSort: (column: string, add: boolean) => void;
  onResize: (column: string, width: number) => void;
  onHeaderMenu: (column: string) => void;
  onEdit: (row: GridRow, column: string, text: string) => void;
  /** Texts for the cells of a range: pasted, or emptied. */
  onPaste: (range: Range, text: string) => void;
  onTooManyToCopy: () => void;
  /** Hears which row has the focus; null where none has. */
  onRow: (id: string | null) => void;
  onSelect: (row: GridRow, extend: boolean) => void;
  onOpenRow: (row: GridRow) => void;
  onUndo: () => void;
}

export interface Editing extends Place {
  text: string;
}

/** A grid of any number of rows: only what shows is in the document, one cell has the focus. */
export function Grid(props: GridProps): ReactNode {
  const { columns, rowCount } = props;
  const scroller = useRef<HTMLDivElement>(null);
  const position = useRef({ bar: 0, top: 0 });
  const [view, setView] = useState({ top: 0, left: 0, width: 800, height: 400 });
  const [active, setActive] = useState<Place>({ row: -1, column: 0 });
  const [anchor, setAnchor] = useState<Place | null>(null); // where a range began that ends at the active cell
  const [editing, setEditing] = useState<Editing | null>(null);
  const wantsFocus = useRef(false);
  const hasFocus = useRef(false); // whether a cell has the focus, or had it when its row went
  const footer = props.totals ? ROW_HEIGHT : 0;
  const extent: Extent = {
    content: rowCount * ROW_HEIGHT,
    viewport: Math.max(view.height - HEADER_HEIGHT - footer, ROW_HEIGHT),
  };
  const widths = columns.map((column) => column.width);
  const total = widths.reduce((sum, width) => sum + width, GUTTER);
  const range = rangeOf(anchor ?? active, active);
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

  const go = (place: Place, extend = false): void => {
    wantsFocus.current = true;
    setAnchor(extend && place.row >= 0 && active.row >= 0 ? (anchor ?? active) : null);
    setActive(place);
    reveal(place);
  };

  const activeId = active.row < 0 ? null : (props.rowAt(active.row)?.id ?? null);
  const heldId = useRef<string | null>(null);
  const held = useRef(active);
  useEffect(() => {
    // Rows that come anew may stand elsewhere: the focus stays with its row, not with its place.
    const isMoved = held.current === active && heldId.current !== null && heldId.current !== activeId;
    const now = isMoved && heldId.current !== null ? props.indexOf(heldId.current) : -1;
    const row = now >= 0 ? now : Math.min(active.row, rowCount - 1);
    if (row !== active.row && rowCount > 0) {
      wantsFocus.current = hasFocus.current;
      setActive({ ...active, row });
      return;
    }
    if (held.current !== active || activeId !== null) heldId.current = activeId; // its row may not be here yet
    held.current = active;
    props.onRow(activeId);
  }, [activeId, active, rowCount]);

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
    go(
      clamp(
        { row: editing.row + (step?.[0] ?? 0), column: editing.column + (step?.[1] ?? 0) },
        rowCount,
        columns.length,
      ),
    );
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (editing || event.nativeEvent.isComposing) return;
    const control = event.ctrlKey || event.metaKey;
    const bounds = {
      rows: rowCount,
      columns: columns.length,
      page: Math.max(Math.floor(extent.viewport / ROW_HEIGHT) - 1, 1),
    };
    const target = event.altKey ? null : move(active, event.key, control, bounds);
    if (target) {
      event.preventDefault();
      go(target, event.shiftKey);
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
      props.onHeaderMenu(column.name);
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
    else if (event.key === "Delete" || event.key === "Backspace") props.onPaste(range, "");
    else if (event.key === "Escape") setAnchor(null);
    else if (control && event.key.toLowerCase() === "z") props.onUndo();
    else if (control && event.key.toLowerCase() === "c") copy();
    else if (isText) begin(active, event.key);
    else return;
    event.preventDefault();
  };

  const copy = (): void => {
    const copied = textsOf(props, range);
    if (copied) void navigator.clipboard?.writeText(toClipboard(copied));
    else props.onTooManyToCopy();
  };

  const onPaste = (event: ClipboardEvent): void => {
    if (editing || active.row < 0) return;
    event.preventDefault();
    props.onPaste(range, event.clipboardData.getData("text/plain"));
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
      onBlur={(event) => {
        if (event.currentTarget.contains(event.relatedTarget)) return;
        hasFocus.current = false;
        props.onRow(null);
      }}
      onFocus={() => {
        hasFocus.current = true;
        props.onRow(activeId);
      }}
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
                range={isOneCell(range) ? null : range}
                editing={editing}
                grid={props}
                onFocus={go}
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

/** Return the texts of a range, or null where some of its rows are not here. */
function textsOf({ columns, rowAt, cellState }: GridProps, range: Range): string[][] | null {
  const texts: string[][] = [];
  for (let index = range.top; index <= range.bottom; index += 1) {
    const row = rowAt(index);
    if (!row) return null;
    const shown = columns.slice(range.left, range.right + 1);
    texts.push(shown.map(({ name, type }) => cellState(row, name)?.text ?? formatCell(row.cells[name], type)));
  }
  return texts;
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
