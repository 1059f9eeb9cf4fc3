import { useMutation, useQuery } from "@tanstack/react-query";
import type { Api } from "../api/session";
import type { Rule, RuleCheck, Table } from "../api/types";
import { useConsole, useGet } from "../ui/context";
import { useSettled } from "../ui/store";

// What rules a table has: changed one at a time upon those that hold by then, and counted before they are kept.

type Change = (rules: readonly Rule[]) => readonly Rule[];

/** Change a table's rules; a colleague's stay, and where an answer is lost the table itself says whether they were kept. */
async function saveRules({ GET, PUT }: Api, tableId: string, change: Change): Promise<Table> {
  const path = { table_id: tableId };
  const before = await GET("/{table_id}", { path });
  const rules = [...change(before.rules)];
  return PUT("/{table_id}", { path, body: { rules, version: before.version } }).catch(async (error) => {
    const now = await GET("/{table_id}", { path });
    if (now.version > before.version && areKept(rules, now.rules)) return now;
    throw error;
  });
}

/** Whether rules are there as they were sent; the server adds to them. */
function areKept(sent: readonly Rule[], now: readonly Rule[]): boolean {
  const isKept = (rule: Rule, place: number): boolean =>
    Object.entries(rule).every(
      ([part, value]) => JSON.stringify(now[place]?.[part as keyof Rule]) === JSON.stringify(value),
    );
  return sent.length === now.length && sent.every(isKept);
}

export function useSaveRules({ _id }: Table, onSuccess?: () => void) {
  const { api } = useConsole();
  return useMutation({ mutationFn: (change: Change) => saveRules(api, _id, change), ...(onSuccess && { onSuccess }) });
}

/** Return the rules with this one in its place, or after the others. */
export function withRule(rules: readonly Rule[], rule: Rule): Rule[] {
  const isThere = rules.some(({ id }) => id !== undefined && id === rule.id);
  return isThere ? rules.map((one) => (one.id === rule.id ? rule : one)) : [...rules, rule];
}

const WRITING_MS = 400;

/** Count the rows that break each of some rules, once they have not changed for a moment. */
export function useBroken({ _id: table_id }: Table, rules: readonly Rule[]) {
  const { api, can } = useConsole();
  const text = JSON.stringify(rules);
  const asked = useSettled(text, WRITING_MS);
  const found = useQuery({
    queryKey: ["rules", table_id, asked],
    enabled: asked !== "[]" && can("data-read"),
    retry: false,
    queryFn: async ({ signal }): Promise<RuleCheck[]> => {
      const body = { rules: JSON.parse(asked) as Rule[] };
      return (await api.POST("/{table_id}/rules/check", { path: { table_id }, body, signal })).records;
    },
  });
  return { ...found, data: asked === text ? found.data : undefined };
}

/** The tables that a rule may refer to, by their ids. */
export function useTables(enabled: boolean): readonly Table[] {
  const { data } = useGet("", { query: { per_page: 100 } }, { enabled });
  return data?.records ?? [];
}
