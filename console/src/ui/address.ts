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

/** The page of a list that a query names, from 1. */
export function pageOf(query: URLSearchParams): number {
  const text = query.get("pagina") ?? "";
  return /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 1;
}
