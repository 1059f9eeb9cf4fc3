import { useSearchParams } from "wouter";

/** Read the address's query, and change it in place; an empty value takes a name away. */
export function useAddress(): [URLSearchParams, (changes: Readonly<Record<string, string>>) => void] {
  const [query, setQuery] = useSearchParams();
  const change = (changes: Readonly<Record<string, string>>): void => {
    const next = Object.entries({ ...Object.fromEntries(query), ...changes }).filter(([, value]) => value !== "");
    setQuery(next, { replace: true });
  };
  return [query, change];
}

/** The page of a list that the address names, from 1, and how to go to another. */
export function pageOf([query, change]: ReturnType<typeof useAddress>): readonly [number, (page: number) => void] {
  const text = query.get("pagina") ?? "";
  const page = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : 1;
  return [page, (next) => change({ pagina: next > 1 ? String(next) : "" })];
}
