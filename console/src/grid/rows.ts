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
  const key = JSON.stringify({ ...askedOf(view), ...(view.sorts.length > 0 ? { sort: view.sorts } : {}) });
  const store = useMemo(() => new BlockStore(), [table._id]);
  const source = useMemo(() => new RowSource(api, table._id, JSON.parse(key) as Asked, store), [api, key, store]);
  useStore(source.state);
  useEffect(() => {
    source.start();
    return () => source.stop();
  }, [source]);
  return source;
}

/** Ask for rows as they are now, exactly, by their ids. */
export async function readRows(api: Api, tableId: string, ids: readonly string[]): Promise<RecordOfRow[]> {
  const page = await queryRows(api, tableId, {
    where: { column: "id", op: "in", value: [...ids] },
    per_page: Math.max(ids.length, 1),
    count: false,
  });
  return page.records;
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

/** Rows in blocks, the ones used last; a block that is stale is shown until its newer state is there. */
export class BlockStore {
  private readonly blocks = new Map<number, Block>();
  private readonly stale = new Set<number>();

  clear(): void {
    this.blocks.clear();
    this.stale.clear();
  }

  markStale(): void {
    for (const number of this.blocks.keys()) this.stale.add(number);
  }

  has(number: number): boolean {
    return this.blocks.has(number) && !this.stale.has(number);
  }

  versions(number: number): string {
    return versionsOf(this.blocks.get(number)?.rows ?? []);
  }

  cursorAfter(number: number): string | null {
    return this.has(number) ? (this.blocks.get(number)?.nextCursor ?? null) : null;
  }

  indexOf(id: string): number {
    for (const [number, block] of this.blocks) {
      const place = block.rows.findIndex((row) => row.id === id);
      if (place >= 0) return number * BLOCK + place;
    }
    return -1;
  }

  rowAt(index: number): RecordOfRow | undefined {
    return this.blocks.get(Math.floor(index / BLOCK))?.rows[index % BLOCK];
  }

  keep(number: number, block: Block): void {
    this.stale.delete(number);
    this.blocks.delete(number);
    this.blocks.set(number, block);
    for (const oldest of this.blocks.keys()) {
      if (this.blocks.size <= MAX_BLOCKS) break;
      this.blocks.delete(oldest);
    }
  }

  replace(row: RecordOfRow): void {
    for (const [number, block] of this.blocks) {
      const place = block.rows.findIndex((one) => one.id === row.id);
      if (place < 0) continue;
      const rows = [...block.rows];
      rows[place] = row;
      this.blocks.set(number, { ...block, rows });
    }
  }
}

/** Asks for the blocks that come into sight; an answer to an earlier question changes nothing. */
export class RowSource {
  readonly state = new Store<RowsState>({ total: null, failure: null, edition: 0 });
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
    private readonly store: BlockStore,
  ) {}

  get total(): number | null {
    return this.state.get().total;
  }

  readonly rowAt = (index: number): RecordOfRow | undefined => this.store.rowAt(index);

  /** Where a row of this id is, or -1. */
  readonly indexOf = (id: string): number => this.store.indexOf(id);

  /** Whether a colleague has just changed a cell. */
  readonly isFresh = (id: string, column: string): boolean => this.fresh.has(`${id} ${column}`);

  start(): void {
    this.stopped = false;
    this.store.clear();
    void this.load(0);
  }

  stop(): void {
    this.stopped = true;
    window.clearTimeout(this.timer);
    for (const controller of this.asked.values()) controller.abort();
    this.asked.clear();
  }

  /** Ask again for what is shown, which stays until the answers are there. */
  readonly reload = async (): Promise<void> => {
    for (const controller of this.asked.values()) controller.abort();
    this.asked.clear();
    this.store.markStale();
    this.mustCount = true;
    await this.request(...this.inSight);
  };

  /** Ask by versions whether what is in sight is as it was; where it is not, show what has changed. */
  readonly look = async (): Promise<void> => {
    if (this.asked.size > 0 || this.total === null) return;
    const number = Math.floor(this.inSight[0] / BLOCK);
    const before = this.store.versions(number);
    const ids = { ...this.pageQuery(number), fields: [] };
    const { records } = await queryRows(this.api, this.tableId, ids);
    if (this.stopped || before !== this.store.versions(number)) return; // changed by this page meanwhile
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
    this.timer = window.setTimeout(() => void this.request(first, end), SETTLE_MS);
  };

  /** Wait until these rows are here, as far as there are such. */
  readonly need = (first: number, end: number): Promise<void> => this.request(first, end);

  /** Put a row's newer state in its place. */
  readonly replace = (record: RecordOfRow): void => {
    this.store.replace(record);
    this.changed({});
  };

  private changed(changes: Partial<RowsState>): void {
    if (!this.stopped) this.state.update({ ...changes, edition: this.state.get().edition + 1 });
  }

  private async request(first: number, end: number): Promise<void> {
    const wanted = new Set<number>();
    for (let number = Math.floor(first / BLOCK); number * BLOCK < Math.max(end, 1); number += 1) wanted.add(number);
    for (const [number, controller] of this.asked) if (!wanted.has(number) && number !== 0) controller.abort();
    const missing = [...wanted].filter((number) => !this.store.has(number) && !this.asked.has(number));
    await Promise.all(missing.map((number) => this.load(number)));
  }

  private async load(number: number): Promise<void> {
    const controller = new AbortController();
    this.asked.set(number, controller);
    const isLeft = (): boolean => this.stopped || controller.signal.aborted;
    try {
      const page = await queryRows(this.api, this.tableId, this.pageQuery(number), controller.signal);
      if (isLeft()) return;
      this.store.keep(number, { rows: page.records, nextCursor: page.next_cursor ?? null });
      if (page.total !== null) this.mustCount = false;
      this.changed({ failure: null, ...(page.total === null ? {} : { total: page.total }) });
    } catch (error) {
      if (!isLeft()) this.changed({ failure: error instanceof ApiFailure ? error : new ApiFailure(0, {}, null) });
    } finally {
      if (this.asked.get(number) === controller) this.asked.delete(number);
    }
  }

  private pageQuery(number: number): Query {
    const cursor = number > 0 ? this.store.cursorAfter(number - 1) : null;
    const place = cursor ? { cursor } : { page: number + 1 };
    return { ...this.query, ...place, ...(this.mustCount ? {} : { count: false }), per_page: BLOCK };
  }
}
