import { type Api, ApiFailure, faultsBy, type UnsavedEdits } from "../api/session";
import type { RecordOfRow, Table } from "../api/types";
import { type Cells, cellKey, columnOf } from "../table/columns";
import { readRows } from "../table/queries";
import { t } from "../ui/language";
import { Store } from "../ui/store";
import { formatCell, parseClipboard } from "../values/cells";
import { formatCount, plural } from "../values/numbers";
import { type Clash, inverse, meet, type RowChange, readTexts, type Values, versionOf, without } from "./changes";
import { NEW_ROW, type RowSource } from "./rows";
import type { GridColumn } from "./view";
import { type Range, spread } from "./viewport";

/** What is to be seen of a cell besides its value: a text that was not taken, how far its save has come. */
export interface CellState {
  text?: string;
  state?: "saving" | "refused" | "unsaved" | "doubtful" | "changed";
  reason?: string;
}

/** Colleagues changed the same cells in between: what each wrote, and the changes upon the rows as they are now. */
export interface Conflict {
  clashes: readonly Clash[];
  changes: readonly RowChange[];
  now: ReadonlyMap<string, RecordOfRow>;
  way: Way;
  /** Lets go on what was written since. */
  settled: () => void;
}

export interface Pasted {
  /** Texts for cells that are there. */
  within: readonly RowTexts[];
  /** Rows to be made. */
  beyond: readonly Values[];
  /** Why those cannot be made. */
  faults: readonly string[];
}

export interface EditState {
  marks: ReadonlyMap<string, CellState>;
  conflict: Conflict | null;
  /** What was pasted beyond the last row as well, and waits as one thing for a person to say how much of it goes. */
  pasted: Pasted | null;
  /** Why the last save was not taken, or waits. */
  failure: ApiFailure | null;
  /** Tries again what waits, and what was written since; null where nothing does. */
  again: (() => void) | null;
  /** How many saves are on their way, or wait for the one that is. */
  waiting: number;
}

/** What a save is of the history: a new step, or one that goes back or forth. */
type Way = "do" | "undo" | "redo";
/** One step of the history: changes that lead to the state before, texts that were not taken, rows that came or went. */
type Step =
  | { changes: readonly RowChange[] }
  | { refused: readonly string[] }
  | { inserted: readonly string[]; seen: readonly RecordOfRow[] | Promise<readonly RecordOfRow[]> }
  | { deleted: readonly string[] };

/** What shows the rows, as it is drawn now. */
interface EditedSheet {
  rows: RowSource;
  announce: (text: string) => void;
  /** Hears the ids of the rows that have changed. */
  kept: (ids: readonly string[]) => void;
  /** Hears that a save was refused: the table may be another one by now. */
  refused: () => void;
  /** Hears the ids of rows that are new. */
  inserted: (ids: readonly string[]) => void;
}

/** A row that was begun at the foot: its id once it has come, and what was sent where nobody knows whether it has. */
export type FootRow = { id: string; keys: Map<string, string>; unsure?: Values | null };
type RowTexts = { row: RecordOfRow; texts: Readonly<Record<string, string>> };

const MAX_ROWS = 1_000; // of one bulk update, and of one insert
const MAX_MEETINGS = 3; // with colleagues who change the same row again and again
const FIRST_PAUSE_MS = 2_000; // before what got no answer is sent again: twice as long each time
const LONGEST_PAUSE_MS = 30_000;
const START: EditState = { marks: new Map(), conflict: null, pasted: null, failure: null, again: null, waiting: 0 };

