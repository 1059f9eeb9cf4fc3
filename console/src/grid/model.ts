import { Store } from "../ui/store";
import type { SheetCommands } from "./commands";

export interface Place {
  row: number;
  column: number;
}

/** Return where a key leads from `place`, or null where it is no key of movement; with Ctrl to the end that way. */
function move(
  place: Place,
  key: string,
  control: boolean,
  bounds: Pick<Extent, "rows" | "columns" | "page">,
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

export function isOneCell({ top, bottom, left, right }: Range): boolean {
  return top === bottom && left === right;
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

// What the keys and the mouse do to a grid, without the grid: a state, an event, the next state and what is to be done.

/** How an edit ends: kept and moving on, kept where the focus went elsewhere, or given up. */
export type EditEnd = "cancel" | "down" | "up" | "right" | "left" | "blur";

interface Editing extends Place {
  text: string;
  /** Whether the text was typed over what stood there. */
  isTyped: boolean;
}

export interface GridState {
  active: Place;
  /** Where a range began that ends at the active cell. */
  anchor: Place | null;
  editing: Editing | null;
}

/** What the control must know of the table. */
interface Extent {
  /** How many rows can have the focus: those of the table, and an empty one where there may be new ones. */
  rows: number;
  /** How many of them are the table's. */
  data: number;
  columns: number;
  /** How many rows a page of the screen holds. */
  page: number;
  /** What stands in a cell; null where its row is not here, or may not be edited. */
  textAt: (place: Place) => string | null;
}

type KeyPress = Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey">;
type Reaction = (() => unknown) | undefined;

const RESIZE_STEP = 16;
const STEPS = { cancel: [0, 0], down: [1, 0], up: [-1, 0], right: [0, 1], left: [0, -1] } as const;

export function rangeIn({ active, anchor }: GridState): Range {
  return rangeOf(anchor ?? active, active);
}

/** A grid's state, and what keys and mouse make of it; each drawing of the grid says first what it holds. */
export class GridControl {
  readonly state = new Store<GridState>({ active: { row: -1, column: 0 }, anchor: null, editing: null });
  extent!: Extent;
  commands!: SheetCommands;
  reveal: (place: Place) => void = () => {};

  readonly focus = (place: Place, extend = false): void => {
    const { active, anchor } = this.state.get();
    const isRange = extend && place.row >= 0 && active.row >= 0;
    this.state.update({ active: place, anchor: isRange ? (anchor ?? active) : null });
    this.reveal(place);
  };

  /** Follow the active row to where it is now. */
  readonly move = (row: number): void => {
    this.state.update({ active: { ...this.state.get().active, row } });
  };

  readonly begin = (place: Place, typed?: string): void => {
    const text = this.extent.textAt(place);
    if (text === null) return;
    const editing = { ...place, text: typed ?? text, isTyped: typed !== undefined };
    this.state.update({ active: place, anchor: null, editing });
  };

  readonly finish = (end: EditEnd, text: string | null): void => {
    const { editing } = this.state.get();
    if (!editing) return;
    const { row, column } = editing;
    this.state.update({ editing: null });
    if (end === "cancel") this.commands.discard({ row, column });
    else if (text !== null) this.commands.edit({ row, column }, text);
    if (end === "blur") return;
    const [down, right] = STEPS[end];
    this.focus({ row: clamp(row + down, this.extent.rows), column: clamp(column + right, this.extent.columns) });
  };

  /** Take a key; false where it is the browser's. */
  readonly press = (press: KeyPress): boolean => {
    const reaction = this.state.get().editing ? undefined : this.reactionTo(press);
    reaction?.();
    return reaction !== undefined;
  };

  private reactionTo({ key, shiftKey: shift, altKey: alt, ctrlKey, metaKey }: KeyPress): Reaction {
    const control = ctrlKey || metaKey;
    const { extent, commands } = this;
    const { active } = this.state.get();
    const range = rangeIn(this.state.get());
    const last = { row: Math.max(extent.data - 1, 0), column: extent.columns - 1 };
    const bounds = control && extent.data > 0 ? { ...extent, rows: extent.data } : extent;
    const target = alt ? null : move(active, key, control, bounds);
    if (target) return () => this.focus(target, shift);
    const pressed = `${control ? "Ctrl+" : ""}${alt ? "Alt+" : ""}${control ? key.toLowerCase() : key}`;
    const always: Record<string, Reaction> = { "/": commands.search, "?": commands.help };
    const onHeader: Record<string, Reaction> = {
      Enter: () => commands.sort(active.column, shift),
      " ": () => commands.sort(active.column, shift),
      "Alt+ArrowDown": () => commands.menu(active.column),
      "Alt+ArrowRight": () => commands.resize(active.column, RESIZE_STEP),
      "Alt+ArrowLeft": () => commands.resize(active.column, -RESIZE_STEP),
    };
    const onCell: Record<string, Reaction> = {
      " ": () => commands.select(active.row, shift),
      Enter: () => this.begin(active),
      F2: () => this.begin(active),
      Delete: () => commands.clear(range),
      Backspace: () => commands.clear(range),
      Escape: () => {
        this.state.update({ anchor: null });
        commands.discard(active);
      },
      "Ctrl+z": shift ? commands.redo : commands.undo,
      "Ctrl+y": commands.redo,
      "Ctrl+c": () => commands.copy(range),
      "Ctrl+x": () => commands.cut(range),
      "Ctrl+d": () => commands.fill(range),
      "Ctrl+a": () => this.state.update({ anchor: { row: 0, column: 0 }, active: last }),
    };
    const isTyped = key.length === 1 && !control && !alt && active.row >= 0;
    const reaction = { ...(active.row < 0 ? onHeader : onCell), ...always }[pressed];
    return reaction ?? (isTyped ? () => this.begin(active, key) : undefined);
  }
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
