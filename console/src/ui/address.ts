import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

/** Read the address's query, and change it in place; an empty value takes a name away. */
export function useAddress(): [URLSearchParams, (changes: Readonly<Record<string, string>>) => void] {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const query = useMemo(() => new URLSearchParams(search), [search]);
  const change = useCallback(
    (changes: Readonly<Record<string, string>>) => {
      const next = new URLSearchParams(search);
      for (const [name, value] of Object.entries(changes)) {
        if (value === "") next.delete(name);
        else next.set(name, value);
      }
      navigate(next.size > 0 ? `${path}?${next}` : path, { replace: true });
    },
    [search, path, navigate],
  );
  return [query, change];
}

/** The page of a list that the address names, from 1, and how to go to another. */
export function pageOf([query, change]: ReturnType<typeof useAddress>): readonly [number, (page: number) => void] {
  const text = query.get("pagina") ?? "";
  const page = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 1;
  return [page, (next) => change({ pagina: next > 1 ? String(next) : "" })];
}