/** The edits of a grid: each is checked, sent with the version that was seen, merged with what others did, told. */
export class EditSession implements UnsavedEdits {
  readonly state = new Store<EditState>(START);
  sheet!: EditedSheet;
  private readonly past: Step[] = [];
  private readonly future: Step[] = [];
  /** Whether a cell is being written: rows stay where they are meanwhile, and whoever leaves is asked. */
  isWriting = false;
  atFoot: FootRow | null = null; // the row that is written there
  private readonly held = new Map<FootRow, [key: string, state: CellState][]>(); // refused before it, or to be sent again
  private queue: Promise<unknown> = Promise.resolve(); // one save after the other: each knows what the last has made
  private readonly queued = new Set<unknown>(); // what is in it
  private readonly successors = new Map<string, Cells>(); // what this page made of a version

  constructor(
    private readonly api: Api,
    /** As it is now: its columns may change while this goes on. */
    public table: Table,
  ) {}

  get isUnsaved(): boolean {
    if (this.isWriting) return true;
    const { marks } = this.state.get();
    const isThere = (key: string) => this.table.columns.some(({ name }) => key.endsWith(`/${name}`));
    return this.queued.size + this.held.size > 0 || [...marks.keys()].some(isThere); // and of no column that is gone
  }

  /** Try again what waits; the server's own pause goes on. */
  resume(): void {
    const { failure, again } = this.state.get();
    if (!failure?.retryAfterSeconds) again?.();
  }

  private get path() {
    return { table_id: this.table._id };
  }

  readonly stateOf = (row: RecordOfRow, column: string): CellState | undefined =>
    this.state.get().marks.get(cellKey(row.id, column));

  readonly edit = (row: RecordOfRow, name: string, text: string): void => {
    this.clear();
    this.write([{ row, texts: { [name]: text } }]);
  };

  /** Save values of a row, from a form; resolves once that was tried. */
  readonly change = (row: RecordOfRow, changes: Values): Promise<unknown> => {
    this.save([{ id: row.id, base: row, changes }]);
    return this.queue;
  };

  /** Put texts into the cells of a range, as pasted; where some lie beyond the last row a person is asked first. */
  readonly paste = async (range: Range, text: string, columns: readonly GridColumn[]): Promise<void> => {
    const cells = spread(parseClipboard(text), range);
    const rows = await this.rowsFrom(range.top, cells.length);
    const names = columns.slice(range.left).map(({ name }) => name);
    const lines = cells.map(
      (line): Record<string, string> =>
        Object.fromEntries(names.slice(0, line.length).map((name, at) => [name, line[at] ?? ""])),
    );
    const outside = rows.length > 0 ? Math.max(...cells.map((line) => line.length)) - names.length : 0;
    if (outside > 0)
      this.tell(plural(outside, "coluna colada não coube na tabela", "colunas coladas não couberam na tabela"));
    const within = rows.flatMap((row, down) => (row ? [{ row, texts: lines[down] ?? {} }] : []));
    const there = Math.max((this.sheet.rows.total ?? 0) - range.top, 0);
    if (rows.length > 0 && lines.length > there) this.offer(within, lines.slice(there), there);
    else this.write(within);
  };

  /** Give every row of a range the values of one of them, exactly: the first, if not said otherwise. */
  readonly fill = async (range: Range, columns: readonly GridColumn[], from = range.top): Promise<void> => {
    const rows = await this.rowsFrom(range.top, range.bottom - range.top + 1);
    const source = rows[from - range.top];
    const names = columns.slice(range.left, range.right + 1).map(({ name }) => name);
    const changed = rows.flatMap((row): RowChange[] => {
      const different = names.filter((name) => (row?.[name] ?? null) !== (source?.[name] ?? null));
      if (!row || !source || different.length === 0) return [];
      const changes = Object.fromEntries(different.map((name) => [name, source[name] ?? null]));
      return [{ id: row.id, base: row, changes }];
    });
    if (changed.length > 0) this.save(changed);
  };

