import { expect, it, vi } from "vitest";
import { generator } from "../../browser/generator";
import { type Api, ApiFailure } from "../api/session";
import type { RecordOfRow, Table } from "../api/types";
import type { Cells } from "../table/columns";
import { EditSession } from "./edits";
import { NEW_ROW, type RowSource } from "./rows";

// Many things at random upon a model of the server: nothing is drawn, and every answer comes when the test says so.
// VITE_SEQUENCES= says how many, VITE_SEED= where they begin: a failure names its own.

const SEQUENCES = Number(import.meta.env["VITE_SEQUENCES"] ?? 2_500);
const SEED = Number(import.meta.env["VITE_SEED"] ?? 1);
const STEPS = 14;
const ROWS = 5;
const NAMES = ["nome", "cidade", "inteiro"] as const;
const FORBIDDEN = "proibido"; // by a rule of the table, which the page does not know

const table = {
  _id: "t",
  rules: [],
  columns: NAMES.map((name) => ({
    name,
    display_name: name,
    type: name === "inteiro" ? "integer" : "text",
    nullable: true,
  })),
} as unknown as Table;

type Row = Record<string, string | null>;
type Asked = { path: { row_id?: string }; body: Record<string, unknown>; headers?: Record<string, string> };
type Fate = "answered" | "unheard" | "unanswered" | "unknown";

/** What the API does with a table's rows, with versions, keys of idempotency and a trash. */
class Server {
  readonly rows = new Map<string, Row>();
  readonly trash = new Map<string, Row>();
  /** What was written by the page, once for each time that it took effect. */
  readonly written: string[] = [];
  private readonly keys = new Map<string, string[]>();
  private version = 0;

  insert(values: Row, isByPage: boolean): string {
    const id = `r${this.rows.size + this.trash.size}`;
    this.put(id, { nome: null, cidade: null, inteiro: null, ...values }, isByPage, values);
    return id;
  }

  change(id: string, values: Row, isByPage: boolean): void {
    this.put(id, { ...this.rows.get(id), ...values }, isByPage, values);
  }

  private put(id: string, row: Row, isByPage: boolean, values: Row): void {
    this.version += 1;
    this.rows.set(id, { ...row, id, _version: `v${this.version}`, _by: isByPage ? "page" : "other" });
    if (isByPage) this.written.push(...Object.values(values).flatMap((value) => value ?? []));
  }

  remove(id: string): void {
    this.trash.set(id, this.get(id));
    this.rows.delete(id);
  }

  get(id: string): Row {
    const row = this.rows.get(id);
    if (!row) throw new ApiFailure(404, { code: "ROW_NOT_FOUND", error: "gone" });
    return row;
  }

  record(id: string): RecordOfRow {
    const { _by, ...record } = this.get(id);
    return record as unknown as RecordOfRow;
  }

  /** Do what is asked, whole or not at all. */
  answer(method: string, path: string, { path: { row_id: only }, body, headers }: Asked): unknown {
    const ids = (body["ids"] ?? []) as string[];
    switch (`${method} ${path}`) {
      case "PUT /{table_id}/data/{row_id}":
        this.update([{ id: only ?? "", ...body } as Row]);
        return this.record(only ?? "");
      case "PATCH /{table_id}/data":
        return this.update(body["rows"] as Row[]);
      case "POST /{table_id}/data":
        return { ids: this.insertOnce(body["rows"] as Row[], headers?.["Idempotency-Key"] ?? "") };
      case "POST /{table_id}/data/query":
        return { records: this.found((body["where"] as { value: string[] }).value) };
      case "POST /{table_id}/data/delete":
        for (const id of ids) this.get(id);
        for (const id of ids) this.remove(id);
        return {};
      case "POST /{table_id}/trash/restore":
        for (const id of ids) this.restore(id);
        return {};
      default:
        throw new Error(`${method} ${path}`);
    }
  }

  found(ids: readonly string[]): RecordOfRow[] {
    return ids.flatMap((id) => (this.rows.has(id) ? this.record(id) : []));
  }

  private update(rows: readonly Row[]): void {
    for (const { id, _version } of rows)
      if (this.get(id ?? "")["_version"] !== _version) throw new ApiFailure(412, { code: "ROW_CHANGED", error: "old" });
    refuseForbidden(rows);
    for (const { id, _version, ...values } of rows) this.change(id ?? "", values, true);
  }

  private insertOnce(rows: readonly Row[], key: string): string[] {
    refuseForbidden(rows);
    const ids = this.keys.get(key) ?? rows.map((row) => this.insert(row, true));
    this.keys.set(key, ids);
    return ids;
  }

