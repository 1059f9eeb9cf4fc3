import { useCallback, useRef, useState } from "react";
import { answered, ApiFailure } from "../api/session";
import type { Table } from "../api/types";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { type Cell, formatCell, parseCell, parseClipboard } from "../values/cells";
import type { CellState, GridColumn, GridRow } from "./Grid";
import type { Place } from "./keys";
import type { RecordOfRow, Rows } from "./rows";

type Changes = Record<string, Cell>;

interface Done {
  id: string;
  before: Changes;
}

/** A colleague changed the row in between: what each wrote. */
export interface Conflict {
  row: GridRow;
  mine: Changes;
  theirs: RecordOfRow;
}

export interface Edits {
  conflict: Conflict | null;
  refusal: string | null;
  unknown: boolean;
  stateOf: (row: GridRow, column: string) => CellState | undefined;
  edit: (row: GridRow, column: string, text: string) => void;
  paste: (place: Place, text: string, columns: readonly GridColumn[]) => void;
  undo: () => void;
  check: () => void;
  takeTheirs: () => void;
  takeMine: () => void;
}

/** The edits of a grid: each is checked, sent with the version that was seen, and told when it is kept. */
export function useEdits(table: Table, rows: Rows): Edits {
  const api = useApi();
  const announce = useAnnounce();
  const states = useRef(new Map<string, CellState>());
  const history = useRef<Done[]>([]);
  const [, redraw] = useState(0);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [unknown, setUnknown] = useState(false);

  const mark = (row: GridRow, column: string, state: CellState | null): void => {
    const key = `${row.id}/${column}`;
    if (state) states.current.set(key, state);
    else states.current.delete(key);
    redraw((n) => n + 1);
  };

  const save = async (row: GridRow, changes: Changes, version: Cell): Promise<void> => {
    const names = Object.keys(changes);
    for (const name of names) mark(row, name, { state: "saving", text: shown(table, name, changes[name]) });
    try {
      const record = (await answered(
        api.PUT("/v1/managed-tables/{table_id}/data/{row_id}", {
          params: { path: { table_id: table._id, row_id: row.id }, query: { numbers: "string", versions: "true" } as never },
          body: { ...changes, ...(version ? { _version: String(version) } : {}) } as never,
        }),
      )) as unknown as RecordOfRow;
      rows.replace(record);
      for (const name of names) mark(row, name, null);
      setRefusal(null);
      announce("Gravado");
    } catch (error) {
      fail(error, row, changes);
    }
  };

  const fail = (error: unknown, row: GridRow, changes: Changes): void => {
    const failure = error instanceof ApiFailure ? error : new ApiFailure(0, {}, null);
    const theirs = failure.status === 412 ? rowOf(failure) : null;
    if (failure.code === "OUTCOME_UNKNOWN") setUnknown(true);
    if (theirs) setConflict({ row, mine: changes, theirs });
    else setRefusal(failure.message);
    for (const name of Object.keys(changes)) {
      const text = shown(table, name, changes[name]);
      mark(row, name, { state: theirs ? "unsaved" : "refused", text, reason: failure.message });
    }
    announce("Não gravado");
  };

  const edit = (row: GridRow, name: string, text: string): void => {
    const column = table.columns.find((one) => one.name === name);
    if (!column || text === formatCell(row.cells[name], column.type)) {
      mark(row, name, null);
      return;
    }
    const parsed = parseCell(text, column.type, column.nullable);
    if (!parsed.ok) {
      mark(row, name, { state: "refused", text, reason: `"${text}" ${parsed.reason}` });
      announce(`Não gravado: ${parsed.reason}`);
      return;
    }
    history.current.push({ id: row.id, before: { [name]: row.cells[name] ?? null } });
    void save(row, { [name]: parsed.value }, row.cells["_version"]);
  };

  const paste = (place: Place, text: string, columns: readonly GridColumn[]): void => {
    parseClipboard(text).forEach((cells, down) => {
      const row = rows.rowAt(place.row + down);
      if (!row) return;
      const changes: Changes = {};
      cells.forEach((cell, right) => {
        const column = table.columns.find((one) => one.name === columns[place.column + right]?.name);
        if (!column) return;
        const parsed = parseCell(cell, column.type, column.nullable);
        if (parsed.ok) changes[column.name] = parsed.value;
        else mark(row, column.name, { state: "refused", text: cell, reason: `"${cell}" ${parsed.reason}` });
      });
      const before = Object.fromEntries(Object.keys(changes).map((name) => [name, row.cells[name] ?? null]));
      if (Object.keys(changes).length === 0) return;
      history.current.push({ id: row.id, before });
      void save(row, changes, row.cells["_version"]);
    });
  };

  const undo = useCallback(() => {
    const last = history.current.pop();
    if (!last) return;
    const row = { id: last.id, cells: {} };
    void save(row, last.before, null);
  }, [rows]);

  const settle = (): void => {
    if (!conflict) return;
    for (const name of Object.keys(conflict.mine)) mark(conflict.row, name, null);
    rows.replace(conflict.theirs);
    setConflict(null);
  };

  return {
    conflict,
    refusal,
    unknown,
    stateOf: (row, column) => states.current.get(`${row.id}/${column}`),
    edit,
    paste,
    undo,
    check: () => {
      setUnknown(false);
      states.current.clear();
      rows.reload();
    },
    takeTheirs: settle,
    takeMine: () => {
      if (!conflict) return;
      settle();
      void save(conflict.row, conflict.mine, conflict.theirs._version);
    },
  };
}

function shown(table: Table, name: string, value: Cell): string {
  const column = table.columns.find((one) => one.name === name);
  return column ? formatCell(value, column.type) : "";
}

/** Return the row as it is now, which comes with the refusal. */
function rowOf(failure: ApiFailure): RecordOfRow | null {
  const row = (failure.body as { row?: RecordOfRow }).row;
  return row ?? null;
}