  /** Have rows here, as far as there are such, to be changed; none where they are too many, or do not come. */
  private async rowsFrom(first: number, count: number): Promise<readonly (RecordOfRow | undefined)[]> {
    const isRoom = count <= MAX_ROWS;
    this.clear();
    if (!isRoom)
      this.tell(t`São ${formatCount(count)} linhas: até ${formatCount(MAX_ROWS)} de cada vez, ou envie um arquivo`);
    return (isRoom && (await this.sheet.rows.read(first, first + count))) || [];
  }

  /** Read the texts of new rows, which were pasted with `before` others; all of it waits for an answer. */
  private offer(within: readonly RowTexts[], texts: readonly Record<string, string>[], before: number): void {
    const read = texts.map((line) => readTexts(this.table.columns, line, null));
    const faults = read.flatMap(({ wrong }, index) =>
      Object.entries(wrong).map(([name, reason]) => {
        const told = reasonOf(texts[index]?.[name] ?? "", reason);
        return t`linha ${before + index + 1} do que foi colado, ${columnOf(this.table, name).display_name}: ${told}`;
      }),
    );
    this.state.update({ pasted: { within, beyond: read.map(({ values }) => values), faults } });
  }

  /** Write what was pasted: all of it or, where the new rows are refused, none; or what lies within the table alone. */
  readonly answer = (part: "all" | "within" | "nothing"): void => {
    const { pasted } = this.state.get();
    this.state.update({ pasted: null });
    if (!pasted || part === "nothing") return;
    const { within, beyond } = pasted;
    if (part === "within") this.write(within);
    else {
      const keys = new Map<string, string>();
      this.enqueue(async () => {
        await this.answered(() => this.insert(beyond, keys));
        await this.write(within, true);
      });
    }
  };

  /** The texts at the foot that were not taken. */
  get textsOfNew(): Record<string, string> {
    const texts = this.table.columns.map(({ name }) => [name, this.stateOf(NEW_ROW, name)?.text]);
    return Object.fromEntries(texts.filter(([, text]) => text !== undefined));
  }

  /** The row that stands at the foot with texts that were not taken. */
  get standing(): FootRow | null {
    return Object.keys(this.textsOfNew).length > 0 ? this.atFoot : null;
  }

  /** Begin a row at the foot, or go on with the one there; one that may have come comes once. */
  begun(): FootRow {
    this.atFoot = this.standing ?? (this.atFoot?.unsure ? this.atFoot : { id: "", keys: new Map() });
    return this.atFoot;
  }

  /** Write a text into a cell of a row that was begun at the foot, and may be on its way; what is not taken stays there. */
  editNew(row: FootRow, name: string, text: string): void {
    if (this.atFoot === row) this.hold(row);
    this.enqueue(async () => {
      if (this.atFoot === row) this.hold(row); // refused since
      const { unsure } = row;
      const emptied = Object.keys(unsure ?? {}).map((sent) => [sent, ""]);
      const held = (this.held.get(row) ?? []).map(([key, { text }]) => [key.slice(NEW_ROW.id.length + 1), text]);
      this.held.delete(row);
      const texts: Record<string, string> = Object.fromEntries([...emptied, ...held, [name, text]]);
      const { values, wrong } = readTexts(this.table.columns, texts, null);
      const [reason] = Object.values(wrong);
      try {
        if (unsure) {
          [row.id = ""] = await this.answered(() => this.insert([unsure], row.keys)); // as it was sent: so it comes once
          row.unsure = null;
          this.state.update({ failure: null });
        }
        const [record] = row.id ? await this.answered(() => this.read([row.id])) : [];
        if (record) await this.write([{ row: record, texts }], true);
        else if (reason !== undefined) throw new ApiFailure(0, { error: reasonOf(text, reason) });
        else [row.id = ""] = await this.answered(() => this.insert([values], row.keys));
        this.showHeld();
      } catch (error) {
        row.unsure = failureOf(error).code === "OUTCOME_UNKNOWN" ? (unsure ?? values) : null;
        this.hold(row);
        this.fail(failureOf(error), [{ id: NEW_ROW.id, base: {}, changes: texts }]);
      }
    });
  }

