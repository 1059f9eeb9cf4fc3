import { useQuery } from "@tanstack/react-query";
import { type ComponentProps, useId, useState } from "react";
import type { ColumnType, Rule } from "../api/types";
import { queryRows } from "../table/queries";
import { useConsole } from "../ui/context";
import { useSettled } from "../ui/store";
import { formatCell } from "../values/cells";

const WRITING_MS = 200;
const SHOWN = 20; // values at a time

type ReferenceFieldProps = ComponentProps<"input"> & { rule: Rule; type: ColumnType };

/** A field of a value of another table: what is typed is sought there, and what is found can be chosen. */
export function ReferenceField({ rule, type, ...rest }: ReferenceFieldProps) {
  const { api } = useConsole();
  const id = useId();
  const [typed, setTyped] = useState("");
  const sought = useSettled(typed, WRITING_MS);
  const [table, column] = [rule.table ?? "", rule.column ?? ""];
  const { data } = useQuery({
    queryKey: ["references", table, column, sought],
    retry: false, // without it the value is typed
    queryFn: async ({ signal }) => {
      const where = type === "text" && sought ? { column: column, op: "contains" as const, value: sought } : {};
      const body = { where, fields: [column], sort: [column], per_page: SHOWN, count: false };
      return (await queryRows(api, table, body, signal)).records.map((row) => row[column]);
    },
    placeholderData: (before) => before,
  });
  return (
    <>
      <input {...rest} list={id} autoComplete="off" onInput={(event) => setTyped(event.currentTarget.value.trim())} />
      <datalist id={id}>
        {data?.map((value) => (
          <option key={String(value)} value={formatCell(value, type)} />
        ))}
      </datalist>
    </>
  );
}
