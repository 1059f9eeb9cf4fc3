import type { RecordOfRow, Table } from "../api/types";
import { choicesOf, chosenBy } from "../rules/choices";
import { t } from "../ui/language";
import { Store } from "../ui/store";
import { formatCell, putOnClipboard, toClipboard } from "../values/cells";
import { formatCount } from "../values/numbers";
import { choiceOf } from "./CellField";
import { ColumnMenu } from "./ColumnMenu";
import { readTexts } from "./changes";
import type { CellOf, EditEnd, Editing } from "./editing";
import type { FootRow } from "./edits";
import { KeysDialog } from "./KeysDialog";
import { RowDialog } from "./RowDialog";
import { NEW_ROW } from "./rows";
import { markOf, type SheetParts } from "./sheet";
import { type GridColumn, toggleSort } from "./view";
import { move, type Place, type Range, rangeOf, type Viewport } from "./viewport";

interface GridState {
  active: Place;
  /** Where a range began that ends at the active cell. */
  anchor: Place | null;
  editing: Editing | null;
}

export function rangeIn({ active, anchor }: GridState): Range {
  return rangeOf(anchor ?? active, active);
}

/** What a grid is drawn by. */
export interface GridParts {
  sheet: SheetParts;
  columns: readonly GridColumn[];
  /** How many rows can have the focus: those of the table, and an empty one where there may be new ones. */
  rows: number;
  /** How many of them are the table's. */
  data: number;
  port: Viewport;
  state: GridState;
  control: GridControl;
}

type KeyPress = Pick<KeyboardEvent, "key" | "shiftKey" | "altKey" | "ctrlKey" | "metaKey">;
type Reaction = (() => unknown) | undefined;

export type SelectionWay = "only" | "toggle" | "extend";

/** The id of the search above a grid. */
export const SEARCH_FIELD = "mt-search-rows";

const STEPS = { cancel: [0, 0], down: [1, 0], up: [-1, 0], right: [0, 1], left: [0, -1] } as const;
const MAX_SELECTED = 1_000; // of one deletion
const MAX_COPIED_ROWS = 5_000;

/** A grid's state, and what keys and mouse do to it and its sheet; each drawing of the grid says first what it holds. */
export class GridControl {
  readonly state = new Store<GridState>({ active: { row: -1, column: 0 }, anchor: null, editing: null });
  drawn!: GridParts;
  /** Whether the active cell is to have the focus once it is drawn. */
  wantsFocus = false;
  /** What is written cell by cell at the foot, until that is left by another way than Tab. */
  coming: FootRow | null = null;
  /** Whether the person has gone to a cell since the grid, or a dialog over it, was left. */
  isAtWork = false;
  private lastSelected = 0;

  readonly focus = (place: Place, extend = false, wantsFocus = true): void => {
    const { active, anchor } = this.state.get();
    if (place.row !== this.drawn.data) this.coming = null;
    const isRange = extend && place.row >= 0 && active.row >= 0;
    this.state.update({ active: place, anchor: isRange ? (anchor ?? active) : null });
    this.wantsFocus = wantsFocus;
    this.isAtWork = true;
    this.drawn.port.reveal(place);
  };

  readonly begin = (place: Place, typed?: string): void => {
    const { sheet, columns, data } = this.drawn;
    const [record, column] = [place.row === data ? null : sheet.rows.rowAt(place.row), columns[place.column]];
    if (!sheet.isEditable || !column || record === undefined) return; // its row is not here
    const mark = markOf(sheet, record ?? NEW_ROW, column.name);
    const written = typed ?? (mark?.state === "saving" ? undefined : mark?.text); // what was not taken is to be tried again
    const said = written === undefined ? undefined : saidBy(sheet.table, column, written);
    const isTyped = said !== undefined;
    const text = isTyped ? said : textOf(sheet, record ?? NEW_ROW, column);
    const begun = { foot: sheet.edits.standing, coming: this.coming };
    const editing = { ...place, record, name: column.name, ...begun, text, isTyped };
    sheet.edits.isWriting = true;
    this.state.update({ active: place, anchor: null, editing });
  };