  /** What stood at the foot is a row now, or given up. */
  emptyFoot(): void {
    this.unmark(this.table.columns.map(({ name }) => cellKey(NEW_ROW.id, name)));
    this.showHeld();
  }

  /** Take what stands at the foot away from there, until it is sent again or there is room; another row is there now. */
  hold(next: FootRow | null = null): void {
    const marks = [...this.state.get().marks].filter(([key]) => key.startsWith(`${NEW_ROW.id}/`));
    if (this.standing) this.held.set(this.standing, marks);
    this.unmark(marks.map(([key]) => key));
    this.atFoot = next;
  }

  private showHeld(): void {
    const [row, marks] = (!this.standing && [...this.held].at(-1)) || [];
    if (!row || !marks) return;
    this.held.delete(row);
    this.atFoot = row;
    this.mark(marks);
    this.remember(marks.map(([key]) => key));
  }

  /** Insert rows, once however often they are sent with the same `keys`; what they failed by is thrown. */
  readonly insert = async (values: readonly Values[], keys: Map<string, string>): Promise<string[]> => {
    const body = { rows: [...values] };
    const sent = JSON.stringify(body);
    const key = keys.get(sent) ?? `${Date.now()}-${Math.random()}`;
    keys.set(sent, key);
    const query = { numbers: "string" as const, return: "ids" as const };
    const asks = { path: this.path, query, body, headers: { "Idempotency-Key": key } };
    const { ids } = await this.api.POST("/{table_id}/data", asks);
    this.clear();
    this.future.length = 0;
    this.past.push({ inserted: ids ?? [], seen: this.read(ids ?? []).catch(() => []) });
    this.sheet.announce(plural(values.length, "linha criada", "linhas criadas"));
    this.sheet.inserted(ids ?? []);
    return ids ?? [];
  };

  /** Delete rows; what they failed by is thrown. They come back by an undo; a mutation asks again for what is shown. */
  readonly delete = async (ids: readonly string[]): Promise<void> => {
    const deletion = this.sendDeletion(ids).then(() => {
      this.future.length = 0;
      this.past.push({ deleted: ids });
      this.sheet.announce(plural(ids.length, "linha apagada", "linhas apagadas"));
    });
    this.enqueue(() => deletion.catch(() => undefined)); // it waits for no save; a step back waits for it
    await deletion;
  };

  // What goes back waits for what is being saved: that is the last step, and not the one before it.
  readonly undo = (): void => this.enqueue(() => this.take(this.lastStep(), "undo"));

  readonly redo = (): void => this.enqueue(() => this.take(this.future.pop(), "redo"));

  private async take(step: Step | undefined, way: "undo" | "redo"): Promise<void> {
    const [from, back] = way === "undo" ? [this.past, this.future] : [this.future, this.past];
    this.clear();
    if (!step) this.sheet.announce(way === "undo" ? t`Nada a desfazer` : t`Nada a refazer`);
    else if ("refused" in step) {
      const unsure = this.unsureRows(step.refused);
      this.unmark(step.refused);
      this.showHeld();
      for (const id of unsure) await this.lookAt(id);
    } else if ("changes" in step) {
      this.markAll(step.changes, () => ({ state: "saving" }));
      await this.saveNow(step.changes, way);
    } else {
      const work = () => ("inserted" in step ? this.takeOut(step) : this.sendRestoration(step.deleted));
      const taken = this.answered(work).catch((error) => {
        if (!isFinal(failureOf(error))) from.push(step); // to be tried again
        if (failureOf(error).code === "OUTCOME_UNKNOWN") void this.sheet.rows.reload(); // they may be there, or gone
        throw error;
      });
      const reverse = await taken;
      if (!("deleted" in reverse) || reverse.deleted.length > 0) back.push(reverse);
      this.sheet.announce(way === "undo" ? t`Desfeito` : t`Refeito`);
      this.sheet.inserted([]);
    }
  }

