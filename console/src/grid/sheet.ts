import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useEffect, useMemo, useRef, useState } from "react";
import type { Column, RecordOfRow, Table } from "../api/types";
import { useDoubts } from "../rules/doubts";
import { type Cells, cellKey } from "../table/columns";
import { useConsole } from "../ui/context";
import { t } from "../ui/language";
import { useShared, useWindowEvents } from "../ui/store";
import { showCell } from "../values/cells";
import { plural } from "../values/numbers";
import { type CellState, EditSession } from "./edits";
import { useBlocks, useRows } from "./rows";
import { type GridView, isFiltered, type ViewHandle, within } from "./view";

/** What the parts of a sheet share: its table, the view of it, its rows and edits, and what lies over it. */
export function useSheetParts(table: Table, handle: ViewHandle) {
  const shared = useConsole();
  const view = useMemo(() => within(table, handle.view), [table, handle.view]);
  const sheet = useSheet(table, view);
  const [selected, onSelected] = useState<ReadonlySet<string>>(new Set());
  const [opened, onOpen] = useState<ReactNode>(null); // the dialog that lies over it
  const onClose = (): void => onOpen(null);
  const isEditable = table.status === "active" && shared.can("data-write");
  useEffect(() => onSelected(new Set()), [handle.view]);
  return { ...shared, ...sheet, ...handle, view, table, isEditable, selected, onSelected, opened, onOpen, onClose };
}

export type SheetParts = ReturnType<typeof useSheetParts>;

/** Say some values of a row in one line. */
export function rowWords(columns: readonly Column[], row: Cells): string {
  return columns.map((column) => showCell(row[column.name], column) || t`(vazia)`).join(" · ");
}

/** What is to be seen of a cell besides its value. */
export function markOf({ edits, doubts, fresh }: SheetParts, row: RecordOfRow, column: string): CellState | undefined {
  const said = edits.stateOf(row, column);
  if (said) return said;
  const key = cellKey(row.id, column);
  const reason = doubts.get(key);
  if (reason !== undefined) return { state: "doubtful", reason };
  return fresh?.has(key) ? { state: "changed" } : undefined;
}

export const SheetProvider = createContext<SheetParts | null>(null);

export const useParts = (): SheetParts => useShared(SheetProvider, "no sheet around this");

const LOOK_MS = 5_000;
const AWAY_MS = 180_000; // a database pauses after five minutes without questions
const LOOK_SHARE = 20; // times as long as it took: a search without an index less often

/**
 * A table's rows under a view, and the edits with what follows from them: totals are worked out again, and a row that
 * no longer matches the view, or belongs elsewhere in it, stays where it is until the focus leaves it.
 */
function useSheet(table: Table, view: GridView) {
  const { api, announce, sessions } = useConsole();
  const queries = useQueryClient();
  const rows = useRows(table, view);
  const doubts = useDoubts(table, useBlocks(rows));
  const edits = useMemo(() => {
    const known = sessions.get(table._id);
    return known instanceof EditSession ? known : new EditSession(api, table);
  }, [sessions, api, table._id]);
  sessions.set(table._id, edits);
  edits.table = table;
  const focused = useRef<string | null>(null);
  const misplaced = useRef(new Set<string>());
  const [wanted, setWanted] = useState<string | null>(null); // a new row, to have the focus where it has landed
  const isArranged = isFiltered(view) || view.sort.length > 0;
  const settle = useCallback(() => {
    const isHeld = edits.isWriting || (focused.current !== null && misplaced.current.has(focused.current));
    if (misplaced.current.size === 0 || isHeld) return;
    misplaced.current.clear();
    void rows.reload();
  }, [rows, edits]);
  edits.sheet = {
    rows,
    announce,
    kept: (ids) => {
      void queries.invalidateQueries({ queryKey: ["totals", table._id] });
      rows.forgetOthers();
      if (!isArranged) return;
      for (const id of ids) misplaced.current.add(id);
      settle();
    },
    refused: () => void queries.invalidateQueries({ queryKey: ["/{table_id}"] }),
    inserted: async (ids) => {
      await queries.invalidateQueries();
      const [first] = ids;
      if (first === undefined) return;
      await rows.need((rows.total ?? 1) - 1, rows.total ?? 0);
      if (rows.indexOf(first) >= 0) setWanted(first);
      else announce(t`Criada: a linha está fora do que se vê agora`);
    },
  };
  const onRow = useCallback(
    (id: string | null) => {
      focused.current = id;
      settle();
    },
    [settle],
  );
  const lastInput = useRef(Date.now());
  useWindowEvents(["pointerdown", "keydown", "wheel"], () => {
    lastInput.current = Date.now();
  });
  useWindowEvents(["keydown"], (event) => {
    const { key, shiftKey, ctrlKey, metaKey, target } = event;
    const isInField = (target as Element).closest("input, select, textarea, dialog") !== null;
    const steps: Record<string, () => void> = { z: shiftKey ? edits.redo : edits.undo, y: edits.redo };
    const step = (ctrlKey || metaKey) && !isInField ? steps[key.toLowerCase()] : undefined;
    if (!step || event.defaultPrevented) return;
    event.preventDefault(); // in the grid, and from wherever a dialog or a button has left the focus
    step();
  });
  const { data: look } = useQuery({
    queryKey: ["look", table._id],
    gcTime: 0,
    queryFn: async () => {
      const begun = Date.now();
      settle();
      const isMine = edits.isUnsaved || misplaced.current.size > 0;
      const isWriting = document.querySelector(".mt dialog") !== null; // upon rows as seen
      const isAway = begun - lastInput.current > AWAY_MS;
      const { rows, refused } = edits.sheet;
      const fresh = isMine || isWriting || isAway ? undefined : await rows.look(() => edits.isWriting).catch(refused);
      return { fresh: fresh ?? undefined, took: Date.now() - begun };
    },
    // While the page is visible. A look may seem to have taken hours: the computer slept.
    refetchInterval: ({ state }) => Math.min(AWAY_MS, Math.max(LOOK_MS, LOOK_SHARE * (state.data?.took ?? 0))),
  });
  useEffect(() => {
    if (rows.total !== null) announce(plural(rows.total, "linha"));
  }, [rows.total]);
  return { rows, edits, doubts, fresh: look?.fresh, wanted, setWanted, onRow };
}