  /** End the edit by this text, or null where it was not changed. */
  readonly finish = (end: EditEnd, text: string | null): void => {
    const { editing, active } = this.state.get();
    if (!editing) return;
    this.drawn.sheet.edits.isWriting = false;
    this.state.update({ editing: null });
    if (text !== null && end !== "cancel") this.edit(editing, text);
    else if (end === "cancel" && (editing.record || editing.foot))
      this.drawn.sheet.edits.discard(editing.record ?? NEW_ROW, editing.name);
    if (end === "blur") return;
    const { rows, columns } = this.drawn;
    const [down, right] = STEPS[end];
    if (down > 0) this.coming = null; // the next row
    this.focus({ row: clamp(active.row + down, rows), column: clamp(active.column + right, columns.length) });
  };

  readonly edit = ({ record, name, foot, coming }: CellOf, text: string): void => {
    const { table, edits, onOpen } = this.drawn.sheet;
    if (!record && !coming && edits.standing !== foot) edits.hold(); // refused since, and another row
    const typed = { ...edits.textsOfNew, [name]: text };
    const isWrong = (): boolean => Object.keys(readTexts(table.columns, typed, null).wrong).length > 0;
    if (record) edits.edit(record, name, text);
    else if (!text) edits.discard(NEW_ROW, name);
    else if (coming) edits.editNew(coming, name, text);
    else if (!edits.atFoot?.unsure && isWrong()) {
      edits.emptyFoot();
      onOpen(<RowDialog row={null} typed={typed} />); // it is no row yet
    } else {
      this.coming = edits.begun();
      edits.editNew(this.coming, name, text);
    }
  };

  readonly paste = async (range: Range, text: string, { sheet, columns } = this.drawn): Promise<void> => {
    if (sheet.isEditable) await sheet.edits.paste(range, text, columns);
  };

  readonly fill = (from?: number): void => {
    const { sheet, columns } = this.drawn;
    if (sheet.isEditable) void sheet.edits.fill(rangeIn(this.state.get()), columns, from);
  };

  /** Put the texts of a range on the clipboard; false where they are too many. */
  private async copy(range: Range, { sheet, columns } = this.drawn): Promise<boolean> {
    const { rows, announce } = sheet;
    const end = Math.min(range.bottom + 1, rows.total ?? 0);
    const isRoom = end - range.top <= MAX_COPIED_ROWS;
    const records = isRoom ? await rows.read(range.top, end) : [];
    if (records === null) return false;
    const shown = columns.slice(range.left, range.right + 1);
    const texts = records.flatMap((row) => (row ? [shown.map((column) => textOf(sheet, row, column))] : []));
    const isWhole = isRoom && texts.length === records.length;
    const isCopied = isWhole && (await putOnClipboard(toClipboard(texts)));
    if (isCopied) announce(t`Copiado`);
    else announce(isWhole ? t`O navegador não deixa copiar daqui` : t`São linhas demais para copiar: use Exportar`);
    return isCopied;
  }

  private async cut(range: Range): Promise<void> {
    const { drawn } = this; // the columns that were copied are emptied, whatever is shown by then
    if (await this.copy(range, drawn)) await this.paste(range, "", drawn);
  }

  readonly sort = (index: number, add: boolean): void => {
    const { sheet, columns } = this.drawn;
    const { name = "", display_name } = columns[index] ?? {};
    const sort = toggleSort(sheet.view.sort, name, add);
    sheet.onView({ sort });
    sheet.announce(sort.length === 0 ? t`Sem ordenação` : t`Ordenado por ${display_name}`);
  };

  readonly menu = (index: number): void =>
    this.drawn.sheet.onOpen(<ColumnMenu name={this.drawn.columns[index]?.name ?? ""} />);

  /** Select a row as a spreadsheet does: it alone, it besides the others (or no more), or all from the last one to it. */
  readonly select = async (index: number, way: SelectionWay): Promise<void> => {
    const { rows, selected, onSelected, announce } = this.drawn.sheet;
    const from = way === "extend" ? this.lastSelected : index;
    const [first, last] = [Math.min(from, index), Math.max(from, index)];
    this.lastSelected = from;
    if (last - first >= MAX_SELECTED) return announce(t`Selecione até ${formatCount(MAX_SELECTED)} linhas de cada vez`);
    const after = new Set(way === "toggle" ? selected : []);
    for (const row of (await rows.read(first, last + 1)) ?? []) {
      if (row && !after.delete(row.id)) after.add(row.id);
    }
    onSelected(after);
  };

