// A browser caps an element's height (33.5 million px in Chromium, 17.9 in Firefox), and so a million rows of
// 32 px do not fit. The scrolled element is capped, and its position is mapped onto the rows: small movements
// (a wheel, a key) move by pixels, long ones (the scroll bar) by proportion.

export const ROW_HEIGHT = 32; // where a text is of 16 px: it grows with the text (viewport.ts)
export const MAX_SCROLL_HEIGHT = 15_000_000;

export interface Extent {
  /** Height of all rows in px, as it would be without a cap. */
  content: number;
  /** Height of the part that shows rows, in px. */
  viewport: number;
}

/** Return the height of the scrolled element. */
export function scrollHeight({ content, viewport }: Extent): number {
  return Math.max(Math.min(content, MAX_SCROLL_HEIGHT), viewport);
}

/** Return how many px of rows one px of the scroll bar stands for. */
export function scrollScale(extent: Extent): number {
  const bar = scrollHeight(extent) - extent.viewport;
  const rows = Math.max(extent.content - extent.viewport, 0);
  return bar > 0 ? rows / bar : 1;
}

export interface Position {
  /** Where the scroll bar stands, in px. */
  bar: number;
  /** Where the rows stand, in px. */
  top: number;
}

/** Return the position after the bar has moved to `bar`. */
export function follow(before: Position, bar: number, extent: Extent): Position {
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
export function barOf(top: number, extent: Extent): number {
  return top / scrollScale(extent);
}

/** Return the rows that show at `top`, with `overscan` more on each side: first, and one past the last. */
export function visibleRows(
  top: number,
  viewport: number,
  rowCount: number,
  rowHeight = ROW_HEIGHT,
  overscan = 6,
): [number, number] {
  const first = Math.max(Math.floor(top / rowHeight) - overscan, 0);
  const end = Math.min(Math.ceil((top + viewport) / rowHeight) + overscan, rowCount);
  return [first, Math.max(end, first)];
}

/** Return the columns that show between `left` and `left + width`, and where the first one begins. */
export function visibleColumns(
  widths: readonly number[],
  frozen: number,
  left: number,
  width: number,
): { first: number; end: number; offset: number; frozen: number } {
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

export function sumOf(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one, 0);
}
