import { useRef, useState } from "react";
import { ApiFailure, answered } from "../api/session";
import type { Table } from "../api/types";
import { useAnnounce } from "../ui/announce";
import { useApi } from "../ui/context";
import { type Cell, formatCell, parseCell, parseClipboard } from "../values/cells";
import type { CellState, GridColumn, GridRow } from "./Grid";
import { type Range, spread } from "./range";
import type { RecordOfRow, Rows } from "./rows";

type Changes = Record<string, Cell>;

/** A row, what is to become of it, and the version of it that the person saw. */
interface RowChange {
  row: GridRow;
  changes: Changes;
  version: Cell;
}

/** One step back: what stood in each row before. */
type Step = readonly { id: string; before: Changes; version: Cell }[];

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
  paste: (range: Range, text: string, columns: readonly GridColumn[]) => void;
  undo: () => void;
  check: () => void;
  takeTheirs: () => void;
  takeMine: () => void;
}

const MAX_ROWS = 1_000; // of one bulk update

/**
 * The edits of a grid: each is checked, sent with the version that was seen, and told when it is kept. `onKept` hears
 * the ids of the rows that have changed.
 */
export function useEdits(table: Table, rows: Rows, onKept: (ids: readonly string[]) => void): Edits {
  const api = useApi();
  const announce = useAnnounce();
  const states = useRef(new Map<string, CellState>());
  const history = useRef<Step[]>([]);
  const queue = useRef(Promise.resolve()); // one save after the other: the next knows the version the last has made
  const successors = useRef(new Map<string, string>());
  const [, redraw] = useState(0);
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  const [unknown, setUnknown] = useState(false);

  const mark = (row: { id: string }, column: string, state: CellState | null): void => {
    const key = `${row.id}/${column}`;
    if (state) states.current.set(key, state);
    else states.current.delete(key);
    redraw((n) => n + 1);
  };

  const markAll = ({ row, changes }: RowChange, state: CellState | null): void => {
    for (const [name, value] of Object.entries(changes))
      mark(row, name, state && { ...state, text: shown(table, name, value) });
  };

  const save = (changed: readonly RowChange[], isUndo = false): void => {
    for (const one of changed) markAll(one, { state: "saving" });
    queue.current = queue.current.then(() => saveNow(changed.map(withLatestVersion), isUndo));
  };

  /** What this page itself has written since the person saw the row is no colleague's change. */
  const withLatestVersion = (one: RowChange): RowChange => {
    let version = one.version;
    for (;;) {
      const next = successors.current.get(`${one.row.id}/${String(version)}`); // rows written at once share a version
      if (next === undefined) return { ...one, version };
      version = next;
    }
  };

  const succeed = (id: string, version: Cell, next: Cell): void => {
    if (version && typeof next === "string" && next !== version)
      successors.current.set(`${id}/${String(version)}`, next);
  };

  const saveNow = async (changed: readonly RowChange[], isUndo: boolean): Promise<void> => {
    try {
      const step = await send(changed);
      if (!isUndo) history.current.push(step);
      for (const one of changed) markAll(one, null);
      announce("Gravado");
      onKept(changed.map(({ row }) => row.id));
    } catch (error) {
      fail(error, changed);
    }
  };

  const send = async (changed: readonly RowChange[]): Promise<Step> => {
    const [only] = changed;
    if (changed.length > 1 || !only) return sendMany(changed);
    const record = (await answered(
      api.PUT("/v1/managed-tables/{table_id}/data/{row_id}", {
        params: {
          path: { table_id: table._id, row_id: only.row.id },
          query: { numbers: "string", versions: "true" } as never,
        },
        body: { ...only.changes, ...(only.version ? { _version: String(only.version) } : {}) } as never,
      }),
    )) as unknown as RecordOfRow;
    rows.replace(record);
    succeed(only.row.id, only.version, record._version);
    return [{ id: only.row.id, before: before(only), version: record._version ?? null }];
  };

  const sendMany = async (changed: readonly RowChange[]): Promise<Step> => {
    await answered(
      api.PATCH("/v1/managed-tables/{table_id}/data", {
        params: { path: { table_id: table._id } },
        body: {
          rows: changed.map(({ row, changes, version }) => ({
            id: row.id,
            ...changes,
            ...(version ? { _version: String(version) } : {}),
          })),
        } as never,
      }),
    );
    for (const one of changed) rows.replace(wished(one));
    await rows.reload();
    for (const one of changed) {
      const cells = rows.rowAt(rows.indexOf(one.row.id))?.cells;
      if (cells && isAsWished(one, cells)) succeed(one.row.id, one.version, cells["_version"]);
    }
    return changed.map((one) => ({ id: one.row.id, before: before(one), version: null }));
  };

  const fail = (error: unknown, changed: readonly RowChange[]): void => {
    const failure = error instanceof ApiFailure ? error : new ApiFailure(0, {}, null);
    const [only] = changed;
    const theirs = failure.status === 412 && changed.length === 1 ? rowOf(failure) : null;
    if (failure.code === "OUTCOME_UNKNOWN") setUnknown(true);
    if (theirs && only) setConflict({ row: only.row, mine: only.changes, theirs });
    else setRefusal(failure.message);
    for (const one of changed) markAll(one, { state: theirs ? "unsaved" : "refused", reason: failure.message });
    if (failure.status === 412 && changed.length > 1) void rows.reload();
    announce("Não gravado");
  };

  /** Read the text for a cell; a refusal is marked at it, and null comes back. */
  const read = (row: GridRow, name: string, text: string): { value: Cell } | null => {
    const column = table.columns.find((one) => one.name === name);
    if (!column || text === formatCell(row.cells[name], column.type)) {
      mark(row, name, null);
      return null;
    }
    const parsed = parseCell(text, column.type, column.nullable);
    if (parsed.ok) return parsed;
    mark(row, name, { state: "refused", text, reason: text === "" ? parsed.reason : `"${text}" ${parsed.reason}` });
    announce(`Não gravado: ${parsed.reason}`);
    return null;
  };

  const edit = (row: GridRow, name: string, text: string): void => {
    const parsed = read(row, name, text);
    setRefusal(null);
    if (parsed) save([{ row, changes: { [name]: parsed.value }, version: row.cells["_version"] }]);
  };

  const paste = (range: Range, text: string, columns: readonly GridColumn[]): void => {
    setRefusal(null);
    const cells = spread(text === "" ? [[""]] : parseClipboard(text), range);
    if (cells.length > MAX_ROWS) {
      setRefusal(`São ${cells.length} linhas: cole até ${MAX_ROWS} de cada vez, ou envie um arquivo`);
      return;
    }
    const changed: RowChange[] = [];
    let beyond = 0;
    cells.forEach((line, down) => {
      const row = rows.rowAt(range.top + down);
      if (!row) {
        beyond += 1;
        return;
      }
      const changes: Changes = {};
      line.forEach((cell, right) => {
        const name = columns[range.left + right]?.name;
        const parsed = name === undefined ? null : read(row, name, cell);
        if (name !== undefined && parsed) changes[name] = parsed.value;
      });
      if (Object.keys(changes).length > 0) changed.push({ row, changes, version: row.cells["_version"] });
    });
    if (changed.length > 0) save(changed);
    if (beyond > 0)
      setRefusal(
        `${beyond} ${beyond === 1 ? "linha colada passa" : "linhas coladas passam"} do fim da tabela e ficaram de fora`,
      );
  };

  const undo = (): void => {
    const step = history.current.pop();
    if (!step) {
      announce("Nada a desfazer");
      return;
    }
    const changed = step.map(({ id, before: changes, version }) => {
      const row = rows.rowAt(rows.indexOf(id)) ?? { id, cells: {} };
      return { row, changes, version: version ?? row.cells["_version"] };
    });
    save(changed, true);
  };

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
      void rows.reload();
    },
    takeTheirs: settle,
    takeMine: () => {
      if (!conflict) return;
      settle();
      const row = { id: conflict.row.id, cells: conflict.theirs };
      save([{ row, changes: conflict.mine, version: conflict.theirs._version }]);
    },
  };
}

function wished({ row, changes }: RowChange): RecordOfRow {
  return { ...row.cells, ...changes, id: row.id };
}

/** Whether a row is what this page wrote, and nothing else: then its version is this page's. */
function isAsWished(one: RowChange, cells: Readonly<Record<string, Cell>>): boolean {
  const expected: Record<string, Cell> = wished(one);
  return Object.keys(cells).every((name) => name === "_version" || cells[name] === expected[name]);
}

function before({ row, changes }: RowChange): Changes {
  return Object.fromEntries(Object.keys(changes).map((name) => [name, row.cells[name] ?? null]));
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
