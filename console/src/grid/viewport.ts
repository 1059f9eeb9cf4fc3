import { type RefObject, useCallback, useEffect, useRef, useState } from "react";

export interface Place {
  row: number;
  column: number;
}

/** Return where a key leads from `place`, or null where it is no key of movement; with Ctrl to the end that way. */
export function move(
  place: Place,
  key: string,
  control: boolean,
  bounds: { rows: number; columns: number; page: number },
): Place | null {
  const [lastRow, lastColumn] = [bounds.rows - 1, bounds.columns - 1];
  const to = (down: number, right: number): Place => ({
    row: Math.min(Math.max(down, -1), lastRow),
    column: Math.min(Math.max(right, 0), lastColumn),
  });
  const { row, column } = place;
  const places: Record<string, Place> = {
    ArrowUp: to(control ? 0 : row - 1, column),
    ArrowDown: to(control ? lastRow : row + 1, column),
    ArrowLeft: to(row, control ? 0 : column - 1),
    ArrowRight: to(row, control ? lastColumn : column + 1),
    PageUp: to(Math.max(row - bounds.page, 0), column),
    PageDown: to(row + bounds.page, column),
    Home: to(control ? 0 : row, 0),
    End: to(control ? lastRow : row, lastColumn),
  };
  return places[key] ?? null;
}

/** A block of cells, both ends within it. */
export interface Range {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** Return the block between two cells, whichever comes first. */
export function rangeOf(anchor: Place, active: Place): Range {
  return {
    top: Math.min(anchor.row, active.row),
    bottom: Math.max(anchor.row, active.row),
    left: Math.min(anchor.column, active.column),
    right: Math.max(anchor.column, active.column),
  };
}

export function isInRange({ top, bottom, left, right }: Range, row: number, column: number): boolean {
  return row >= top && row <= bottom && column >= left && column <= right;
}

/**
 * Return what stands in each cell when `cells` are pasted into `range`: from its first cell on, beyond it where there
 * are more of them; one cell alone fills the whole range, as in a spreadsheet.
 */
export function spread(cells: readonly (readonly string[])[], range: Range): readonly (readonly string[])[] {
  const only = cells.length === 1 && cells[0]?.length === 1 ? cells[0][0] : undefined;
  if (only === undefined) return cells;
  const row = Array<string>(range.right - range.left + 1).fill(only);
  return Array<string[]>(range.bottom - range.top + 1).fill(row);
}

// A browser caps an element's height (33.5 million px in Chromium, 17.9 in Firefox), and so a million rows of
// 32 px do not fit. The scrolled element is capped, and its position is mapped onto the rows: small movements
// (a wheel, a key) move by pixels, long ones (the scroll bar) by proportion.

export const ROW_HEIGHT = 32; // where a text is of 16 px: it grows with the text
const MAX_SCROLL_HEIGHT = 15_000_000;

interface Extent {
  /** Height of all rows in px, as it would be without a cap. */
  content: number;
  /** Height of the part that shows rows, in px. */
  viewport: number;
}

/** Return the height of the scrolled element. */
function scrollHeight({ content, viewport }: Extent): number {
  return Math.max(Math.min(content, MAX_SCROLL_HEIGHT), viewport);
}

/** Return how many px of rows one px of the scroll bar stands for. */
function scrollScale(extent: Extent): number {
  const bar = scrollHeight(extent) - extent.viewport;
  const rows = Math.max(extent.content - extent.viewport, 0);
  return bar > 0 ? rows / bar : 1;
}

/** Where the scroll bar stands, and where the rows do, in px. */
type Position = { bar: number; top: number };

/** Return the position after the bar has moved to `bar`. */
function follow(before: Position, bar: number, extent: Extent): Position {
  const scale = scrollScale(extent);
  const last = Math.max(extent.content - extent.viewport, 0);
  const end = scrollHeight(extent) - extent.viewport;
  if (bar <= 0) return { bar, top: 0 };
  if (bar >= end) return { bar, top: last };
  const moved = bar - before.bar;
  const isShort = scale > 1 && Math.abs(moved) <= extent.viewport;
  const top = isShort ? before.top + moved : bar * scale;
  return { bar, top: Math.min(Math.max(top, 0), last) };
}

/** Return where the bar belongs when the rows stand at `top`. */
function barOf(top: number, extent: Extent): number {
  return top / scrollScale(extent);
}

const OVERSCAN = 6; // rows more on each side

/** Return the rows that show at `top`, and a few more: first, and one past the last. */
function visibleRows(top: number, viewport: number, rowCount: number, rowHeight: number): [number, number] {
  const first = Math.max(Math.floor(top / rowHeight) - OVERSCAN, 0);
  const end = Math.min(Math.ceil((top + viewport) / rowHeight) + OVERSCAN, rowCount);
  return [first, Math.max(end, first)];
}

/** Return the columns that show between `left` and `left + width`, and where the first one begins. */
export function visibleColumns(widths: readonly number[], frozen: number, left: number, width: number) {
  const covered = sumOf(widths.slice(0, frozen));
  let [first, offset] = [frozen, 0];
  while (first < widths.length - 1 && offset + (widths[first] ?? 0) < left - 200) {
    offset += widths[first] ?? 0;
    first += 1;
  }
  let [end, at] = [first, covered + offset];
  while (end < widths.length && at < left + width + 200) {
    at += widths[end] ?? 0;
    end += 1;
  }
  return { first, end, offset, frozen };
}

function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one, 0);
}