  private restore(id: string): void {
    const row = this.trash.get(id);
    if (!row) return;
    this.trash.delete(id);
    this.put(id, row, true, {});
  }
}

function refuseForbidden(rows: readonly Row[]): void {
  const details = rows.flatMap((row, at) =>
    Object.entries(row).flatMap(([column, value]) =>
      value?.includes(FORBIDDEN) ? { row: at, column, reason: "não é permitido" } : [],
    ),
  );
  if (details.length > 0) throw new ApiFailure(422, { code: "RULE_BROKEN", error: "breaks a rule", details } as object);
}

/** A person at a grid, without the grid. */
class Trial {
  readonly log: string[] = [];
  readonly server = new Server();
  readonly session: EditSession;
  private readonly waiting: (() => void)[] = [];
  private shown: RecordOfRow[] = [];
  private made = 0;
  /** How often a person had a value written again: by undo and redo, or over a colleague's. */
  private steps = 0;

  constructor(
    private readonly random: () => number,
    private readonly isAlone: boolean,
  ) {
    for (let row = 0; row < ROWS; row += 1) this.server.insert({ nome: this.value(), cidade: this.value() }, false);
    this.shown = this.stored();
    const call = (method: string) => (path: string, asked: Asked) => this.send(method, path, asked);
    const api = { GET: call("GET"), POST: call("POST"), PUT: call("PUT"), PATCH: call("PATCH") } as unknown as Api;
    this.session = new EditSession(api, table);
    this.session.sheet = {
      rows: this.source(),
      announce: () => {},
      kept: () => {},
      refused: () => {},
      inserted: () => this.reload(),
    };
  }

  private source(): RowSource {
    const trial = this;
    return {
      get total() {
        return trial.shown.length;
      },
      rowAt: (index: number) => this.shown[index],
      indexOf: (id: string) => this.shown.findIndex((row) => row.id === id),
      read: async (first: number, end: number) =>
        Array.from({ length: end - first }, (_, at) => this.shown[first + at]),
      replace: (record: RecordOfRow) => {
        this.shown = this.shown.map((row) => (row.id === record.id ? record : row));
      },
      reload: async () => this.reload(),
    } as unknown as RowSource;
  }

  private stored(): RecordOfRow[] {
    return [...this.server.rows.keys()].map((id) => this.server.record(id));
  }

  private reload(): void {
    this.shown = this.stored();
  }

  pick<One>(choices: readonly One[]): One {
    return choices[Math.floor(this.random() * choices.length)] as One;
  }

  private value(): string {
    this.made += 1;
    return `valor ${this.made}`;
  }

  /** Make a text for a column: of one's own, so that it is known again; some are no values, some are refused. */
  private text(name: string): string {
    const kind = this.isAlone ? 1 : this.random();
    this.made += 1;
    if (name === "inteiro") return kind < 0.2 ? "não é número" : String(1_000 + this.made);
    return `${kind < 0.1 ? FORBIDDEN : "texto"} ${this.made}`;
  }

  private fate(): Fate {
    const chance = this.random();
    if (chance < 0.12) return "unheard";
    if (chance < 0.24) return "unanswered";
    return chance < 0.3 && !this.isAlone ? "unknown" : "answered";
  }

