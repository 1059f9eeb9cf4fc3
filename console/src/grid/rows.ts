import { useEffect, useMemo } from "react";
import { type Api, ApiFailure } from "../api/session";
import type { Query, RecordOfRow, Table } from "../api/types";
import { Store, useStore } from "../ui/store";
import { askedOf, type GridView } from "./view";

const BLOCK = 200;
const MAX_BLOCKS = 40; // 8,000 rows kept: about 10 MB of ten columns
const FLASH_MS = 2_500; // as in styles.css
const SETTLE_MS = 80; // a scroll bar that is dragged asks for nothing on the way

interface Block {
  rows: readonly RecordOfRow[];
  nextCursor: string | null;
  /** Whether rows may have changed: it is shown until its newer state is there. */
  isStale: boolean;
}

/** Which rows, in which order; pages come on top. */
type Asked = Pick<Query, "where" | "q" | "sort">;

/** How many rows match (null until the first answer), what went wrong, and how often rows have changed. */
interface RowsState {
  total: number | null;
  failure: ApiFailure | null;
  edition: number;
}

/** Read the rows of a table under a view, in blocks, as they come into sight. */
export function useRows(api: Api, table: Table, view: GridView): RowSource {
  const key = JSON.stringify({ ...askedOf(view), sort: view.sort });
  const source = useMemo(() => new RowSource(api, table._id, JSON.parse(key) as Asked), [api, table._id, key]);
  useStore(source.state);
  useEffect(() => {
    source.start();
    return () => source.stop();
  }, [source]);
  return source;
}

/** Ask for rows as they are now, exactly. */
export async function readRows(api: Api, tableId: string, rows: readonly { id: string }[]): Promise<RecordOfRow[]> {
  const where = { column: "id", op: "in" as const, value: rows.map(({ id }) => id) };
  return (await queryRows(api, tableId, { where, per_page: Math.max(rows.length, 1), count: false })).records;
}

async function queryRows(api: Api, tableId: string, body: Query, signal?: AbortSignal) {
  const page = await api.POST("/{table_id}/data/query", {
    path: { table_id: tableId },
    query: { numbers: "string", versions: true },
    body,
    signal,
  });
  return { ...page, records: page.records as RecordOfRow[] };
}

function versionsOf(records: readonly RecordOfRow[]): string {
  return records.map(({ id, _version }) => `${id} ${_version}`).join();
}

/** Rows in blocks, as they come into sight, the ones used last; an answer to an earlier question changes nothing. */
export class RowSource {
  readonly state = new Store<RowsState>({ total: null, failure: null, edition: 0 });
  private readonly blocks = new Map<number, Block>();
  private readonly asked = new Map<number, AbortController>();
  private timer = 0;
  private stopped = false;
  private mustCount = true;
  private inSight: [number, number] = [0, 1];
  private fresh: ReadonlySet<string> = new Set();

  constructor(
    private readonly api: Api,
    private readonly tableId: string,
    private readonly query: Asked,
  ) {}

  get total(): number | null {
    return this.state.get().total;
  }

  readonly rowAt = (index: number): RecordOfRow | undefined => this.rowsOf(Math.floor(index / BLOCK))[index % BLOCK];

  private rowsOf(number: number): readonly RecordOfRow[] {
    return this.blocks.get(number)?.rows ?? [];
  }

  /** Where a row of this id is, or -1. */
  readonly indexOf = (id: string): number => {
    for (const [number, { rows }] of this.blocks) {
      const place = rows.findIndex((row) => row.id === id);
      if (place >= 0) return number * BLOCK + place;
    }
    return -1;
  };

  /** Whether a colleague has just changed a cell. */
  readonly isFresh = (id: string, column: string): boolean => this.fresh.has(`${id} ${column}`);

  start(): void {
    this.stopped = false;
    this.blocks.clear();
    void this.load(0);
  }

  stop(): void {
    this.stopped = true;
    window.clearTimeout(this.timer);
    this.abort();
  }

  private abort(): void {
    for (const controller of this.asked.values()) controller.abort();
    this.asked.clear();
  }

