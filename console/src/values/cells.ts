import type { Cell, Column, ColumnType } from "../api/types";
import { say, t } from "../ui/language";
import { formatDate, formatDatetime, parseDate, parseDatetime } from "./dates";
import { formatNumber, type Mark, matcher, parseInteger, parseNumber, showNumber } from "./numbers";
import patterns from "./patterns.json";

export const typeLabels = (): Record<ColumnType, string> => ({
  text: t`Texto`,
  integer: t`Número inteiro`,
  decimal: t`Número decimal`,
  boolean: t`Sim/Não`,
  date: t`Data`,
  datetime: t`Data e hora`,
});

export const typeChoices = () => Object.entries(typeLabels()) as [ColumnType, string][];

const isYes = matcher(patterns.true);
const isNo = matcher(patterns.false);
const isNothing = matcher(patterns.empty);
const isNoDay = matcher(patterns.emptyDay);

/** How the API's text of a value is written; others stay as they are: an integer has no mark that nobody asked for. */
const WRITERS: Partial<Record<ColumnType, (text: string) => string>> = {
  decimal: formatNumber,
  date: formatDate,
  datetime: formatDatetime,
};

/** Write a cell as a Brazilian reads it; an empty one is an empty text. */
export function formatCell(value: Cell, type: ColumnType): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "Sim" : "Não";
  return (WRITERS[type] ?? String)(String(value));
}

/** Write a cell as its column shows it: for eyes only, while `formatCell` is what is typed, copied and compared. */
export function showCell(value: Cell, { type, format }: Pick<Column, "type" | "format">): string {
  const plain = formatCell(value, type);
  if (typeof value === "boolean") return say(plain);
  if (!format || value === null || value === undefined) return plain;
  if (isNumeric(type)) {
    const thousands = format.thousands ?? (type === "decimal" || Boolean(format.currency ?? format.percent));
    return showNumber(String(value), { ...format, thousands });
  }
  const [date = "", time] = plain.split(" ");
  const [, month, year] = date.split("/");
  if (format.date === "month" && year) return `${month}/${year}`;
  if (format.date === "year" && year) return year;
  if (format.date === "time" && time) return time;
  return format.date === "date" ? date : plain;
}

type ParsedCell = { ok: true; value: string | boolean | null } | { ok: false; reason: string };

export function isNumeric(type: ColumnType): boolean {
  return type === "integer" || type === "decimal";
}

export function isDay(type: ColumnType): type is "date" | "datetime" {
  return type === "date" || type === "datetime";
}

const reasons = (): Record<ColumnType, string> => ({
  text: t`não é um texto`,
  integer: t`não é um número inteiro`,
  decimal: t`não é um número`,
  boolean: t`escreva sim ou não`,
  date: t`não é uma data (dd/mm/aaaa)`,
  datetime: t`não é uma data com hora (dd/mm/aaaa hh:mm)`,
});

/** Read what a person typed or pasted into a cell of this type, as a file's cell is read. */
export function parseCell(text: string, type: ColumnType, nullable: boolean, mark?: Mark | null): ParsedCell {
  if (text.trim() === "" || (type !== "text" && isNothing(text)) || (isDay(type) && isNoDay(text))) {
    return nullable ? { ok: true, value: null } : { ok: false, reason: t`esta coluna não pode ficar vazia` };
  }
  const value = READERS[type](text, mark);
  return value === null ? { ok: false, reason: reasons()[type] } : { ok: true, value };
}

const READERS: Record<ColumnType, (text: string, mark?: Mark | null) => string | boolean | null> = {
  text: String,
  integer: parseInteger,
  decimal: parseNumber,
  boolean: (text) => (isYes(text) ? true : isNo(text) ? false : null),
  date: parseDate,
  datetime: parseDatetime,
};

// Quoted is only what ends with its quote: of `"a" b` and of a quote alone each sign stays.
const CLIPBOARD_CELL = /(?:"([^"]*(?:""[^"]*)*)"(?=[\t\r\n]|$))?([^\t\n]*)(\t|\n|$)/g;

/** What the clipboard of a spreadsheet holds: rows by line feeds, cells by tabs, quotes where a cell has either. */
export function parseClipboard(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, rest = "", end] of text.replace(/\r?\n$/, "").matchAll(CLIPBOARD_CELL)) {
    rows.at(-1)?.push((quoted ?? "").replaceAll('""', '"') + rest.replaceAll("\r", ""));
    if (end === "\n") rows.push([]);
    if (end === "") break;
  }
  return rows;
}

/** Write cells as the clipboard of a spreadsheet holds them: an empty last row keeps its place by a line feed more. */
export function toClipboard(rows: readonly (readonly string[])[]): string {
  const quoted = (cell: string): string => (/[\t\n\r"]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell);
  const text = rows.map((row) => row.map(quoted).join("\t")).join("\n");
  return /(?:^|\n)$/.test(text) ? `${text}\n` : text;
}

/** Put a text on the clipboard; false where the browser, or a page around this one, forbids it. */
export function putOnClipboard(text: string): Promise<boolean> {
  return Promise.resolve(navigator.clipboard?.writeText(text).then(() => true)).then(Boolean, () => false);
}

/** The letter of a spreadsheet's column, from 0: A … Z, AA … */
export function columnLetter(index: number): string {
  const before = index < 26 ? "" : columnLetter(Math.floor(index / 26) - 1);
  return before + String.fromCharCode(65 + (index % 26));
}