  /** Take what is asked now, before or after others; answer, or not, when `hear` comes to it. */
  private send(method: string, path: string, asked: Asked): Promise<unknown> {
    const fate = path.endsWith("/query") ? this.pick<Fate>(["answered", "answered", "unheard"]) : this.fate();
    const copy = structuredClone({ path: asked.path, body: asked.body, headers: asked.headers ?? {} });
    return new Promise((resolve, reject) => {
      this.waiting.push(() => {
        if (fate === "unheard") return reject(new ApiFailure());
        try {
          const answer = structuredClone(this.server.answer(method, path, copy));
          if (fate === "unanswered") reject(new ApiFailure());
          else if (fate === "unknown") reject(new ApiFailure(504, { code: "OUTCOME_UNKNOWN", error: "unknown" }));
          else resolve(answer);
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  /** Let everything run that waits for nobody. */
  private async run(): Promise<void> {
    for (let tick = 0; tick < 40; tick += 1) await Promise.resolve();
  }

  private hear(): void {
    const [at] = [Math.floor(this.random() * this.waiting.length)];
    this.waiting.splice(at, 1)[0]?.();
  }

  readonly doings: Record<string, () => unknown> = {
    edit: () => {
      const [row, name] = [this.pick(this.shown), this.pick(NAMES)];
      if (row) this.session.edit(row, name, this.pick([this.text(name), this.text(name), ""]));
    },
    paste: () => {
      const top = Math.floor(this.random() * this.shown.length);
      const lines = Array.from({ length: 2 }, () => `${this.text("nome")}\t${this.text("cidade")}`);
      const columns = table.columns.map((column) => ({ ...column, width: 1, left: null }));
      return this.session.paste({ top, bottom: top, left: 0, right: 0 }, lines.join("\n"), columns);
    },
    fill: () => {
      const columns = table.columns.map((column) => ({ ...column, width: 1, left: null }));
      return this.session.fill({ top: 0, bottom: Math.min(2, this.shown.length - 1), left: 0, right: 1 }, columns);
    },
    undo: () => {
      this.steps += 1;
      this.session.undo();
    },
    redo: () => {
      this.steps += 1;
      this.session.redo();
    },
    foot: () => {
      const name = this.pick(NAMES);
      this.session.editNew(this.session.begun(), name, this.text(name));
    },
    delete: () => {
      const row = this.pick(this.shown);
      if (row && this.shown.length > 2) void this.session.delete([row.id]).catch(() => {});
    },
    sort: () => {
      this.reload();
      const name = this.pick(NAMES);
      this.shown.sort((one, other) => String(one[name]).localeCompare(String(other[name])));
    },
    hear: () => this.hear(),
  };

  readonly doingsOfOthers: Record<string, () => unknown> = {
    colleague: () => {
      const id = this.pick([...this.server.rows.keys()]);
      if (id) this.server.change(id, { [this.pick(["nome", "cidade"])]: this.value() }, false);
    },
    deletion: () => {
      const id = this.pick([...this.server.rows.keys()]);
      if (id && this.server.rows.size > 3) this.server.remove(id);
    },
  };

  async go(): Promise<void> {
    const doings = Object.entries({ ...this.doings, ...(this.isAlone ? {} : this.doingsOfOthers) });
    for (let step = 0; step < STEPS; step += 1) {
      const [name, doing] = this.pick(doings);
      this.log.push(name);
      void doing();
      await this.run();
      if (this.random() < 0.5) await this.next();
    }
    for (let round = 0; !(await this.isAtRest()); round += 1) {
      if (round > 400) throw new Error("comes to no rest");
      await this.next();
    }
  }

  private async next(): Promise<void> {
    const { conflict, pasted, again } = this.session.state.get();
    if (this.waiting.length > 0) this.hear();
    else if (conflict) {
      const isMine = this.random() < 0.5;
      this.steps += Number(isMine);
      this.session.settle(isMine);
    } else if (pasted) this.session.answer(this.pick(["all", "within", "nothing"]));
    else again?.();
    await this.run();
  }

  /** Whether nothing is on its way; what nobody knows of is looked at, what was refused is given up. */
  private async isAtRest(): Promise<boolean> {
    const { waiting, conflict, pasted, failure, marks } = this.session.state.get();
    if (this.waiting.length > 0 || waiting > 0 || conflict || pasted) return false;
    if (failure?.code === "OUTCOME_UNKNOWN") this.session.check();
    else if (marks.size > 0) {
      const [key = ""] = marks.keys();
      const [id = "", name = ""] = key.split("/");
      this.session.discard(id === NEW_ROW.id ? NEW_ROW : { id }, name);
    } else return !this.session.isUnsaved;
    await this.run();
    return false;
  }

  compare(): void {
    const stored = new Map(this.server.rows);
    for (const { id, ...cells } of this.shown) {
      const { _by, id: _, ...now } = stored.get(id) ?? {};
      if (_by === "page") expect(cells as Cells).toEqual(now); // what others have done since shows at the next look
    }
    const times = new Map<string, number>();
    for (const value of this.server.written) times.set(value, (times.get(value) ?? 0) + 1);
    if (this.steps === 0 && !this.log.includes("fill")) {
      const twice = [...times].filter(([value, count]) => count > 1 && /^(texto|\d)/.test(value));
      expect(twice).toEqual([]);
    }
  }
}

it(`shows what is stored after ${SEQUENCES} random sequences, and nothing takes effect twice`, {
  timeout: 3_600_000,
}, async () => {
  vi.useFakeTimers();
  for (let seed = SEED; seed < SEED + SEQUENCES; seed += 1) {
    const trial = new Trial(generator(seed), seed % 4 === 0);
    try {
      await trial.go();
      trial.compare();
    } catch (error) {
      throw new Error(`VITE_SEED=${seed} VITE_SEQUENCES=1: ${trial.log.join(" ")}: ${error}`, { cause: error });
    }
    vi.clearAllTimers();
  }
  vi.useRealTimers();
});