  /** Take the last step, past texts that were not taken and are gone since. */
  private lastStep(): Step | undefined {
    const step = this.past.pop();
    const isGone = step && "refused" in step && !step.refused.some((key) => this.state.get().marks.has(key));
    return isGone ? this.lastStep() : step;
  }

  /** Drop the text of a cell that was not taken: what is stored shows again. */
  readonly discard = (row: RecordOfRow, column: string): void => {
    const state = this.stateOf(row, column)?.state;
    if (state !== "refused" && state !== "unsaved") return;
    const key = cellKey(row.id, column);
    const unsure = this.unsureRows([key]);
    this.unmark([key]);
    this.showHeld();
    this.clear();
    for (const id of unsure) this.enqueue(() => this.lookAt(id));
  };

  /** Return the ids of the rows of which nobody knows whether these cells are stored. */
  private unsureRows(keys: readonly string[]): ReadonlySet<string> {
    const { marks } = this.state.get();
    const unsure = keys.filter((key) => marks.get(key)?.state === "unsaved").map((key) => key.split("/")[0] ?? "");
    return new Set(unsure.filter((id) => id !== NEW_ROW.id));
  }

  /** Show a row as it is stored. */
  private async lookAt(id: string): Promise<void> {
    const records = await this.answered(() => this.read([id]));
    for (const record of records) this.sheet.rows.replace(record);
    if (records.length === 0) await this.sheet.rows.reload();
  }

  /** Look what became of a save without an answer; a row at the foot is sent again, with its key. */
  readonly check = (): void => {
    const [text] = Object.entries(this.textsOfNew);
    if (this.atFoot?.unsure && text) this.editNew(this.atFoot, ...text);
    else if (!text) this.atFoot = null;
    this.unmark([...this.state.get().marks].flatMap(([key, { state }]) => (state === "unsaved" ? key : [])));
    this.state.update({ failure: null });
    void this.sheet.rows.reload();
  };

  /** Save what clashed, or leave it to the colleague; what did not clash is saved in both cases. */
  readonly settle = (isMine: boolean): void => {
    const { conflict } = this.state.get();
    if (!conflict) return;
    const { clashes, changes, now, way, settled } = conflict;
    this.unmark(clashes.map(({ id, column }) => cellKey(id, column)));
    this.state.update({ conflict: null });
    const kept = isMine ? changes : changes.flatMap((change) => without(change, clashes) ?? []);
    const chosen = this.recordStored(kept, now, way, true);
    if (chosen.length > 0) this.save(chosen, way);
    settled();
  };

  private save(changed: readonly RowChange[], way: Way = "do"): void {
    if (way === "do") this.future.length = 0;
    this.markAll(changed, () => ({ state: "saving" }));
    this.enqueue(() => this.saveNow(changed, way));
  }

  private enqueue(task: () => Promise<unknown>): void {
    this.queued.add(task);
    this.state.update({ waiting: this.state.get().waiting + 1 });
    const end = this.queue.then(task).catch((error) => this.state.update({ failure: failureOf(error) }));
    this.queue = end.finally(() => {
      this.queued.delete(task);
      this.state.update({ waiting: this.state.get().waiting - 1 });
    });
  }

  /** What this page itself has written since the person saw the row is no colleague's change. */
  private readonly upToDate = (change: RowChange): RowChange => {
    let base = change.base;
    for (;;) {
      const next = this.successors.get(cellKey(change.id, versionOf(base)));
      if (next === undefined) return { ...change, base };
      base = next;
    }
  };

  private async saveNow(changes: readonly RowChange[], way: Way, meetings = 0, isMerged = false): Promise<void> {
    const changed = changes.map(this.upToDate);
    try {
      this.record(changed, await this.answered(() => this.send(changed)), way, isMerged);
    } catch (error) {
      const failure = failureOf(error);
      const fail = () => this.fail(failure, changed, way);
      const isLost = meetings < MAX_MEETINGS && (failure.status === 412 || failure.code === "ROW_NOT_FOUND");
      await (isLost ? this.meetOthers(changed, way, meetings, isMerged).catch(fail) : fail()); // or could not be looked at
    }
  }

