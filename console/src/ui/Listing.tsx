import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useState } from "react";
import { useSearchParams } from "wouter";
import { formatCount } from "../values/numbers";
import { t } from "./language";
import { Button, Empty, Pending } from "./parts";

/** Read the address's query and page, from 1, and change them in place; an empty value takes a name away. */
export function useAddress() {
  const [query, setQuery] = useSearchParams();
  const change = (changes: Readonly<Record<string, string>>): void => {
    const next = Object.entries({ ...Object.fromEntries(query), ...changes }).filter(([, value]) => value !== "");
    setQuery(next, { replace: true });
  };
  const text = query.get("pagina") ?? "";
  const page = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 1;
  const go = (next: number): void => change({ pagina: next > 1 ? String(next) : "" });
  return { query, change, at: [page, go] as const };
}

interface ListingProps<Item> {
  /** What tells this list from others; its page comes on top. */
  queryKey: readonly unknown[];
  load: (page: number, signal: AbortSignal) => Promise<{ total: number; records: readonly Item[] }>;
  /** The page that the address names, and how to go to another; without it the list knows its own. */
  at?: readonly [page: number, go: (page: number) => void];
  perPage?: number;
  /** In how many milliseconds these are asked for again, or false. */
  again?: (records: readonly Item[]) => number | false;
  /** What stands there where there is none. */
  empty: ReactNode;
  /** Draws one, as an item of a list; or `whole` draws all. */
  children?: (record: Item, index: number) => ReactNode;
  whole?: (records: readonly Item[]) => ReactNode;
}

/** A list of the API in pages, with what stands there before it comes, instead of it, and where it is empty. */
export function Listing<Item>({ queryKey, load, at, perPage = 20, empty, ...rest }: ListingProps<Item>) {
  const own = useState(1);
  const [page, go] = at ?? own;
  const list = useQuery({
    queryKey: [...queryKey, page],
    queryFn: ({ signal }) => load(page, signal),
    placeholderData: (before) => before,
    refetchInterval: (query) => rest.again?.(query.state.data?.records ?? []) ?? false,
  });
  const { records = [], total = 0 } = list.data ?? {};
  const pages = Math.max(Math.ceil(total / perPage), 1);
  const last = list.isSuccess && !list.isPlaceholderData ? pages : page;
  useEffect(() => {
    if (page > last) go(last); // what stood there is gone, or was never there
  }, [page, last]);
  if (list.error || !list.data || page > last) return <Pending query={list} label={t`Carregando a lista`} />;
  return (
    <>
      {records.length === 0 && (typeof empty === "string" ? <Empty title={empty} /> : empty)}
      {records.length > 0 && rest.whole?.(records)}
      {records.length > 0 && rest.children && <ul className="mt-list">{records.map(rest.children)}</ul>}
      {pages > 1 && (
        <nav className="mt-actions" aria-label={t`Páginas`}>
          <Button disabled={page <= 1} onClick={() => go(page - 1)}>{t`Anterior`}</Button>
          <span>{t`${formatCount((page - 1) * perPage + 1)}–${formatCount(Math.min(page * perPage, total))} de ${formatCount(total)}`}</span>
          <Button disabled={page >= pages} onClick={() => go(page + 1)}>{t`Próxima`}</Button>
        </nav>
      )}
    </>
  );
}
