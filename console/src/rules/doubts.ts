import { useQuery } from "@tanstack/react-query";
import type { RecordOfRow, Table } from "../api/types";
import { cellKey } from "../table/columns";
import { queryRows } from "../table/queries";
import { useConsole } from "../ui/context";
import { ruleWords } from "./words";

const NONE: ReadonlyMap<string, string> = new Map();

/** Find the cells in sight that break a rule and are there all the same, each with the rule in words. */
export function useDoubts(table: Table, blocks: readonly (readonly RecordOfRow[])[]): ReadonlyMap<string, string> {
  const { api } = useConsole();
  const rules = table.rules.filter((rule) => rule.severity === "warn" || rule.for_new);
  const asked = rules.length === 0 ? [] : blocks.filter(({ length }) => length > 0);
  const versions = asked.map((block) => block.map(({ id, _version }) => `${id} ${_version}`).join());
  const { data } = useQuery({
    queryKey: ["doubts", table._id, table.version, versions],
    enabled: asked.length > 0,
    retry: false,
    gcTime: 0,
    queryFn: async ({ signal }) => {
      const found = new Map<string, string>();
      for (const rule of rules) {
        for (const block of asked) {
          const ids = block.map(({ id }) => id);
          const breaking = { rule: rule.id ?? "", op: "breaks" as const };
          const where = { and: [{ column: "id", op: "in" as const, value: ids }, breaking] };
          const body = { where, fields: [], per_page: ids.length, count: false };
          const { records } = await queryRows(api, table._id, body, signal);
          const reason = rule.message || ruleWords(rule, table);
          for (const { id } of records) for (const name of rule.columns) found.set(cellKey(id, name), reason);
        }
      }
      return found;
    },
    placeholderData: (before) => before, // until it is known whether they still are
  });
  return (asked.length > 0 && data) || NONE;
}