  private async send(changed: readonly RowChange[]): Promise<RecordOfRow[]> {
    const [only] = changed;
    if (changed.length === 1 && only) {
      const record = await this.api.PUT("/{table_id}/data/{row_id}", {
        path: { ...this.path, row_id: only.id },
        query: { numbers: "string", versions: true },
        body: versioned(only),
      });
      return [record];
    }
    const rows = changed.map((one) => ({ id: one.id, ...versioned(one) }));
    await this.api.PATCH("/{table_id}/data", { path: this.path, body: { rows } });
    return this.read(changed.map(({ id }) => id));
  }

  private record(changed: readonly RowChange[], records: readonly RecordOfRow[], way: Way, isMerged: boolean): void {
    this.unmark(keysOf(changed));
    const after = new Map(records.map((record) => [record.id, record]));
    const back: RowChange[] = [];
    for (const change of changed) {
      const record = after.get(change.id);
      if (!record) continue; // deleted between the save and the look at it
      const isNewer = versionOf(record) !== versionOf(change.base); // one that is its own successor has no last one
      if (isNewer && isAsWished(change, record))
        this.successors.set(cellKey(change.id, versionOf(change.base)), record);
      this.sheet.rows.replace(record);
      back.push(inverse(change, record));
    }
    (way === "undo" ? this.future : this.past).push({ changes: back });
    this.sheet.announce(isMerged ? t`Gravado, junto com o que outra pessoa mudou` : t`Gravado`);
    this.sheet.kept(changed.map(({ id }) => id));
  }

  /** The rows are not as they were seen: merge where the cells are others, ask where they are the same. */
  private async meetOthers(changed: readonly RowChange[], way: Way, meetings: number, isMerged: boolean) {
    const records = await this.answered(() => this.read(changed.map(({ id }) => id)));
    const now = new Map(records.map((record) => [record.id, record]));
    const left = this.recordStored(changed, now, way, isMerged);
    if (left.length > 0) await this.mergeWith(now, left, way, meetings, isMerged);
  }

  /** Take what stands as it is wished for done, by a save whose answer was lost; return what is left to be sent. */
  private recordStored(
    changed: readonly RowChange[],
    now: ReadonlyMap<string, RecordOfRow>,
    way: Way,
    isMerged: boolean,
  ): readonly RowChange[] {
    const stored = changed.filter((change) => isStored(change, now.get(change.id)));
    if (stored.length > 0) {
      const known = stored.map((change) => {
        const record = now.get(change.id);
        return !record || isAsWished(change, record) ? change : meet(change, record).change;
      });
      this.record(known, [...now.values()], way, isMerged);
    }
    return changed.filter((change) => !stored.includes(change));
  }

  private async mergeWith(
    now: ReadonlyMap<string, RecordOfRow>,
    changed: readonly RowChange[],
    way: Way,
    meetings: number,
    isMerged: boolean,
  ): Promise<void> {
    const isSame = changed.every((change) => isAsWished({ ...change, changes: {} }, now.get(change.id))); // by the trash
    for (const record of now.values()) this.sheet.rows.replace(record);
    const gone = changed.filter(({ id }) => !now.has(id));
    this.unmark(keysOf(gone));
    if (gone.length > 0) {
      const words = plural(gone.length, "linha foi apagada", "linhas foram apagadas");
      this.tell(t`${words} enquanto você editava`);
      void this.sheet.rows.reload();
    }
    const met = changed.flatMap((change) => {
      const record = now.get(change.id);
      return record ? [meet(change, record)] : [];
    });
    const changes = met.map((one) => one.change);
    const clashes = met.flatMap((one) => one.clashes);
    if (clashes.length > 0) {
      this.markAll(changes, () => ({ state: "unsaved", reason: t`Outra pessoa mudou esta linha` }));
      this.sheet.announce(t`Não gravado: outra pessoa mudou a mesma célula`);
      await new Promise<void>((settled) => this.state.update({ conflict: { clashes, changes, now, way, settled } }));
    } else if (changes.length > 0) await this.saveNow(changes, way, meetings + 1, isMerged || !isSame);
  }

