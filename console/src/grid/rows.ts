import { isCancelledError, type QueryClient, queryOptions, useQueries, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import type { Api } from "../api/session";
import type { Query, RecordOfRow, Table } from "../api/types";
import { cellKey } from "../table/columns";
import { queryRows } from "../table/queries";
import { useConsole } from "../ui/context";
import { Store, useStore } from "../ui/store";
import { askedOf, type GridView } from "./view";

const BLOCK = 200;
const KEPT_MS = 10_000; // out of sight: a scroll bar that is dragged leaves some six blocks a second behind
const NEEDED_MS = 300_000; // where many are waited for, until the last one is here
const SETTLE_MS = 80; // a scroll bar that is dragged asks for nothing on the way

/** Which rows, in which order; pages come on top. */
type Asked = Pick<Query, "where" | "q" | "sort">;
type Block = Awaited<ReturnType<typeof queryRows>>;

/** Read the rows of a table under a view, in blocks, as they come into sight. */
export function useRows(table: Table, view: GridView): RowSource {
  const { api, announce } = useConsole();
  const queries = useQueryClient();
  const key = JSON.stringify({ ...askedOf(view), sort: view.sort });
  const rows = useMemo(() => new RowSource(queries, api, table._id, key), [queries, api, table._id, key]);
  const inSight = useStore(rows.inSight);
  const blocks = useQueries({ queries: [...new Set([0, ...inSight])].map(rows.block) });
  rows.announce = announce;
  rows.failure = blocks.find(({ error }) => error)?.error ?? null;
  return rows;
}

/** Return the rows in sight, in blocks, as far as they are here. */
export function useBlocks(rows: RowSource): readonly (readonly RecordOfRow[])[] {
  return useStore(rows.inSight).map(rows.recordsOf);
}

function versionsOf(block: Block | undefined): string {
  return (block?.records ?? []).map(({ id, _version }) => `${id} ${_version}`).join();
}

/** Rows in blocks, each a query of its own; the first one counts all, and so it always stays. */
export class RowSource {
  readonly inSight = new Store<readonly number[]>([0]);
  failure: Error | null = null;
  announce: (text: string) => void = () => {};
  private readonly asked: Asked;
  private readonly ofTable: readonly unknown[];
  private readonly key: readonly unknown[];
  private timer = 0;

  constructor(
    private readonly queries: QueryClient,
    private readonly api: Api,
    private readonly tableId: string,
    asked: string,
  ) {
    this.asked = JSON.parse(asked) as Asked;
    this.ofTable = ["rows", tableId];
    this.key = [...this.ofTable, asked]; // as a text: of two objects or lists the one that is part of the other matches it
  }

  /** How many rows match; null until the first answer. */
  get total(): number | null {
    return this.kept(0)?.total ?? null;
  }

  readonly rowAt = (index: number): RecordOfRow | undefined =>
    this.kept(Math.floor(index / BLOCK))?.records[index % BLOCK];

  readonly recordsOf = (block: number): readonly RecordOfRow[] => this.kept(block)?.records ?? [];

  private kept(number: number): Block | undefined {
    return this.queries.getQueryData<Block>([...this.key, number]);
  }

  /** Where a row of this id is, or -1. */
  readonly indexOf = (id: string): number => {
    for (const [key, block] of this.queries.getQueriesData<Block>({ queryKey: this.key })) {
      const place = block?.records.findIndex((row) => row.id === id) ?? -1;
      if (place >= 0) return Number(key.at(-1)) * BLOCK + place;
    }
    return -1;
  };

  readonly block = (number: number) =>
    queryOptions({
      queryKey: [...this.key, number],
      queryFn: ({ signal }) => queryRows(this.api, this.tableId, this.pageQuery(number), signal),
      retry: false, // what went wrong is shown, with the way to try again
      gcTime: KEPT_MS,
      structuralSharing: false,
      notifyOnChangeProps: ["data", "error"],
    });

  private pageQuery(number: number): Query {
    const before = this.queries.getQueryState<Block>([...this.key, number - 1]);
    const cursor = before?.isInvalidated ? null : before?.data?.next_cursor;
    const place = cursor ? { cursor } : { page: number + 1 };
    return { ...this.asked, ...place, per_page: BLOCK, count: number === 0 };
  }

  readonly show = (first: number, end: number): void => {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      const numbers = numbersOf(first, end);
      if (numbers.join() !== this.inSight.get().join()) this.inSight.set(numbers);
    }, SETTLE_MS);
  };

  /** Wait until these rows are here, as far as there are such; resolves with whether they are. */
  readonly need = (first: number, end: number): Promise<boolean> => {
    const kept = { staleTime: Number.POSITIVE_INFINITY, gcTime: NEEDED_MS };
    const asked = numbersOf(first, end).map((number) => this.queries.fetchQuery({ ...this.block(number), ...kept }));
    return Promise.all(asked).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Error && !isCancelledError(error)) this.announce(error.message);
        return false;
      },
    );
  };

  /** Wait for these rows, as far as there are such, and return them; null where they do not come, which is told. */
  readonly read = async (first: number, end: number): Promise<(RecordOfRow | undefined)[] | null> => {
    if (!(await this.need(first, Math.min(end, this.total ?? 0)))) return null;
    return Array.from({ length: end - first }, (_, at) => this.rowAt(first + at));
  };

  /** Ask again for what is shown, which stays until the answers are there. */
  readonly reload = (): Promise<void> => this.queries.invalidateQueries({ queryKey: this.ofTable });

  /** Put a row's newer state in its place. */
  readonly replace = (record: RecordOfRow): void => {
    this.queries.setQueriesData<Block>({ queryKey: this.ofTable }, (block) =>
      block?.records.some(({ id }) => id === record.id)
        ? { ...block, records: block.records.map((row) => (row.id === record.id ? record : row)) }
        : undefined,
    );
  };

  /** Forget the rows of other views: one that was changed may no longer match them, or belongs elsewhere there. */
  readonly forgetOthers = (): void =>
    this.queries.removeQueries({
      queryKey: this.ofTable,
      predicate: ({ queryKey }) => queryKey[2] !== this.key[2],
    });

  /**
   * Ask by versions whether what is in sight is as it was; where it is not, and they are not held, show what has changed.
   * Returns which cells that were in sight have.
   */
  readonly look = async (isHeld: () => boolean): Promise<ReadonlySet<string>> => {
    const [number = 0] = this.inSight.get();
    const before = this.kept(number);
    const isBusy = (): boolean => this.queries.isFetching({ queryKey: this.key }) > 0 || this.kept(number) !== before;
    if (isBusy() || !before) return new Set();
    const now = await queryRows(this.api, this.tableId, { ...this.pageQuery(number), count: false, fields: [] });
    if (isBusy() || isHeld() || versionsOf(now as Block) === versionsOf(before)) return new Set();
    await this.reload();
    const changed = before.records.flatMap((row) => {
      const record = this.rowAt(this.indexOf(row.id));
      const names = Object.keys(record ?? {}).filter((name) => record?.[name] !== row[name]);
      return names.map((name) => cellKey(row.id, name));
    });
    return new Set(changed);
  };
}

/** The empty row at the foot, which takes a new one. */
export const NEW_ROW: RecordOfRow = { id: "+" };

/** Return the numbers of the blocks that hold some rows; the first where there are none. */
function numbersOf(first: number, end: number): number[] {
  const from = Math.floor(first / BLOCK);
  return Array.from({ length: Math.max(Math.ceil(end / BLOCK) - from, 1) }, (_, at) => from + at);
}