const GUTTER = 72; // as in styles.css, in rem there
const HEADER_HEIGHT = 40;
const TEXT = 16;

/** How many px a measure takes under the reader's own size of text. */
function scaled(measure: number): number {
  return (measure * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)) / TEXT;
}

/** What of a grid is in sight, and how it is scrolled: rows of a fixed height, columns of these widths. */
export function useViewport(rowCount: number, widths: readonly number[], frozen: number, height: number) {
  const rowHeight = scaled(height);
  const [header, gutter] = [scaled(HEADER_HEIGHT), scaled(GUTTER)];
  const scroller = useRef<HTMLDivElement>(null);
  const foot = useRef<HTMLDivElement>(null);
  const position = useRef({ bar: 0, top: 0 });
  const [view, setView] = useState({ top: 0, left: 0, width: 800, height: 400, foot: scaled(ROW_HEIGHT) });
  const extent: Extent = {
    content: rowCount * rowHeight,
    viewport: Math.max(view.height - header - view.foot, rowHeight),
  };

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      const { clientWidth: width, clientHeight: height } = element;
      // As high as its longest total takes, whatever the width of its column
      setView((before) => ({ ...before, width, height, foot: foot.current?.offsetHeight ?? before.foot }));
    });
    observer.observe(element);
    if (foot.current) observer.observe(foot.current);
    return () => observer.disconnect();
  }, []);

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
      const top = revealedTop(position.current.top, place.row * rowHeight, rowHeight, extent.viewport);
      const left = revealedLeft(element.scrollLeft, widths, frozen, place.column, element.clientWidth - gutter);
      position.current = { bar: barOf(top, extent), top };
      element.scrollTop = position.current.bar;
      position.current.bar = element.scrollTop; // the browser rounds
      element.scrollLeft = left;
      setView((before) => ({ ...before, top, left: element.scrollLeft }));
    },
    [extent.content, extent.viewport, widths.join(), frozen, rowHeight],
  );

  const rows = visibleRows(view.top, extent.viewport, rowCount, rowHeight);
  const columns = visibleColumns(widths, frozen, view.left, view.width);
  const whole = { height: scrollHeight(extent) + header + view.foot, width: gutter + sumOf(widths) };
  const { top, height: shown } = view;
  return { scroller, foot, extent, rowHeight, whole, rows, columns, top, height: shown, onScroll, reveal };
}

export type Viewport = ReturnType<typeof useViewport>;

/** Put the scroll bar where the rows are, once a movement is over: short ones have moved the rows alone. */
function useLineUp(
  scroller: RefObject<HTMLDivElement | null>,
  position: RefObject<{ bar: number; top: number }>,
  extent: Extent,
): void {
  useEffect(() => {
    const element = scroller.current;
    if (!element || extent.content <= scrollHeight(extent)) return;
    const lineUp = (): void => {
      const bar = barOf(position.current.top, extent);
      if (Math.abs(bar - element.scrollTop) < 2) return;
      position.current.bar = bar;
      element.scrollTop = bar;
      position.current.bar = element.scrollTop;
    };
    element.addEventListener("scrollend", lineUp);
    return () => element.removeEventListener("scrollend", lineUp);
  }, [scroller, position, extent.content, extent.viewport]);
}

function revealedTop(top: number, start: number, rowHeight: number, viewport: number): number {
  if (start < 0) return top;
  if (start < top) return start;
  return start + rowHeight > top + viewport ? start + rowHeight - viewport : top;
}

function revealedLeft(left: number, widths: readonly number[], frozen: number, column: number, width: number): number {
  if (column < frozen) return left;
  const [start, covered] = [sumOf(widths.slice(0, column)), sumOf(widths.slice(0, frozen))];
  const own = widths[column] ?? 0;
  if (start < left + covered) return start - covered;
  return start + own > left + width ? start + own - width : left;
}
