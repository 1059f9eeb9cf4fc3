import { Store } from "../ui/store";

export interface Place {
  row: number;
  column: number;
}

interface Bounds {
  rows: number;
  columns: number;
  page: number;
}

/** Return where a key leads from `place`, or null where it is no key of movement; with Ctrl to the end that way. */
export function move(place: Place, key: string, control: boolean, bounds: Bounds): Place | null {
  const [lastRow, lastColumn] = [bounds.rows - 1, bounds.columns - 1];
  const to = (row: number, column: number): Place => ({
    row: Math.min(Math.max(row, -1), lastRow),
    column: Math.min(Math.max(column, 0), lastColumn),
  });
  switch (key) {
    case "ArrowUp":
      return to(control ? 0 : place.row - 1, place.column);
    case "ArrowDown":
      return to(control ? lastRow : place.row + 1, place.column);
    case "ArrowLeft":
      return to(place.row, control ? 0 : place.column - 1);
    case "ArrowRight":
      return to(place.row, control ? lastColumn : place.column + 1);
    case "PageUp":
      return to(Math.max(place.row - bounds.page, 0), place.column);
    case "PageDown":
      return to(place.row + bounds.page, place.column);
    case "Home":
      return to(control ? 0 : place.row, 0);
    case "End":
      return to(control ? lastRow : place.row, lastColumn);
    default:
      return null;
  }
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

/** What the model must know of the table: its size, and what stands in a cell (null where its row is not here). */
interface Sheet {
  /** How many rows can have the focus: those of the table, and an empty one where there may be new ones. */
  rows: number;
  /** How many of them are the table's. */
  data: number;
  columns: number;
  /** How many rows a page of the screen holds. */
  page: number;
  isEditable: (place: Place) => boolean;
  textAt: (place: Place) => string | null;
}

interface KeyPress {
  key: string;
  control: boolean;
  shift: boolean;
  alt: boolean;
}

export type GridEvent =
  | ({ kind: "key" } & KeyPress)
  | { kind: "focus"; place: Place; extend: boolean }
  | { kind: "begin"; place: Place }
  | { kind: "finish"; outcome: EditEnd; text: string | null }
  | { kind: "moved"; row: number };

export type Command =
  | { do: "reveal"; place: Place }
  | { do: "edit"; place: Place; text: string }
  | { do: "clear"; range: Range }
  | { do: "copy" | "cut" | "fill"; range: Range }
  | { do: "paste"; range: Range; text: string }
  | { do: "undo" | "redo" | "search" | "help" }
  | { do: "discard"; place: Place }
  | { do: "sort"; column: number; add: boolean }
  | { do: "menu"; column: number }
  | { do: "resize"; column: number; by: number }
  | { do: "select"; row: number; extend: boolean };

interface Step {
  state: GridState;
  commands: readonly Command[];
  /** Whether the event was one of the grid's, and not the browser's. */
  isTaken: boolean;
}

const START: GridState = { active: { row: -1, column: 0 }, anchor: null, editing: null };
const RESIZE_STEP = 16;

export function rangeIn({ active, anchor }: GridState): Range {
  return rangeOf(anchor ?? active, active);
}

/** Return what an event makes of a state. */
function step(state: GridState, event: GridEvent, sheet: Sheet): Step {
  switch (event.kind) {
    case "key":
      return state.editing ? ignored(state) : pressed(state, event, sheet);
    case "focus":
      return to(state, event.place, event.extend);
    case "begin":
      return begun(state, event.place, sheet);
    case "finish":
      return finished(state, event.outcome, event.text, sheet);
    case "moved":
      return taken({ ...state, active: { ...state.active, row: event.row } });
  }
}

function taken(state: GridState, ...commands: Command[]): Step {
  return { state, commands, isTaken: true };
}

function ignored(state: GridState): Step {
  return { state, commands: [], isTaken: false };
}

function to(state: GridState, place: Place, extend: boolean): Step {
  const isRange = extend && place.row >= 0 && state.active.row >= 0;
  const anchor = isRange ? (state.anchor ?? state.active) : null;
  return taken({ ...state, active: place, anchor }, { do: "reveal", place });
}

function begun(state: GridState, place: Place, sheet: Sheet, typed?: string): Step {
  const text = sheet.textAt(place);
  if (text === null || !sheet.isEditable(place)) return taken(state);
  return taken({
    ...state,
    active: place,
    anchor: null,
    editing: { ...place, text: typed ?? text, isTyped: typed !== undefined },
  });
}

const STEPS: Record<EditEnd, readonly [number, number]> = {
  cancel: [0, 0],
  blur: [0, 0],
  down: [1, 0],
  up: [-1, 0],
  right: [0, 1],
  left: [0, -1],
};

function finished(state: GridState, outcome: EditEnd, text: string | null, sheet: Sheet): Step {
  const { editing } = state;
  if (!editing) return ignored(state);
  const place = { row: editing.row, column: editing.column };
  const closed = { ...state, editing: null };
  const kept: Command[] = text === null ? [] : [{ do: "edit", place, text }];
  if (outcome === "cancel") kept.splice(0, 1, { do: "discard", place });
  if (outcome === "blur") return taken(closed, ...kept);
  const [down, right] = STEPS[outcome];
  const next = {
    row: clamp(place.row + down, sheet.rows),
    column: clamp(place.column + right, sheet.columns),
  };
  const moved = to(closed, next, false);
  return { ...moved, commands: [...kept, ...moved.commands] };
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}

function pressed(state: GridState, press: KeyPress, sheet: Sheet): Step {
  const bounds = press.control && sheet.data > 0 ? { ...sheet, rows: sheet.data } : sheet;
  const target = press.alt ? null : move(state.active, press.key, press.control, bounds);
  if (target) return to(state, target, press.shift);
  if (press.key === "/" && !press.control) return taken(state, { do: "search" });
  if (press.key === "?") return taken(state, { do: "help" });
  return state.active.row < 0 ? onHeader(state, press) : onCell(state, press, sheet);
}

function onHeader(state: GridState, { key, shift, alt }: KeyPress): Step {
  const { column } = state.active;
  if (key === "Enter" || key === " ") return taken(state, { do: "sort", column, add: shift });
  if (alt && key === "ArrowDown") return taken(state, { do: "menu", column });
  if (alt && key === "ArrowRight") return taken(state, { do: "resize", column, by: RESIZE_STEP });
  if (alt && key === "ArrowLeft") return taken(state, { do: "resize", column, by: -RESIZE_STEP });
  return ignored(state);
}

function onCell(state: GridState, press: KeyPress, sheet: Sheet): Step {
  const { active } = state;
  const range = rangeIn(state);
  if (press.control) return withControl(state, press, sheet);
  switch (press.key) {
    case " ":
      return taken(state, { do: "select", row: active.row, extend: press.shift });
    case "Enter":
    case "F2":
      return begun(state, active, sheet);
    case "Delete":
    case "Backspace":
      return taken(state, { do: "clear", range });
    case "Escape":
      return taken({ ...state, anchor: null }, { do: "discard", place: active });
    default:
      return press.key.length === 1 && !press.alt ? begun(state, active, sheet, press.key) : ignored(state);
  }
}

function withControl(state: GridState, { key, shift }: KeyPress, sheet: Sheet): Step {
  const range = rangeIn(state);
  switch (key.toLowerCase()) {
    case "z":
      return taken(state, { do: shift ? "redo" : "undo" });
    case "y":
      return taken(state, { do: "redo" });
    case "c":
      return taken(state, { do: "copy", range });
    case "x":
      return taken(state, { do: "cut", range });
    case "d":
      return taken(state, { do: "fill", range });
    case "a": {
      const last = { row: Math.max(sheet.data - 1, 0), column: sheet.columns - 1 };
      return taken({ ...state, anchor: { row: 0, column: 0 }, active: last });
    }
    default:
      return ignored(state);
  }
}

/** A grid's state and the way events reach it; whoever shows the grid says what it holds, and runs its commands. */
export class GridControl {
  readonly state = new Store<GridState>(START);
  sheet!: Sheet; // said by each drawing of the grid, before any event
  run: (command: Command) => void = () => {};

  /** Take an event; false where it is none of the grid's. */
  readonly dispatch = (event: GridEvent): boolean => {
    const next = step(this.state.get(), event, this.sheet);
    this.state.set(next.state);
    for (const command of next.commands) this.run(command);
    return next.isTaken;
  };
}