  private fail(failure: ApiFailure, changed: readonly RowChange[], way: Way = "do"): void {
    if (way !== "do" && !isFinal(failure)) (way === "undo" ? this.past : this.future).push({ changes: changed });
    const told = faultsBy(failure, (one) => `${one.row ?? 0}/${one.column}`);
    const state = failure.code === "OUTCOME_UNKNOWN" ? "unsaved" : "refused";
    this.markAll(changed, (row, name) => ({ state, reason: told.get(`${row}/${name}`) ?? failure.message }));
    this.remember(keysOf(changed));
    this.state.update({ failure });
    this.sheet.refused();
    this.sheet.announce(t`Não gravado`);
  }

  private tell(error: string): void {
    this.state.update({ failure: new ApiFailure(0, { error }) });
  }

  private clear(): void {
    const { again, failure } = this.state.get();
    if (!again && failure?.code !== "OUTCOME_UNKNOWN") this.state.update({ failure: null });
  }

  /**
   * Try until there is an answer: what got none waits, and what is written after it. It is sent again after a pause, or
   * as soon as a person or the network says so; what it failed by stays on the screen meanwhile.
   */
  private async answered<Answer>(attempt: () => Promise<Answer>): Promise<Answer> {
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      try {
        const answer = await attempt();
        if (this.state.get().again) this.state.update({ failure: null, again: null });
        return answer;
      } catch (error) {
        const failure = failureOf(error);
        if (!failure.isPassing) {
          this.state.update({ failure: null, again: null });
          throw failure;
        }
        this.sheet.announce(t`Não gravado`);
        const { retryAfterSeconds: asked } = failure;
        await new Promise<void>((go) => {
          this.state.update({ failure, again: go });
          setTimeout(go, asked ? asked * 1_000 : pause);
        });
      }
    }
  }

  private readonly read = (ids: readonly string[]) => readRows(this.api, this.table._id, ids);

  private async sendDeletion(ids: readonly string[]): Promise<void> {
    const sent = this.api.POST("/{table_id}/data/delete", { path: this.path, body: { ids: [...ids] } });
    await sent.catch(async (error) => {
      if (failureOf(error).code !== "ROW_NOT_FOUND" || (await this.read(ids)).length > 0) throw error; // else it is done
    });
    this.unmark([...this.state.get().marks.keys()].filter((key) => ids.includes(key.split("/")[0] ?? "")));
  }

  private async sendRestoration(ids: readonly string[]): Promise<Step> {
    await this.api.POST("/{table_id}/trash/restore", { path: this.path, body: { ids: [...ids] } });
    const seen = await this.read(ids);
    const missing = ids.length - seen.length;
    if (missing > 0) this.tell(t`${plural(missing, "linha não está", "linhas não estão")} mais na lixeira`);
    return { inserted: ids, seen };
  }

  /** Delete rows that this page brought, but those that others have changed since. */
  private async takeOut({ inserted, seen }: Extract<Step, { inserted: unknown }>): Promise<Step> {
    const own = (await seen).map((base) => this.upToDate({ id: base.id, base, changes: {} }));
    const versions = new Set(own.map(({ id, base }) => cellKey(id, versionOf(base))));
    const now = await this.read(inserted);
    const deleted = now.filter((row) => versions.has(cellKey(row.id, versionOf(row)))).map(({ id }) => id);
    const kept = now.length - deleted.length;
    if (kept > 0) this.tell(t`${plural(kept, "linha fica: foi mudada", "linhas ficam: foram mudadas")} depois`);
    if (deleted.length > 0) await this.answered(() => this.sendDeletion(deleted)); // the same, where its answer is lost
    return { deleted };
  }

  /** Read texts for cells and save their values; what is no value is marked, and one step of the history. */
  private async write(written: readonly RowTexts[], isNext = false): Promise<void> {
    const refused = new Map<string, CellState>();
    const changed = written.flatMap(({ row, texts }): RowChange[] => {
      const { values, wrong } = readTexts(this.table.columns, texts, row);
      for (const [name, reason] of Object.entries(wrong)) {
        const text = texts[name] ?? "";
        refused.set(cellKey(row.id, name), { state: "refused", text, reason: reasonOf(text, reason) });
        this.sheet.announce(t`Não gravado: ${reason}`);
      }
      return Object.keys(values).length === 0 ? [] : [{ id: row.id, base: row, changes: values }];
    });
    this.unmark(written.flatMap(({ row, texts }) => Object.keys(texts).map((name) => cellKey(row.id, name))));
    this.mark([...refused]);
    this.remember([...refused.keys()]);
    if (changed.length > 0) await (isNext ? this.saveNow(changed, "do") : this.save(changed));
  }

  private remember(refused: readonly string[]): void {
    if (refused.length > 0) this.queue = this.queue.then(() => void this.past.push({ refused })); // after what is saved
  }

  private mark(cells: readonly (readonly [key: string, state: CellState])[]): void {
    this.state.update({ marks: new Map([...this.state.get().marks, ...cells]) });
  }

  private unmark(keys: readonly string[]): void {
    const gone = new Set(keys);
    this.state.update({ marks: new Map([...this.state.get().marks].filter(([key]) => !gone.has(key))) });
  }

  /** Mark every cell of some changes, with the text that it would have. */
  private markAll(changed: readonly RowChange[], stateOf: (row: number, column: string) => CellState): void {
    const marks = changed.flatMap(({ id, changes }, row) =>
      Object.entries(changes).map(([name, value]): [string, CellState] => {
        const text = id === NEW_ROW.id ? String(value) : formatCell(value, columnOf(this.table, name).type);
        return [cellKey(id, name), { ...stateOf(row, name), text }];
      }),
    );
    this.mark(marks);
  }
}

