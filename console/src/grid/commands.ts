import { useRef } from "react";
import { t } from "../ui/language";
import { formatCell, toClipboard } from "../values/cells";
import { SEARCH_FIELD } from "./Filters";
import type { Place, Range } from "./model";
import { type GridColumn, useParts } from "./sheet";
import { resized, toggleSort } from "./view";

const MAX_SELECTED = 1_000; // of one deletion
const MAX_COPIED_ROWS = 5_000;

/** What keys and mouse ask of the sheet that a grid shows. */
export type SheetCommands = ReturnType<typeof useCommands>;

/** What the commands of a grid do to the view, the rows and the edits. */
export function useCommands(columns: readonly GridColumn[]) {
  const { table, view, onView, rows, edits, isEditable, selected, onSelected, onOpen, announce } = useParts();
  const lastSelected = useRef(0);
  const cellAt = ({ row, column }: Place) => ({ row: rows.rowAt(row), name: columns[column]?.name ?? "" });
  const paste = async (range: Range, text: string): Promise<void> => {
    if (isEditable) await edits.paste(range, text, columns);
  };
  /** Put the texts of a range on the clipboard; false where they are too many. */
  const copy = async (range: Range): Promise<boolean> => {
    const end = Math.min(range.bottom + 1, rows.total ?? 0);
    const isRoom = end - range.top <= MAX_COPIED_ROWS;
    if (isRoom && !(await rows.need(range.top, end))) return false; // which is told
    const records = Array.from({ length: isRoom ? end - range.top : 0 }, (_, at) => rows.rowAt(range.top + at));
    const isCopied = isRoom && records.every((row) => row !== undefined);
    if (isCopied) {
      const shown = columns.slice(range.left, range.right + 1);
      const texts = records.map((row) =>
        shown.map(({ name, type }) => edits.stateOf(row, name)?.text ?? formatCell(row[name], type)),
      );
      await navigator.clipboard?.writeText(toClipboard(texts));
    }
    announce(isCopied ? t`Copiado` : t`São linhas demais para copiar: use Exportar`);
    return isCopied;
  };
  return {
    edit: (place: Place, text: string): void => {
      const { row, name } = cellAt(place);
      if (row) edits.edit(row, name, text);
      else if (name && text && place.row === rows.total) edits.offer([{ [name]: text }], false);
    },
    discard: (place: Place): void => {
      const { row, name } = cellAt(place);
      if (row) edits.discard(row, name);
    },
    // Not the empty row at the foot.
    clear: (range: Range) => paste({ ...range, bottom: Math.min(range.bottom, (rows.total ?? 0) - 1) }, ""),
    paste,
    fill: (range: Range) => isEditable && edits.fill(range, columns),
    copy,
    cut: async (range: Range) => (await copy(range)) && paste(range, ""),
    undo: edits.undo,
    redo: edits.redo,
    search: () => document.getElementById(SEARCH_FIELD)?.focus(),
    help: () => onOpen("keys"),
    sort: (index: number, add: boolean): void => {
      const { name = "", display_name } = columns[index] ?? {};
      const sort = toggleSort(view.sort, name, add);
      onView({ sort });
      announce(sort.length === 0 ? t`Sem ordenação` : t`Ordenado por ${display_name}`);
    },
    menu: (index: number) => onOpen({ menu: columns[index]?.name ?? "" }),
    resize: (index: number, by: number): void => {
      const { name = "", width = 0 } = columns[index] ?? {};
      onView(resized(table, view, name, width + by));
    },
    select: async (index: number, extend: boolean): Promise<void> => {
      const from = extend ? lastSelected.current : index;
      const [first, last] = [Math.min(from, index), Math.max(from, index)];
      lastSelected.current = index;
      if (last - first >= MAX_SELECTED) return announce(t`Selecione até ${MAX_SELECTED} linhas de cada vez`);
      await rows.need(first, last + 1);
      const after = new Set(selected);
      for (let at = first; at <= last; at += 1) {
        const id = rows.rowAt(at)?.id;
        if (id !== undefined && (extend || !after.delete(id))) after.add(id);
      }
      onSelected(after);
    },
  };
}
