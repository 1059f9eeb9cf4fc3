import { type RefObject, useCallback, useEffect, useRef, useState } from "react";
import type { Place } from "./keys";
import { barOf, type Extent, follow, ROW_HEIGHT, scrollHeight, sumOf, visibleColumns, visibleRows } from "./scroll";

const GUTTER = 72; // as in styles.css, in rem there
const HEADER_HEIGHT = 40;
const TEXT = 16;

/** The columns in sight, and where the first of them begins. */
export interface Shown {
  first: number;
  end: number;
  offset: number;
  /** How many stay in sight at the left. */
  frozen: number;
}

/** How many px a measure takes under the reader's own size of text. */
function scaled(measure: number): number {
  return (measure * Number.parseFloat(getComputedStyle(document.documentElement).fontSize)) / TEXT;
}

export interface Viewport {
  rowHeight: number;
  /** Height of the scrolled element, and width. */
  whole: { height: number; width: number };
  scroller: RefObject<HTMLDivElement | null>;
  extent: Extent;
  /** The rows in sight: first, and one past the last. */
  rows: readonly [number, number];
  columns: Shown;
  top: number;
  height: number;
  onScroll: () => void;
  reveal: (place: Place) => void;
}

/** What of a grid is in sight, and how it is scrolled: rows of a fixed height, columns of these widths. */
export function useViewport(rowCount: number, widths: readonly number[], frozen: number, height: number): Viewport {
  const [rowHeight, foot] = [scaled(height), scaled(ROW_HEIGHT)];
  const [header, gutter] = [scaled(HEADER_HEIGHT), scaled(GUTTER)];
  const scroller = useRef<HTMLDivElement>(null);
  const position = useRef({ bar: 0, top: 0 });
  const [view, setView] = useState({ top: 0, left: 0, width: 800, height: 400 });
  const extent: Extent = {
    content: rowCount * rowHeight,
    viewport: Math.max(view.height - header - foot, rowHeight),
  };

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      setView((before) => ({ ...before, width: element.clientWidth, height: element.clientHeight }));
    });
    observer.observe(element);
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
  const whole = {
    height: scrollHeight(extent) + header + foot,
    width: gutter + sumOf(widths),
  };
  return { scroller, extent, rowHeight, whole, rows, columns, top: view.top, height: view.height, onScroll, reveal };
}

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