function keysOf(changed: readonly RowChange[]): string[] {
  return changed.flatMap(({ id, changes }) => Object.keys(changes).map((column) => cellKey(id, column)));
}

function versioned({ base, changes }: RowChange): Values {
  const version = versionOf(base);
  return { ...changes, ...(version ? { _version: version } : {}) };
}

/** Whether a row is what this page wrote, and nothing else: then its version is this page's. */
function isAsWished({ id, base, changes }: RowChange, record: RecordOfRow | undefined): boolean {
  const expected: Cells = { ...base, ...changes, id, _version: record?.["_version"] };
  return !!record && Object.keys(record).every((name) => (record[name] ?? null) === (expected[name] ?? null));
}

/** Whether the cells of a change stand as they are wished, whatever others did to the row. */
function isStored({ changes }: RowChange, record: RecordOfRow | undefined): boolean {
  return !!record && Object.entries(changes).every(([name, value]) => (record[name] ?? null) === value);
}

/** Whether a step back or forth would be refused again, a key that is taken or a column that is gone, in the way of the others. */
function isFinal({ status, code }: ApiFailure): boolean {
  return status === 422 || code === "ROW_NOT_FOUND" || code === "DUPLICATE_KEY";
}

function failureOf(error: unknown): ApiFailure {
  return error instanceof ApiFailure ? error : new ApiFailure();
}

function reasonOf(text: string, reason: string): string {
  return text === "" ? reason : `"${text}" ${reason}`;
}