  /** Have a box say the other thing; false where the cell is none. */
  private toggle({ row, column }: Place): boolean {
    const { sheet, columns } = this.drawn;
    const [record, { name = "", type = "text" } = {}] = [sheet.rows.rowAt(row), columns[column]];
    if (!record || type !== "boolean" || !sheet.isEditable) return false;
    const isOn = (markOf(sheet, record, name)?.text ?? formatCell(record[name], type)) === "Sim";
    this.edit({ record, name }, isOn ? "Não" : "Sim");
    return true;
  }

  /** Take a key; false where it is the browser's. */
  readonly press = (press: KeyPress): boolean => {
    const reaction = this.state.get().editing ? undefined : this.reactionTo(press);
    reaction?.();
    return reaction !== undefined;
  };

  private reactionTo({ key, shiftKey: shift, altKey: alt, ctrlKey, metaKey }: KeyPress): Reaction {
    const control = ctrlKey || metaKey;
    const { sheet, columns, rows, data, port } = this.drawn;
    const { active } = this.state.get();
    const range = rangeIn(this.state.get());
    const page = Math.max(Math.floor(port.extent.viewport / port.rowHeight) - 1, 1);
    const bounds = { rows: control && data > 0 ? data : rows, columns: columns.length, page };
    const target = alt ? null : move(active, key, control, bounds);
    if (target) return () => this.focus(target, shift);
    const pressed = `${control ? "Ctrl+" : ""}${alt ? "Alt+" : ""}${control ? key.toLowerCase() : key}`;
    const always: Record<string, Reaction> = {
      "/": () => document.getElementById(SEARCH_FIELD)?.focus(),
      "?": () => sheet.onOpen(<KeysDialog />),
    };
    const onHeader: Record<string, Reaction> = {
      Enter: () => this.sort(active.column, shift),
      " ": () => this.sort(active.column, shift),
      "Alt+ArrowDown": () => this.menu(active.column),
    };
    const clear = () => this.paste({ ...range, bottom: Math.min(range.bottom, (sheet.rows.total ?? 0) - 1) }, ""); // not the empty row at the foot
    const onCell: Record<string, Reaction> = {
      " ": () => (!shift && this.toggle(active)) || this.select(active.row, shift ? "extend" : "toggle"),
      Enter: () => this.begin(active),
      F2: () => this.begin(active),
      Delete: clear,
      Backspace: clear,
      Escape: () => {
        const row = active.row === data ? NEW_ROW : sheet.rows.rowAt(active.row);
        if (row) sheet.edits.discard(row, columns[active.column]?.name ?? "");
        this.state.update({ anchor: null });
      },
      "Ctrl+c": () => this.copy(range),
      "Ctrl+x": () => this.cut(range),
      "Ctrl+d": () => this.fill(),
      "Ctrl+a": () => {
        const last = { row: Math.max(data - 1, 0), column: columns.length - 1 };
        this.state.update({ anchor: { row: 0, column: 0 }, active: last });
      },
    };
    const isTyped = key.length === 1 && !control && !alt && active.row >= 0;
    const reaction = { ...(active.row < 0 ? onHeader : onCell), ...always }[pressed];
    return reaction ?? (isTyped ? () => this.begin(active, key) : undefined);
  }
}

/** What a text says where a column takes choices alone; undefined where it says none of them. */
function saidBy(table: Table, { name, type }: GridColumn, text: string): string | undefined {
  if (type === "boolean") return choiceOf(text) === "" ? undefined : text;
  const choices = choicesOf(table, name);
  return choices ? chosenBy(choices, text) : text;
}

/** What a cell shows, and what its editor begins with. */
function textOf(sheet: SheetParts, row: RecordOfRow, { name, type }: GridColumn): string {
  return markOf(sheet, row, name)?.text ?? formatCell(row[name], type);
}

function clamp(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