  /** Ask again for what is shown, which stays until the answers are there. */
  readonly reload = async (): Promise<void> => {
    this.abort();
    for (const block of this.blocks.values()) block.isStale = true;
    this.mustCount = true;
    await this.need(...this.inSight);
  };

  /** Ask by versions whether what is in sight is as it was; where it is not, show what has changed. */
  readonly look = async (): Promise<void> => {
    if (this.asked.size > 0 || this.total === null) return;
    const number = Math.floor(this.inSight[0] / BLOCK);
    const before = versionsOf(this.rowsOf(number));
    const ids = { ...this.pageQuery(number), fields: [] };
    const { records } = await queryRows(this.api, this.tableId, ids);
    if (this.stopped || before !== versionsOf(this.rowsOf(number))) return; // changed by this page meanwhile
    if (versionsOf(records) === before) return;
    const [first, end] = this.inSight;
    const old = Array.from({ length: end - first }, (_, at) => this.rowAt(first + at));
    await this.reload();
    const changes = old.flatMap((row) => {
      const now = row && this.rowAt(this.indexOf(row.id));
      return Object.keys(now ?? {}).flatMap((name) =>
        row && now && now[name] !== row[name] ? [`${row.id} ${name}`] : [],
      );
    });
    this.flash(new Set(changes));
    window.setTimeout(() => this.flash(new Set()), FLASH_MS);
  };

  private flash(fresh: ReadonlySet<string>): void {
    this.fresh = fresh;
    this.changed({});
  }

  readonly show = (first: number, end: number): void => {
    this.inSight = [first, end];
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.need(first, end), SETTLE_MS);
  };

  /** Put a row's newer state in its place. */
  readonly replace = (record: RecordOfRow): void => {
    for (const block of this.blocks.values())
      block.rows = block.rows.map((row) => (row.id === record.id ? record : row));
    this.changed({});
  };

  private changed(changes: Partial<RowsState>): void {
    if (!this.stopped) this.state.update({ ...changes, edition: this.state.get().edition + 1 });
  }

  /** Wait until these rows are here, as far as there are such. */
  readonly need = async (first: number, end: number): Promise<void> => {
    const wanted = new Set<number>();
    for (let number = Math.floor(first / BLOCK); number * BLOCK < Math.max(end, 1); number += 1) wanted.add(number);
    for (const [number, controller] of this.asked) if (!wanted.has(number) && number !== 0) controller.abort();
    const missing = [...wanted].filter((number) => !this.current(number) && !this.asked.has(number));
    await Promise.all(missing.map((number) => this.load(number)));
  };

  private current(number: number): Block | null {
    const block = this.blocks.get(number);
    return block && !block.isStale ? block : null;
  }

  private async load(number: number): Promise<void> {
    const controller = new AbortController();
    this.asked.set(number, controller);
    const isLeft = (): boolean => this.stopped || controller.signal.aborted;
    try {
      const page = await queryRows(this.api, this.tableId, this.pageQuery(number), controller.signal);
      if (isLeft()) return;
      this.keep(number, { rows: page.records, nextCursor: page.next_cursor ?? null, isStale: false });
      if (page.total !== null) this.mustCount = false;
      this.changed({ failure: null, ...(page.total === null ? {} : { total: page.total }) });
    } catch (error) {
      if (!isLeft()) this.changed({ failure: error instanceof ApiFailure ? error : new ApiFailure(0, {}, null) });
    } finally {
      if (this.asked.get(number) === controller) this.asked.delete(number);
    }
  }

  private keep(number: number, block: Block): void {
    this.blocks.delete(number); // what is kept again is the newest
    this.blocks.set(number, block);
    const [oldest] = this.blocks.keys();
    if (this.blocks.size > MAX_BLOCKS && oldest !== undefined) this.blocks.delete(oldest);
  }

  private pageQuery(number: number): Query {
    const cursor = this.current(number - 1)?.nextCursor;
    const place = cursor ? { cursor } : { page: number + 1 };
    return { ...this.query, ...place, ...(this.mustCount ? {} : { count: false }), per_page: BLOCK };
  }
}
