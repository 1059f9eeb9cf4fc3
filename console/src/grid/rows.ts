import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Api, ApiFailure, answered } from "../api/session";
import type { Cell } from "../values/cells";
import type { GridRow } from "./Grid";
import { type GridView, rowsQuery } from "./view";

const BLOCK = 200;
const MAX_BLOCKS = 40; // 8,000 rows kept: about 10 MB of ten columns
const SETTLE_MS = 80; // a scroll bar that is dragged asks for nothing on the way

export interface RecordOfRow {
  id: string;
  _version?: string;
  [column: string]: Cell;
}

interface Block {
  rows: readonly GridRow[];
  nextCursor: string | null;
}

export interface Rows {
  /** How many rows match; null until the first answer. */
  total: number | null;
  failure: ApiFailure | null;
  rowAt: (index: number) => GridRow | undefined;
  indexOf: (id: string) => number;
  show: (first: number, end: number) => void;
  /** Put a row's newer state in its place. */
  replace: (record: RecordOfRow) => void;
  /** Ask again for what is shown, which stays until the answers are there. */
  reload: () => Promise<void>;
}

export function toGridRow(record: RecordOfRow): GridRow {
  const { id, ...cells } = record;
  return { id, cells };
}

/** Read the rows of a table under a view, in blocks, as they come into sight. */
export function useRows(api: Api, tableId: string, view: GridView): Rows {
  const query = useMemo(() => rowsQuery(view), [view.conditions, view.search, view.sorts]);
  const key = `${tableId}?${new URLSearchParams(query)}`;
  const [, redraw] = useState(0);
  const store = useRef(new BlockStore());
  const loader = useMemo(
    () => new BlockLoader(api, tableId, query, store.current, () => redraw((n) => n + 1)),
    [api, key],
  );
  useEffect(() => {
    loader.start();
    return () => loader.stop();
  }, [loader]);
  const rowAt = useCallback((index: number) => store.current.rowAt(index), []);
  const show = useCallback((first: number, end: number) => loader.show(first, end), [loader]);
  const replace = useCallback((record: RecordOfRow) => {
    store.current.replace(toGridRow(record));
    redraw((n) => n + 1);
  }, []);
  const indexOf = useCallback((id: string) => store.current.indexOf(id), []);
  const reload = useCallback(() => loader.reload(), [loader]);
  return { total: loader.total, failure: loader.failure, rowAt, indexOf, show, replace, reload };
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

  rowAt(index: number): GridRow | undefined {
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

  replace(row: GridRow): void {
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
export class BlockLoader {
  total: number | null = null;
  failure: ApiFailure | null = null;
  private readonly asked = new Map<number, AbortController>();
  private timer = 0;
  private stopped = false;
  private mustCount = true;
  private inSight: [number, number] = [0, 1];

  constructor(
    private readonly api: Api,
    private readonly tableId: string,
    private readonly query: Record<string, string>,
    private readonly store: BlockStore,
    private readonly changed: () => void,
  ) {}

  start(): void {
    this.stopped = false;
    this.store.clear();
    void this.load(0);
  }

  async reload(): Promise<void> {
    for (const controller of this.asked.values()) controller.abort();
    this.asked.clear();
    this.store.markStale();
    this.mustCount = true;
    await this.request(...this.inSight);
  }

  stop(): void {
    this.stopped = true;
    window.clearTimeout(this.timer);
    for (const controller of this.asked.values()) controller.abort();
    this.asked.clear();
  }

  show(first: number, end: number): void {
    this.inSight = [first, end];
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.request(first, end), SETTLE_MS);
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
    try {
      const page = await answered(
        this.api.GET("/v1/managed-tables/{table_id}/data", {
          params: { path: { table_id: this.tableId }, query: this.pageQuery(number) as never },
          signal: controller.signal,
        }),
      );
      if (this.stopped || controller.signal.aborted) return;
      const records = page.records as unknown as RecordOfRow[];
      this.store.keep(number, { rows: records.map(toGridRow), nextCursor: page.next_cursor ?? null });
      if (page.total !== null && page.total !== undefined) {
        this.total = page.total;
        this.mustCount = false;
      }
      this.failure = null;
    } catch (error) {
      if (this.stopped || controller.signal.aborted) return;
      this.failure = error instanceof ApiFailure ? error : new ApiFailure(0, {}, null);
    } finally {
      if (this.asked.get(number) === controller) this.asked.delete(number);
      if (!this.stopped) this.changed();
    }
  }

  private pageQuery(number: number): Record<string, string> {
    const cursor = number > 0 ? this.store.cursorAfter(number - 1) : null;
    const place: Record<string, string> = cursor ? { cursor } : { page: String(number + 1) };
    const count: Record<string, string> = this.mustCount ? {} : { count: "false" };
    return { ...this.query, ...place, ...count, per_page: String(BLOCK) };
  }
}
