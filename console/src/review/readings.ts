import type { StatedTable } from "../api/types";
import type { TableReading } from "./lines";

/** What a person states of one file or sheet; its place in the reading says of which. */
export type Wish = Omit<StatedTable, "file" | "sheet">;

/**
 * Return what is to be stated of a table: what was said before, and this on top. Where somebody else has stated
 * something, and this browser does not know what, the reading as it stands is stated: nothing of it is given up.
 */
export function stated(table: TableReading, before: StatedTable | undefined, wish: Wish): StatedTable {
  const isOthers = before === undefined && table.reasons.some((reason) => reason.code === "STATED");
  const { encoding, delimiter, header_line, header_lines } = table;
  const others = isOthers ? { include: table.include, encoding, delimiter, header_line, header_lines } : {};
  return { file: table.file, sheet: table.sheet, ...others, ...before, ...wish };
}
