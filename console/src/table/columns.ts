import type { Cell, Column, Table } from "../api/types";

/** What a row holds, by the names of its columns. */
export type Cells = Readonly<Record<string, Cell>>;

/** Return a column of a table; of one that it no longer has, what its values are shown by. */
export function columnOf({ columns }: Table, name: string): Pick<Column, "display_name" | "type" | "format"> {
  return columns.find((column) => column.name === name) ?? { display_name: name, type: "text" };
}

/** Name a cell among all of a table. */
export function cellKey(id: string, column: string): string {
  return `${id}/${column}`;
}
